"""Answers by programs of functions, as CLEVR's: counts and comparisons, executed over what is seen, without a proof."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.formats.images.cache import read_image, read_images, read_size
from nsmodels.formats.images.commands import KEYS
from nsmodels.systems.natural.answering.answer import NOT_PROVED
from nsmodels.systems.natural.answering.solids import FunctionExecutor
from nsmodels.systems.natural.beliefs import Belief, restricted
from nsmodels.systems.natural.language.asking import nodes_of
from nsmodels.systems.natural.language.parser import Parse, Parser, network_from_checkpoint
from nsmodels.systems.natural.perception.calibration import load_calibrated
from nsmodels.systems.natural.perception.decoding import perceive
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.reasoning.execution import Answer

PHASE = "clevr_parser"
BATCH = 32  # images
NO_ANSWER = Answer({}, "", 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class FunctionAnswer:
    """An answer to a question about an image, with the program that was executed.

    Attributes:
        image: its file; None: a belief was given.
        question: as asked.
        parse: the program that was read.
        answer: of its execution.
    """

    image: Path | None
    question: str
    parse: Parse
    answer: Answer

    is_proved = is_given = False  # programs of functions are executed; of them there are no proofs here
    proof = None

    @property
    def refusal(self) -> str:
        """Why the answer is not proved."""
        return f"{NOT_PROVED}: counts and comparisons are executed only"

    @property
    def parts(self) -> dict[str, float]:
        """Factors of the confidence: each is a probability given that those before it hold."""
        return {
            "reading": self.parse.probability,
            "well posed": self.answer.posed,
            "answer": self.answer.confidence,
        }

    @property
    def reading(self) -> str:
        """The program in a line."""
        steps = (f"{node['function']}[{''.join(node['value_inputs'])}]" for node in nodes_of(self.parse.program))
        return " ".join(step.replace("[]", "") for step in steps)

    @property
    def confidence(self) -> float:
        """Probability that the question is read right, well posed and answered right."""
        return math.prod(self.parts.values())

    def text(self) -> str:
        """Answer, confidence and program."""
        head = f"answer: {self.answer.best or 'none'} ({self.refusal})"
        doubts = [f"  doubt: {doubt}" for doubt in self.parse.doubts]
        return "\n".join([head, f"  confidence {self.confidence:.3f}", f"  read as: {self.reading}", *doubts])

    def record(self) -> dict[str, Any]:
        """The same as JSON."""
        return dict.fromkeys(KEYS) | {
            "image": None if self.image is None else str(self.image),
            "question": self.question,
            "answer": self.answer.best or None,
            "is_proved": self.is_proved,
            "refusal": self.refusal,
            "confidence": self.confidence,
            "parts": self.parts,
            "confidence_reading": self.parse.probability,
            "posed": self.answer.posed,
            "confidence_answer": self.answer.confidence,
            "best": self.answer.best,
            "distribution": dict(self.answer.distribution),
            "reading": self.reading,
            "doubts": list(self.parse.doubts),
            "program": nodes_of(self.parse.program),
        }


@final
class FunctionReasoner:
    """Perception and the parser of functions of a checkpoint.

    Args:
        perception: calibrated; of one of several datasets only the words of the parser are read.
        parser: of programs of functions.
    """

    def __init__(self, perception: Perception, parser: Parser) -> None:
        self.perception, self.parser, self.words = perception.eval(), parser, parser.grammar.words

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> FunctionReasoner:
        """The model of a checkpoint folder; raise `InputError` when it is not sealed, changed or of another system."""
        artifact.require_intact(folder)
        target, path = resolve_device(device), folder / PHASE / checkpoint.BEST
        network = network_from_checkpoint(checkpoint.load(path), str(path))
        return cls(load_calibrated(folder, target), Parser(network.to(target)))

    @property
    def num_parameters(self) -> dict[str, int]:
        """Number of parameters by network."""
        parts = {"perception": self.perception, PHASE: self.parser.network}
        return {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}

    def see(self, image: Path) -> Belief:
        """The belief about an image file; raise `InputError` when it cannot be read."""
        config = self.perception.config
        pixels = read_image(image, config.image_width, config.image_height)[None]
        return restricted(perceive(self.perception, pixels, [read_size(image)], 1)[0][0], self.words)

    def see_all(self, images: Sequence[Path], num_workers: int = 4) -> list[Belief]:
        """Beliefs about image files; raise `InputError` when one cannot be read."""
        config = self.perception.config
        pixels, sizes = read_images(images, config.image_width, config.image_height, num_workers)
        whole = [(int(width), int(height)) for width, height in sizes.tolist()]
        return [restricted(each, self.words) for each in perceive(self.perception, pixels, whole, BATCH)[0]]

    def parse(self, questions: Sequence[str]) -> list[Parse]:
        """The program of each question; raise `InputError` for one without words."""
        return self.parser.parse(questions)

    def answer(self, image: Path | Belief, question: str) -> FunctionAnswer:
        """Answer a question about an image, a file or a belief; raise `InputError` when either cannot be read."""
        belief = self.see(image) if isinstance(image, Path) else image
        (parse,) = self.parse([question])
        return self.conclude(image if isinstance(image, Path) else None, question, belief, parse)

    def conclude(self, image: Path | None, question: str, belief: Belief, parse: Parse) -> FunctionAnswer:
        """The answer to a question about a belief that was read as `parse`."""
        return FunctionAnswer(image, question, parse, execute(FunctionExecutor(belief), parse))


def has_functions(folder: Path) -> bool:
    """Whether a checkpoint has learnt programs of functions."""
    return (folder / PHASE / checkpoint.BEST).is_file()


def execute(executor: FunctionExecutor, parse: Parse) -> Answer:
    """The answer to what was read; none where it cannot be executed."""
    try:
        return executor.answer(parse.program)
    except InputError:
        return NO_ANSWER
