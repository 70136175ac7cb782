"""Encoders of the world model: the mel bank, views, and how the networks are computed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from nsmodels.engine.batching import Part
from nsmodels.systems.world import presets
from nsmodels.systems.world.config import AudioViewsConfig, ComputeConfig, VisionViewsConfig
from nsmodels.systems.world.network import world
from nsmodels.systems.world.network.mel import HALF_RANGE, MelSpectrogram, hz_to_mel, mel_bank
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training import views
from nsmodels.systems.world.training.views import PictureViews, SoundViews

RATE = 16_000
TIME = torch.arange(RATE) / RATE
SPECTROGRAM = MelSpectrogram(RATE, 1024, 200, 80)


def sine(frequency: float, amplitude: float = 1.0) -> torch.Tensor:
    return amplitude * torch.sin(2 * torch.pi * frequency * TIME)[None]


def tiny(**compute: bool) -> WorldNetwork:
    torch.manual_seed(0)
    settings = {name: made["debug"]().model.model_dump() for name, made in CHAIN.items()}
    network = WorldNetwork(**settings)
    network.use(ComputeConfig(**compute))
    return network


CHAIN = {"vision": presets.VISION, "audio": presets.AUDIO}


# --- the mel bank -----------------------------------------------------------------------------------------------------


def test_a_filter_of_the_mel_bank_is_the_triangle_between_its_neighbours() -> None:
    bank = mel_bank(RATE, 1024, 80).double().numpy()
    corners = 700 * (10 ** (np.linspace(0, hz_to_mel(RATE / 2), 82) / 2595) - 1)
    bins, half = np.arange(513) * RATE / 1024, RATE / 2048
    for band in range(80):
        low, top, high = corners[band : band + 3]
        triangle = np.interp(bins, [low, top, high], [0, 1, 0])
        # Where the triangle is straight over the width of a bin, its mean is its value in the middle.
        straight = np.abs(bins[:, None] - [low, top, high]).min(1) > half
        np.testing.assert_allclose(bank[band, straight], triangle[straight], atol=1e-6)
        area = bank[band].sum() * RATE / 1024
        assert area == pytest.approx((high - low) / 2, rel=1e-5) or high > bins[-1] - half


@pytest.mark.parametrize("frequency", [150, 440, 1_000, 3_000, 3_960, 5_500, 7_000])
def test_the_mel_bank_hears_every_frequency_up_to_half_of_the_sample_rate(frequency: float) -> None:
    power = SPECTROGRAM.power(sine(frequency, amplitude=0.5))[0, :, 20:60].mean(1)
    assert float(power.sum()) == pytest.approx(0.25, rel=0.02)
    assert int(power.argmax()) in np.argsort(np.abs(SPECTROGRAM.centres.numpy() - frequency))[:2]


def test_a_louder_sound_has_a_higher_level() -> None:
    quiet, loud = (SPECTROGRAM(sine(1_000, amplitude))[0, :, 40].max() for amplitude in (0.1, 0.2))
    assert float(loud - quiet) == pytest.approx(20 * math.log10(2) / HALF_RANGE, abs=1e-3)
    assert float(SPECTROGRAM(torch.zeros(1, RATE)).max()) == pytest.approx(-1)


# --- views ------------------------------------------------------------------------------------------------------------


def picture_view(place: list[list[float]], colour: torch.Tensor | None = None) -> PictureViews:
    affine = torch.cat([torch.eye(3) if colour is None else colour, torch.zeros(3, 1)], dim=1)
    return PictureViews(torch.tensor([place]), affine[None])


def test_a_crop_shows_the_part_that_was_drawn_and_a_flip_its_mirror_image() -> None:
    # A picture whose red is the horizontal coordinate, and whose green is the vertical one.
    centres = (torch.arange(64) + 0.5) / 64
    ramps = torch.stack([centres.expand(64, 64), centres[:, None].expand(64, 64), torch.zeros(64, 64)])[None]
    found = views.view_pictures(ramps, picture_view([[-0.5, 0.0, 0.25], [0.0, 0.25, -0.5]]))
    red, green = 0.875 - centres / 2, 0.125 + centres / 4
    np.testing.assert_allclose(found[0, 0, 5], red, atol=1e-5)
    np.testing.assert_allclose(found[0, 1, :, 9], green, atol=1e-5)


def test_colours_of_views() -> None:
    shape, random = (4096, 2), np.random.default_rng(0)
    still = views._draw_colours(shape, random, VisionViewsConfig(jitter=0, grayscale=0))
    np.testing.assert_allclose(still[0, 0], np.eye(3, 4), atol=1e-12)
    grey = views._draw_colours(shape, random, VisionViewsConfig(jitter=0, grayscale=1))
    np.testing.assert_allclose(grey[0, 0, :, :3] @ [1, 0, 0], 0.299, atol=1e-6)
    drawn = views._draw_colours(shape, random, VisionViewsConfig(jitter=0.4, grayscale=0.2))
    white = drawn[..., :3].sum(-1) + drawn[..., 3]
    assert np.ptp(white, axis=-1).max() < 1e-9, "hue, saturation and loss of colour leave greys grey"
    assert 0.15 < np.mean(np.ptp(drawn[..., :3], axis=-2).max(-1) < 1e-9) < 0.25


def sound_view(**values: float) -> SoundViews:
    still = {"shift": 0.0, "pitch": 1.0, "tempo": 1.0, "gain": 0.0, "tilt": 0.0, "offset": 0.0}
    return SoundViews(**{name: torch.tensor([value]) for name, value in (still | values).items()})


def test_sounds_move_in_pitch_and_time() -> None:
    click = sine(1_000) * ((TIME > 0.4) & (TIME < 0.45))
    mel = SPECTROGRAM(click)
    torch.testing.assert_close(views.warp_sounds(mel, sound_view(), SPECTROGRAM), mel, atol=1e-4, rtol=0)
    moved = views.warp_sounds(mel, sound_view(shift=0.2, pitch=1.5), SPECTROGRAM)
    band, window = divmod(int(moved[0].argmax()), moved.shape[2])
    assert SPECTROGRAM.centres[band] == pytest.approx(1_500, rel=0.05)
    assert window * 200 / RATE == pytest.approx(0.625, abs=0.03)
    slow = views.warp_sounds(mel, sound_view(tempo=0.8), SPECTROGRAM)
    assert int(slow[0].max(0).values.argmax()) * 200 / RATE == pytest.approx(0.425 / 0.8, abs=0.03)


def test_background_noise_has_its_level() -> None:
    silence, tape = torch.full((1, 80, 80), -1.0), views.noise_tape(SPECTROGRAM)
    for tilt in (0.0, 1.0):
        heard = views.add_noise(silence, sound_view(gain=1e-4, tilt=tilt, offset=0.3), SPECTROGRAM, tape)
        assert float(SPECTROGRAM.unscaled(heard).sum(1).mean()) == pytest.approx(1e-4, rel=0.1)


def test_the_views_of_a_sample_do_not_depend_on_how_a_batch_is_split() -> None:
    rows = np.arange(10, 18)
    whole, part = Part(rows, rows), Part(rows[3:6], rows, 3)
    seen = [views.draw_picture_views(each, np.random.default_rng(1), VisionViewsConfig()) for each in (whole, part)]
    heard = [views.draw_sound_views(each, np.random.default_rng(1), AudioViewsConfig()) for each in (whole, part)]
    assert torch.equal(seen[0].place[3:6], seen[1].place)
    assert torch.equal(seen[0].colour[3:6], seen[1].colour)
    assert torch.equal(heard[0].pitch[3:6], heard[1].pitch)


# --- how they are computed --------------------------------------------------------------------------------------------


def gradients(network: WorldNetwork) -> tuple[dict[str, torch.Tensor], int]:
    """Gradients by parameter, and the number of values that are kept for the backward pass."""
    random, kept = torch.Generator().manual_seed(0), 0

    def count(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal kept
        kept += 0 if isinstance(tensor, nn.Parameter) else tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        seen = network.vision(torch.rand(2, 3, 32, 32, generator=random))
        heard = network.audio(torch.rand(2, 16, 20, generator=random))
        loss = seen.latents.square().mean() + heard.latents.square().mean() + heard.columns.mean()
    loss.backward()
    return {name: p.grad for name, p in network.named_parameters() if p.grad is not None}, kept


def test_gradient_checkpointing_keeps_less_and_gives_the_same_gradients() -> None:
    (plain, all_kept), (saved, few_kept) = gradients(tiny()), gradients(tiny(use_gradient_checkpointing=True))
    assert few_kept < 0.6 * all_kept
    assert plain.keys() == saved.keys()
    assert any("second" in name for name in plain)
    for name, gradient in plain.items():
        torch.testing.assert_close(saved[name], gradient, msg=name)


def test_compiled_modules_are_run_by_the_compiler_and_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs = []

    def backend(graph: torch.fx.GraphModule, _inputs: list[torch.Tensor]):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(world, "BACKEND", backend)
    network = tiny(use_compile=True)
    found, _ = gradients(network)
    assert len(graphs) == 2
    assert network.state_dict().keys() == tiny().state_dict().keys()
    for name, gradient in gradients(tiny())[0].items():
        torch.testing.assert_close(found[name], gradient, msg=name)
    torch._dynamo.reset()
