"""The phases on whole clips: every module is trained by some phase, and what each one draws and hides."""

import dataclasses
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from nsmodels.core.artifact import MANIFEST
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.engine import checkpoint
from nsmodels.engine.task import Shard
from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import VARIABLES
from nsmodels.formats.clips.tables import Clips, Twins
from nsmodels.systems.world import SYSTEM
from nsmodels.systems.world.config import PHASES, frozen
from nsmodels.systems.world.network.clips import batch_of
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training import encoded
from nsmodels.systems.world.training.encoded import EncodedSounds, encode_maps, encode_sounds
from tests.systems.world.sample import sample_clips

NUM_CLIPS = 24


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for seed, split in enumerate(("train", "val")):
        clips = with_concepts(sample_clips(NUM_CLIPS, seed))
        files.write(folder, split, clips)
        files.write_twins(folder, split, twins_of(clips))
    return folder


def with_concepts(clips: Clips) -> Clips:
    kind = clips.columns["label"]
    words = {"material": tuple("abcd"), "shape": ("plate", "ball")}
    return dataclasses.replace(clips, columns={"material": kind // 2, "shape": kind % 2}, words=words)


def twins_of(clips: Clips) -> Twins:
    """Two twins of each clip, whose outcomes move with the change; colour moves nothing."""
    assert clips.states is not None
    assert clips.outcomes is not None
    assert clips.properties is not None
    assert clips.affordances is not None
    assert clips.events is not None
    random, base = np.random.default_rng(0), np.arange(len(clips)).repeat(2)
    variable, change = random.integers(0, len(VARIABLES), len(base)), random.normal(size=len(base)).astype(np.float32)
    moved = np.where(variable == VARIABLES.index("colour"), 0, change)[:, None]
    return Twins(
        base, variable, change, np.ones_like(change), np.exp(change), clips.states[base] + moved[:, None],
        clips.properties[base], clips.affordances[base], clips.outcomes[base] + moved, clips.events[base],
    )  # fmt: skip


def config_of(phase: str):
    return SYSTEM.stage(phase).presets["debug"]()


def settings(last: str) -> dict[str, dict]:
    return {phase: config_of(phase).model.model_dump(mode="json") for phase in PHASES[: PHASES.index(last) + 1]}


@pytest.fixture(scope="module")
def parents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of untrained networks by phase. Gains of residual blocks are not zero, so that gradients pass."""
    folder = tmp_path_factory.mktemp("parents")
    for phase in PHASES[:-1]:
        torch.manual_seed(0)
        network = WorldNetwork(**settings(phase))
        for name, parameter in network.named_parameters():
            if name.endswith("gain"):
                torch.nn.init.constant_(parameter, 0.5)
        payload = {"model_state_dict": network.state_dict(), "config": {"network": network.settings}}
        checkpoint.save(folder / phase / phase / checkpoint.BEST, payload)
    return folder


def trial_of(phase: str, data: Path, parents: Path):
    before = {later: earlier for earlier, later in itertools.pairwise(PHASES)}.get(phase)
    inputs = Inputs.of(data, parent=("parent", parents / before) if before else None)
    return SYSTEM.make_trial(phase, config_of(phase), inputs)


def trained_in(phase: str, data: Path, parents: Path) -> dict[str, bool]:
    """By name of each parameter of a phase, whether its gradient is not zero; frozen modules have none."""
    trial = trial_of(phase, data, parents)
    torch.manual_seed(0)
    network = trial.task.build()
    if trial.initial_weights:
        checkpoint.load_weights(network, trial.initial_weights, allow_missing=True)
    for name in trial.freeze:
        network.get_submodule(name).requires_grad_(False)
    for name, parameter in network.named_parameters():
        if name.endswith("gain"):
            torch.nn.init.constant_(parameter, 0.5)
    loss, _ = trial.task.loss(network, next(iter(trial.task.batches("train", 0, Shard()))))
    loss.backward()
    return {name: each.grad is not None and bool(each.grad.any()) for name, each in network.named_parameters()}


def test_every_parameter_gets_a_gradient_in_some_phase(data: Path, parents: Path) -> None:
    found = {phase: trained_in(phase, data, parents) for phase in PHASES}
    never = [name for name in found["full"] if not any(each.get(name) for each in found.values())]
    assert never == []
    assert not any(value for name, value in found["dynamics"].items() if name.startswith(("vision", "audio")))
    assert any(value for name, value in found["full"].items() if name.startswith("vision"))


def test_a_clip_keeps_a_modality_and_its_parts_do_not_depend_on_the_split(data: Path, parents: Path) -> None:
    task = trial_of("fusion", data, parents).task
    whole = next(iter(task.batches("train", 3, Shard())))
    halves = [next(iter(task.batches("train", 3, Shard(rank=rank, world=2)))) for rank in (0, 1)]
    assert (~whole.hidden).any(-1).all()
    assert whole.hidden.any()
    for name in ("hidden", "context"):
        assert torch.equal(torch.cat([getattr(half, name) for half in halves]), getattr(whole, name))


@pytest.mark.parametrize("phase", ["fusion", "dynamics"])
def test_encoded_sounds_that_are_kept_are_those_of_the_encoder(phase: str, data: Path, parents: Path) -> None:
    trial = trial_of(phase, data, parents)
    network, batch = trial.task.build(), next(iter(trial.task.batches("val", 0, Shard())))
    checkpoint.load_weights(network, trial.initial_weights, allow_missing=True)
    recorded = batch_of(files.read(data, "val"), np.arange(len(batch.clips)))
    for context in (None, batch.context):
        kept, heard = network.observe(batch.clips, context), network.observe(recorded, context)
        assert heard.columns.abs().max() > 0.1
        assert torch.allclose(kept.columns, heard.columns, atol=1e-2)
        assert torch.allclose(kept.latents, heard.latents, atol=1e-4)
    assert torch.allclose(network.bands(batch.clips), network.bands(recorded), atol=1e-2)


def test_what_encoders_make_stays_for_the_next_training_until_data_or_weights_differ(
    tmp_path: Path, data: Path, parents: Path
) -> None:
    folder, others = tmp_path / "clips", tmp_path / "parents"
    shutil.copytree(data, folder)
    shutil.copytree(parents, others)

    def made(of: Path = parents) -> tuple[torch.Tensor, EncodedSounds]:
        clips = trial_of("dynamics", folder, of).task.clips
        clips.batches("train", 0, Shard())
        return clips.maps["train"], clips.sounds["train"]

    before = made()
    assert made()[0] is not before[0], "unsealed data may have changed"
    (folder / MANIFEST).write_text("sealed")
    before = made()
    assert all(a is b for a, b in zip(made(), before, strict=True))

    place = others / "fusion" / "fusion" / checkpoint.BEST
    payload = checkpoint.load(place)
    weight = next(v for n, v in payload["model_state_dict"].items() if n.startswith("audio") and v.ndim > 1)
    weight += 1
    checkpoint.save(place, payload)
    maps, sounds = made(others)
    assert maps is before[0], "of the same vision"
    assert not torch.equal(sounds.latents, before[1].latents)

    (folder / MANIFEST).write_text("sealed again")
    again = made()
    assert again[0] is not before[0]
    assert torch.equal(again[1].latents, before[1].latents)


def test_what_encoders_make_is_that_of_each_split_and_phase(tmp_path: Path, data: Path, parents: Path) -> None:
    folder = tmp_path / "clips"
    shutil.copytree(data, folder)
    (folder / MANIFEST).write_text("sealed")
    found = {}
    for phase in ("fusion", "dynamics"):
        task = trial_of(phase, folder, parents).task
        task.clips.batches("train", 0, Shard())
        for split in ("train", "val"):
            clips, network = files.read(folder, split), task.clips.encoders
            alone = encode_sounds(network, clips, task.clips.contexts)
            assert torch.equal(task.clips.maps[split], encode_maps(network.vision, clips, network.frame_interval))
            assert np.array_equal(task.clips.sounds[split].contexts, alone.contexts)
            assert torch.equal(task.clips.sounds[split].columns, alone.columns)
            found[phase, split] = task.clips.maps[split]
    assert found["dynamics", "val"] is found["fusion", "val"]
    assert len(encoded._last) == 4
    thawed = config_of("fusion").with_values({"freeze_encoders": False})
    task = SYSTEM.make_trial("fusion", thawed, Inputs.of(folder, parent=("parent", parents / "audio"))).task
    task.batches("train", 0, Shard())
    assert not encoded._last, "their memory is for the encoders that are trained on"


def test_clips_are_trained_with_one_thread_and_encoders_with_all(data: Path, parents: Path) -> None:
    assert {phase: trial_of(phase, data, parents).task.num_threads for phase in PHASES} == {
        phase: int(bool(frozen(config_of(phase))) and phase != "audio") for phase in PHASES
    }
    thawed = config_of("fusion").with_values({"freeze_encoders": False})
    assert (
        SYSTEM.make_trial("fusion", thawed, Inputs.of(data, parent=("parent", parents / "audio"))).task.num_threads == 0
    )


def test_twins_belong_to_the_clips_of_their_batch(data: Path, parents: Path) -> None:
    batch = next(iter(trial_of("full", data, parents).task.batches("train", 0, Shard())))
    moved = torch.where(batch.twins.variable == VARIABLES.index("colour"), 0, batch.twins.change)
    assert torch.allclose(batch.twins.outcomes, moved[:, None].expand_as(batch.twins.outcomes), atol=1e-5)
    assert torch.equal(batch.twins.events, batch.clips.events[batch.twins.row].float())


def test_clips_without_states_are_refused(tmp_path: Path, parents: Path) -> None:
    for seed, split in enumerate(("train", "val")):
        files.write(tmp_path, split, dataclasses.replace(sample_clips(8, seed), states=None))
    with pytest.raises(InputError, match="has no states, which this phase learns from; train up to fusion"):
        trial_of("dynamics", tmp_path, parents)
