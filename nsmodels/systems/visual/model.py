"""The complete reasoner: from images to beliefs, from questions to programs, from both to an answer with its proof."""

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
class VisualAnswer:
    """An answer with its proof, belief and the parser's probability of the program.

    `answer` is that of the soft executor, which evaluations score. `proof` holds in the most probable world with this
    answer, else in the most probable well-posed one. It is None when the question is ill posed in all probable worlds,
    with the reason in `no_proof_reason`.
    """

    question: str
    answer: Answer
    proof: Proof | None
    belief: SceneBelief
    parse_probability: float
    no_proof_reason: str = ""

    @property
    def needed_proof(self) -> Proof:
        """The proof; raise `InputError` when there is none."""
        if self.proof is None:
            raise InputError(f"{self.no_proof_reason}; a drawing, a tree, JSON or removing a fact needs a proof")
        return self.proof

    def text(self) -> str:
        """Answer, confidence and proof; a line when there is no proof, or when it proves a different answer."""
        lines = [f"answer: {self.answer.best}   confidence {self.answer.confidence:.3f}"]
        if self.proof is None:
            return "\n".join([*lines, self.no_proof_reason])
        if self.proof.answer != self.answer.best:
            lines.append(
                f"no probable world has this answer; the proof is of the most probable one: {self.proof.answer}"
            )
        return "\n".join([*lines, self.proof.text(has_negative=False)])


@final
class VisualReasoner:
    """Perception and parser of a checkpoint; `presence_map`: slope and intercept of the presence calibration."""

    def __init__(self, perception: Perception, parser: Parser, presence_map: Sequence[float] = (1.0, 0.0)) -> None:
        self.perception = perception.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parser = parser.eval()
        perception.presence_map.copy_(torch.tensor(presence_map))

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> VisualReasoner:
        """The model of a checkpoint folder; raise `InputError` when it is not sealed, changed or of another system."""
        artifact.require_intact(folder)
        target = resolve_device(device)
        paths = [folder / network / "best.pt" for network in ("perception", "parser")]
        perception = Perception.from_checkpoint(checkpoint.load(paths[0]), str(paths[0]))
        parser = Parser.from_checkpoint(checkpoint.load(paths[1]), str(paths[1]))
        return cls(perception.to(target), parser.to(target), _presence_map(folder / "calibration.json"))

    @property
    def image_shape(self) -> tuple[int, int]:
        """Width and height of the network's input in pixels."""
        return self.perception.config.image_width, self.perception.config.image_height

    @property
    def device(self) -> torch.device:
        """Device of the networks."""
        return self.perception.presence_map.device

    @property
    def num_parameters(self) -> dict[str, int]:
        """Number of parameters by network."""
        parts = {"perception": self.perception, "parser": self.parser}
        return {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}

    def perceive(self, images: np.ndarray, sizes: np.ndarray) -> list[SceneBelief]:
        """Beliefs about images, uint8 (b, h, w, 3) at `image_shape`; `sizes` (b, 2): width, height of their files."""
        return [
            belief
            for first in range(0, len(images), PERCEIVE_BATCH)
            for belief in perceive(
                self.perception, images[first : first + PERCEIVE_BATCH], sizes[first : first + PERCEIVE_BATCH]
            )
        ]

    def perceive_file(self, path: Path) -> SceneBelief:
        """The belief about one image file; raise `InputError` when it cannot be read."""
        return self.perceive(read_image(path, *self.image_shape)[None], np.array([read_size(path)]))[0]

    def perceive_split(self, root: Path, split: str, scenes: list[dict[str, Any]]) -> list[SceneBelief]:
        """Beliefs about the images of `scenes` in a CLEVR tree; raise `InputError` when one cannot be read."""
        images, sizes = read_images(root, split, scenes, *self.image_shape)
        return self.perceive(images, sizes)

    def answer(self, path: Path, question: str) -> VisualAnswer:
        """Answer a question about an image file, with a proof; raise `InputError` when either cannot be read."""
        (parse,) = self.parser.parse([question])
        belief = self.perceive_file(path)
        found = answer(parse.program, belief)
        try:
            return VisualAnswer(question, found, prove(parse.program, belief), belief, parse.probability)
        except NoProof as error:
            return VisualAnswer(question, found, None, belief, parse.probability, str(error))


def _presence_map(path: Path) -> list[float]:
    try:
        slope, intercept = json.loads(path.read_text(encoding="utf-8"))["presence_map"]
        return [float(slope), float(intercept)]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path}: missing or broken; the checkpoint is incomplete, train it again") from None
