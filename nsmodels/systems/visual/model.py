"""The whole reasoner: images to beliefs, questions to programs, both to an answer with its proof."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.systems.visual.language.parser import Parser
from nsmodels.systems.visual.perception.images import read_image, read_images, read_size
from nsmodels.systems.visual.perception.network import Perception, perceive
from nsmodels.systems.visual.reasoning.belief import SceneBelief
from nsmodels.systems.visual.reasoning.execution import Answer, answer
from nsmodels.systems.visual.reasoning.proof import NoProof, Proof, prove

PERCEIVE_BATCH = 32


@dataclass(frozen=True)
class Answered:
    """An answer with what it rests on; `parse_probability` is the parser's own for the program.

    `answer` is the soft executor's, the one that evaluations score. `proof` is of the most probable world that agrees,
    or of one that does not when none does; None, with `why_not` saying why, when the question is ill posed in all.
    """

    question: str
    answer: Answer
    proof: Proof | None
    belief: SceneBelief
    parse_probability: float
    why_not: str = ""

    @property
    def needed_proof(self) -> Proof:
        """The proof, for what cannot be done without; raise `InputError` when there is none."""
        if self.proof is None:
            raise InputError(f"{self.why_not}; a drawing, a tree, JSON or a fact to take away need a proof")
        return self.proof

    def text(self) -> str:
        """The answer with its confidence, then its proof, or a line that says that there is none, or of another."""
        lines = [f"answer: {self.answer.best}   confidence {self.answer.confidence:.3f}"]
        if self.proof is None:
            return "\n".join([*lines, self.why_not])
        if self.proof.answer != self.answer.best:
            lines.append(f"no probable world gives this answer: the proof is of the likeliest, {self.proof.answer}")
        return "\n".join([*lines, self.proof.text(has_negative=False)])


@final
class VisualReasoner:
    """Perception and parser of a checkpoint, ready to answer."""

    def __init__(self, perception: Perception, parser: Parser, presence_map: Sequence[float] = (1.0, 0.0)) -> None:
        self.perception = perception.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parser = parser.eval()
        perception.presence_map.copy_(torch.tensor(presence_map))

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> VisualReasoner:
        """The model of a sealed checkpoint folder; raise `InputError` when it is not sealed or of another system."""
        artifact.read_manifest(folder)
        where = resolve_device(device)
        paths = [folder / network / "best.pt" for network in ("perception", "parser")]
        perception = Perception.from_checkpoint(checkpoint.load(paths[0]), str(paths[0]))
        parser = Parser.from_checkpoint(checkpoint.load(paths[1]), str(paths[1]))
        return cls(perception.to(where), parser.to(where), _presence_map(folder / "calibration.json"))

    @property
    def image_shape(self) -> tuple[int, int]:
        """Width and height at which the network reads images."""
        return self.perception.config.image_width, self.perception.config.image_height

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.perception.presence_map.device

    @property
    def num_parameters(self) -> dict[str, int]:
        """Trained numbers by network."""
        parts = {"perception": self.perception, "parser": self.parser}
        return {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}

    def perceive(self, images: np.ndarray, sizes: np.ndarray) -> list[SceneBelief]:
        """Beliefs about images, uint8 (b, h, w, 3) at `image_shape`, whose files measure `sizes` (b, 2)."""
        return [
            belief
            for first in range(0, len(images), PERCEIVE_BATCH)
            for belief in perceive(
                self.perception, images[first : first + PERCEIVE_BATCH], sizes[first : first + PERCEIVE_BATCH]
            )
        ]

    def perceive_file(self, path: Path) -> SceneBelief:
        """The belief about one image file."""
        return self.perceive(read_image(path, *self.image_shape)[None], np.array([read_size(path)]))[0]

    def perceive_split(self, root: Path, split: str, scenes: list[dict[str, Any]]) -> list[SceneBelief]:
        """Beliefs about the images of `scenes` in a CLEVR tree."""
        images, sizes = read_images(root, split, scenes, *self.image_shape)
        return self.perceive(images, sizes)

    def answer(self, path: Path, question: str) -> Answered:
        """Read the image and the question, answer and prove; raise `InputError` when either cannot be read."""
        (parse,) = self.parser.parse([question])
        belief = self.perceive_file(path)
        found = answer(parse.program, belief)
        try:
            return Answered(question, found, prove(parse.program, belief), belief, parse.probability)
        except NoProof as error:
            return Answered(question, found, None, belief, parse.probability, str(error))


def _presence_map(path: Path) -> list[float]:
    try:
        slope, intercept = json.loads(path.read_text())["presence_map"]
        return [float(slope), float(intercept)]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path}: missing or broken; the checkpoint is incomplete, train it again") from None
