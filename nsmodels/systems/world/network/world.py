"""The network of the world model: its modules as far as a phase goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from nsmodels.systems.world.config import PHASES, AudioModelConfig, ComputeConfig, VisionModelConfig
from nsmodels.systems.world.network.audio import AudioModule
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

    def __init__(self, **settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = {phase: dict(settings[phase]) for phase in PHASES if phase in settings}
        vision = VisionModelConfig.from_mapping(self.settings["vision"])
        self.vision = VisionModule(vision)
        if "audio" in settings:
            self.audio = AudioModule(AudioModelConfig.from_mapping(self.settings["audio"]), vision.latent_dim)

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
