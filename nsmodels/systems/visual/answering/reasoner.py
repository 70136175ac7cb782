"""From images and questions to answers, whatever runs the networks. Torch-free."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.formats.images.cache import read_image, read_size
from nsmodels.systems.visual.answering.answer import Sight, VisualAnswer
from nsmodels.systems.visual.answering.calibration import Calibration
from nsmodels.systems.visual.language.confidence import Parse
from nsmodels.systems.visual.perception.images import read_images
from nsmodels.systems.visual.perception.readout import Readout
from nsmodels.systems.visual.reasoning.belief import SceneBelief
from nsmodels.systems.visual.reasoning.execution import answer
from nsmodels.systems.visual.reasoning.presupposition import probabilities, weakest
from nsmodels.systems.visual.reasoning.proof import NoProof, prove

PERCEIVE_BATCH = 32


class Reasoner(ABC):
    """Perception and parser with their calibration: beliefs about images, programs of questions, answers from both."""

    calibration: Calibration

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int]:
        """Width and height of the network's input in pixels."""

    @abstractmethod
    def read_out(self, images: np.ndarray) -> Readout:
        """What perception reads from images, uint8 (b, h, w, 3) at `image_shape`."""

    @abstractmethod
    def parse(self, questions: list[str]) -> list[Parse]:
        """The program of each question; raise `InputError` for one without words."""

    def perceive(self, images: np.ndarray, sizes: np.ndarray) -> list[SceneBelief]:
        """Beliefs about images, uint8 (b, h, w, 3) at `image_shape`; `sizes` (b, 2): width, height of their files."""
        return [
            belief
            for first in range(0, len(images), PERCEIVE_BATCH)
            for belief in self.read_out(images[first : first + PERCEIVE_BATCH]).beliefs(
                sizes[first : first + PERCEIVE_BATCH], self.calibration.presence_map
            )
        ]

    def perceive_file(self, path: Path) -> SceneBelief:
        """The belief about one image file; raise `InputError` when it cannot be read."""
        return self.see(path).belief

    def perceive_split(self, root: Path, split: str, scenes: list[dict[str, Any]]) -> list[SceneBelief]:
        """Beliefs about the images of `scenes` in a CLEVR tree; raise `InputError` when one cannot be read."""
        images, sizes = read_images(root, split, scenes, *self.image_shape)
        return self.perceive(images, sizes)

    def see(self, path: Path) -> Sight:
        """An image file as it is seen; raise `InputError` when it cannot be read."""
        size = np.array([read_size(path)])
        read = self.read_out(read_image(path, *self.image_shape)[None])
        (belief,) = read.beliefs(size, self.calibration.presence_map)
        familiar = self.calibration.familiarity
        if familiar is None:
            return Sight(path, belief)
        distance = float(familiar.distance(read.features)[0])
        return Sight(path, belief, distance, familiar.usual, distance <= familiar.limit)

    def answer(self, image: Path | Sight, question: str) -> VisualAnswer:
        """Answer a question about an image, file or seen before; raise `InputError` when either cannot be read."""
        (parse,) = self.parse([question])
        return conclude(question, image if isinstance(image, Sight) else self.see(image), parse, self.calibration)


def conclude(question: str, sight: Sight, parse: Parse, calibration: Calibration) -> VisualAnswer:
    """The answer to a question that was read as `parse`, with a proof where it is given."""
    found = answer(parse.program, sight.belief)
    taken = probabilities(parse.program, sight.belief, found.uniques)
    posed = calibration.posed(math.prod(taken), len(taken))
    given = VisualAnswer(question, sight, parse, found, posed, weakest(parse.program, sight.belief, taken))
    if given.refusal:
        return replace(given, no_proof_reason=f"no answer: {given.refusal}")
    try:
        return replace(given, proof=prove(parse.program, sight.belief))
    except NoProof as error:
        return replace(given, no_proof_reason=str(error))
