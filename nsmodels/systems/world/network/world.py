"""The network of the world model: its modules as far as a phase goes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nsmodels.formats.clips.names import PROPRIO
from nsmodels.systems.world.config import (
    PHASES,
    AudioModelConfig,
    ComputeConfig,
    DynamicsModelConfig,
    FusionModelConfig,
    HeadsModelConfig,
    VisionModelConfig,
)
from nsmodels.systems.world.network.audio import AudioModule
from nsmodels.systems.world.network.clips import ClipBatch
from nsmodels.systems.world.network.dynamics import DynamicsModule
from nsmodels.systems.world.network.fusion import Alignment, FusionModule, Predictor, Sources
from nsmodels.systems.world.network.heads import HeadsModule
from nsmodels.systems.world.network.observations import Observations, cut_sounds, seen_before
from nsmodels.systems.world.network.vision import VisionModule

BACKEND = "inductor"  # of torch.compile: its default


class WorldNetwork(nn.Module):
    """The modules of the phases up to one of them.

    Args:
        settings: by phase the fields of the section `model` of its configuration, from "vision" on without a gap; what
            a checkpoint saves as "network".
    """

    vision: VisionModule
    audio: AudioModule
    fusion: FusionModule
    alignment: Alignment
    predictor: Predictor
    dynamics: DynamicsModule
    heads: HeadsModule

    def __init__(self, **settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = {phase: dict(settings[phase]) for phase in PHASES if phase in settings}
        vision = VisionModelConfig.from_mapping(self.settings["vision"])
        self.vision = VisionModule(vision)
        if "audio" in settings:
            self.audio = AudioModule(AudioModelConfig.from_mapping(self.settings["audio"]), vision.latent_dim)
        if "fusion" in settings:
            self._fuse(FusionModelConfig.from_mapping(self.settings["fusion"]))
        if "dynamics" in settings:
            self.dynamics = DynamicsModule(DynamicsModelConfig.from_mapping(self.settings["dynamics"]), self.state_dim)
        if "full" in settings:
            heads = HeadsModelConfig.from_mapping(self.settings["full"])
            self.heads = HeadsModule(heads, self.state_dim, vision.latent_dim)

    def _fuse(self, config: FusionModelConfig) -> None:
        sources = Sources(math.prod(self.vision.map_shape), self.audio.column_dim, self.vision.latent_dim)
        self.fusion = FusionModule(config, sources)
        self.alignment = Alignment(config.state_dim, sources, config.max_seq_len)
        self.predictor = Predictor(config, sources, self.settings["audio"]["n_mels"])

    def maps(self, video: Tensor) -> Tensor:
        """Flattened maps (b, t, c) of uint8 frames (b, t, h, w, 3); zeros at steps whose frame is not read."""
        return maps_of(self.vision, video, self.frame_interval)

    @property
    def frame_interval(self) -> int:
        """Steps from a frame that is read to the next one."""
        return int(self.settings.get("fusion", {}).get("frame_interval", 1))

    def observe(self, clips: ClipBatch, context: Tensor | None = None) -> Observations:
        """What the encoders make of clips, of what is observed before step `context`, int64 (b,), or of all.

        Sound is cut at that time, too. What a clip lacks is not seen; its place is filled with zeros that nobody reads.
        """
        columns, latents = self.hear(clips, context)
        maps = clips.maps if clips.maps is not None or clips.video is None else self.maps(clips.video)
        maps, has_maps = _filled(maps, clips, math.prod(self.vision.map_shape))
        proprio, has_proprio = _filled(clips.proprio, clips, len(PROPRIO))
        if maps.shape[1]:
            has_maps = has_maps & _is_read(has_maps, self.frame_interval)
        there = torch.stack([has_maps, torch.ones_like(has_maps), has_proprio], -1)
        seen = seen_before(clips.observed, clips.num_steps, context) & there
        return Observations(seen, maps, columns, latents, proprio, clips.actions)

    def align(self, given: Observations, modality: str) -> Tensor:
        """Unit vectors (b, d) of one modality alone, in the space that all share."""
        values = {"vision": given.maps, "audio": given.columns, "proprio": given.proprio}[modality]
        steps = torch.arange(values.shape[1], device=values.device)
        if modality == "vision" and (frames := given.seen[..., 0].any(0)).any():
            values, steps = values[:, frames], steps[frames]
        return self.alignment(modality, values, steps, given.latents if modality == "audio" else None)

    def hear(self, clips: ClipBatch, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """A column of the sound for each step, and the latents of the whole."""
        if context is None and clips.columns is not None and clips.latents is not None:
            return clips.columns, clips.latents
        if context is not None and clips.cut_columns is not None and clips.cut_latents is not None:
            return clips.cut_columns, clips.cut_latents
        if clips.audio is None:
            shape = (len(clips), clips.num_steps, self.audio.column_dim)
            empty = clips.observed.new_zeros(shape, dtype=torch.float32)
            return empty, empty.new_zeros(len(clips), self.audio.latent_dim)
        sounds = clips.audio if context is None else cut_sounds(clips.audio, context * clips.samples_per_step)
        heard = self.audio(self.audio.mel(sounds))
        step_time = clips.samples_per_step / self.audio.mel.sample_rate
        steps = torch.arange(clips.num_steps, device=sounds.device) * step_time / self.audio.column_time
        return heard.columns[:, steps.long().clamp(max=heard.columns.shape[1] - 1)], heard.latents

    def bands(self, clips: ClipBatch) -> Tensor:
        """Mean of the log-mel spectrogram (b, t, m) over each step; zeros where no sound was recorded."""
        if clips.bands is not None:
            return clips.bands
        mel = self.audio.mel
        if clips.audio is None:
            return clips.observed.new_zeros((len(clips), clips.num_steps, len(mel.bank)), dtype=torch.float32)
        spectrum, per_step = mel(clips.audio), clips.samples_per_step / mel.hop_length
        ends = [min(round((k + 1) * per_step), spectrum.shape[-1]) for k in range(clips.num_steps)]
        starts = [min(round(k * per_step), end - 1) for k, end in enumerate(ends)]
        return torch.stack([spectrum[..., a:b].mean(-1) for a, b in zip(starts, ends, strict=True)], 1)

    @property
    def state_dim(self) -> int:
        """Width of the state of the world."""
        return int(self.settings["fusion"]["state_dim"])

    @property
    def phase(self) -> str:
        """The last phase whose modules are there."""
        return list(self.settings)[-1]

    def use(self, compute: ComputeConfig) -> None:
        """Compute as the configuration asks: gradient checkpointing within blocks, compiled modules.

        Weights keep their names, and so do checkpoints.
        """
        for module in self.modules():
            if hasattr(module, "use_checkpointing"):
                module.use_checkpointing = compute.use_gradient_checkpointing  # pyright: ignore
        if compute.use_compile:
            for module in self.children():
                module.compile(backend=BACKEND)


def maps_of(vision: VisionModule, video: Tensor, interval: int) -> Tensor:
    """Flattened maps (b, t, c) of every `interval`-th frame of uint8 videos (b, t, h, w, 3), zeros at other steps."""
    first = min(interval, video.shape[1]) - 1
    frames = video[:, first::interval]
    found = vision(vision.prepare(frames.flatten(0, 1))).maps.flatten(1).unflatten(0, frames.shape[:2])
    if interval == 1:
        return found
    maps = found.new_zeros((*video.shape[:2], found.shape[-1]))
    maps[:, first::interval] = found
    return maps


def _is_read(there: Tensor, interval: int) -> Tensor:
    """Bool (t,): the steps whose frames are read, of those that are `there`, bool (t,)."""
    steps = torch.arange(len(there), device=there.device)
    return (steps - (min(interval, int(there.sum())) - 1)) % interval == 0


def _filled(values: Tensor | None, clips: ClipBatch, size: int) -> tuple[Tensor, Tensor]:
    """Values (b, t, size), zeros at steps that they lack, and bool (t,), where they are: a picture has one step."""
    if values is None:
        values = clips.observed.new_zeros((len(clips), 0, size), dtype=torch.float32)
    missing = clips.num_steps - values.shape[1]
    there = torch.arange(clips.num_steps, device=values.device) < values.shape[1]
    return F.pad(values, (0, 0, 0, missing)), there
