"""The complete reasoner: from images to beliefs, from questions to programs, from both to an answer with its proof."""

from __future__ import annotations

from pathlib import Path
from typing import final

import numpy as np
import torch

from nsmodels.core import artifact, disk
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.systems.visual.answering import exported
from nsmodels.systems.visual.answering.calibration import FILE, Calibration
from nsmodels.systems.visual.answering.reasoner import Reasoner
from nsmodels.systems.visual.language.confidence import Parse
from nsmodels.systems.visual.language.parser import Parser
from nsmodels.systems.visual.perception.export import export
from nsmodels.systems.visual.perception.network import Perception, read_out
from nsmodels.systems.visual.perception.readout import Readout


@final
class VisualReasoner(Reasoner):
    """Perception and parser of a checkpoint, with their calibration."""

    def __init__(self, perception: Perception, parser: Parser, calibration: Calibration | None = None) -> None:
        self.perception = perception.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parser = parser.eval()
        self.calibration = calibration or Calibration()

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> VisualReasoner:
        """The model of a checkpoint folder; raise `InputError` when it is not sealed, changed or of another system."""
        artifact.require_intact(folder)
        return cls.read(folder, device)

    @classmethod
    def read(cls, folder: Path, device: str) -> VisualReasoner:
        """The model in a folder that need not be sealed yet; raise `InputError` when a file is missing or broken."""
        target = resolve_device(device)
        paths = [folder / network / "best.pt" for network in ("perception", "parser")]
        perception = Perception.from_checkpoint(checkpoint.load(paths[0]), str(paths[0]))
        parser = Parser.from_checkpoint(checkpoint.load(paths[1]), str(paths[1]))
        return cls(perception.to(target), parser.to(target), Calibration.read(folder))

    @property
    def image_shape(self) -> tuple[int, int]:
        """Width and height of the network's input in pixels."""
        return self.perception.config.image_width, self.perception.config.image_height

    @property
    def device(self) -> torch.device:
        """Device of the networks."""
        return self.perception.mean.device

    @property
    def num_parameters(self) -> dict[str, int]:
        """Number of parameters by network."""
        parts = {"perception": self.perception, "parser": self.parser}
        return {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}

    def read_out(self, images: np.ndarray) -> Readout:
        """What perception reads from images, uint8 (b, h, w, 3) at `image_shape`."""
        return read_out(self.perception, images)

    def parse(self, questions: list[str]) -> list[Parse]:
        """The program of each question; raise `InputError` for one without words."""
        return self.parser.parse(questions)

    def export(self, folder: Path) -> None:
        """Write what `ExportedReasoner` loads into a folder; raise `InputError` for a missing package."""
        folder.mkdir(exist_ok=True)
        export(self.perception, folder / exported.GRAPH)
        np.savez(folder / exported.WEIGHTS, **{name: w.cpu().numpy() for name, w in self.parser.state_dict().items()})
        settings = {
            "words": list(self.parser.vocabulary.words),
            "sequences": sorted(self.parser.fluency.known),
            "max_program_length": self.parser.config.max_program_length,
        }
        disk.write_json(folder / exported.SETTINGS, settings)
        disk.write_json(folder / FILE, self.calibration.to_json())
