"""The complete reasoner: images to beliefs, questions to programs, both to answers with proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import final

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.formats.images.cache import read_image, read_images, read_size
from nsmodels.formats.scenes.perceived import PerceivedScene
from nsmodels.systems.natural.answering.answer import NaturalAnswer, Reading
from nsmodels.systems.natural.answering.posing import Posing
from nsmodels.systems.natural.answering.premises import Premises
from nsmodels.systems.natural.beliefs import Belief, restricted
from nsmodels.systems.natural.language.parser import Parse, Parser, network_from_checkpoint
from nsmodels.systems.natural.perception.calibration import load_calibrated
from nsmodels.systems.natural.perception.decoding import perceive
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.weighted_facts import weighted_facts
from nsmodels.systems.natural.reasoning.execution import SoftExecutor, refers_to_objects
from nsmodels.systems.natural.reasoning.lexicon import Lexicon
from nsmodels.systems.natural.reasoning.proof import NoProof, prove
from nsmodels.systems.natural.reasoning.verdicts import Verdicts

PERCEIVE_BATCH = 32
PLAIN = Premises()  # beliefs as they are


@final
class Reasoner:
    """Perception and parser of a checkpoint.

    Args:
        perception: calibrated.
        parser: of the vocabulary of one dataset; of a perception of several only its words are read.
        posing: calibrates whether questions are well posed.
        verdicts: calibrate truths that are asked about.
        premises: how beliefs are taken.
    """

    def __init__(
        self,
        perception: Perception,
        parser: Parser,
        posing: Posing | None = None,
        verdicts: Verdicts | None = None,
        premises: Premises = PLAIN,
    ) -> None:
        self.perception, self.parser = perception.eval(), parser
        self.posing, self.verdicts = posing or Posing(), verdicts or Verdicts()
        self.words = parser.grammar.words
        self.lexicon = Lexicon(self.words)
        self.premises = premises.reader(self.words)

    @classmethod
    def load(cls, folder: Path, device: str = "auto", premises: Premises = PLAIN) -> Reasoner:
        """The model of a checkpoint folder; raise `InputError` when it is not sealed, changed or of another system."""
        artifact.require_intact(folder)
        return cls.read(folder, device, premises)

    @classmethod
    def read(cls, folder: Path, device: str = "auto", premises: Premises = PLAIN) -> Reasoner:
        """The model in a folder that need not be sealed yet; raise `InputError` when a file is missing or broken."""
        target = resolve_device(device)
        path = folder / "parser" / checkpoint.BEST
        network = network_from_checkpoint(checkpoint.load(path), str(path))
        calibrated = load_calibrated(folder, target)
        return cls(calibrated, Parser(network.to(target)), Posing.read(folder), Verdicts.read(folder), premises)

    @property
    def num_parameters(self) -> dict[str, int]:
        """Number of parameters by network."""
        parts = {"perception": self.perception, "parser": self.parser.network}
        return {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}

    def see(self, image: Path) -> Belief:
        """The belief about an image file; raise `InputError` when it cannot be read."""
        config = self.perception.config
        pixels = read_image(image, config.image_width, config.image_height)[None]
        return self.taken(perceive(self.perception, pixels, [read_size(image)], 1)[0][0])

    def see_all(self, images: Sequence[Path], num_workers: int = 4) -> list[Belief]:
        """Beliefs about image files; raise `InputError` when one cannot be read."""
        config = self.perception.config
        pixels, sizes = read_images(images, config.image_width, config.image_height, num_workers)
        whole = [(int(width), int(height)) for width, height in sizes.tolist()]
        return [self.taken(belief) for belief in perceive(self.perception, pixels, whole, PERCEIVE_BATCH)[0]]

    def taken(self, belief: Belief) -> Belief:
        """A belief of perception in the words of the parser, as the premises take it."""
        return self.premises(restricted(belief, self.words))

    def perceived(self, images: Sequence[Path]) -> list[PerceivedScene]:
        """What is seen in image files as weighted facts; raise `InputError` when one cannot be read."""
        return [weighted_facts(belief) for belief in self.see_all(images)]

    def parse(self, questions: Sequence[str]) -> list[Parse]:
        """The program of each question; raise `InputError` for one without words."""
        return self.parser.parse(questions)

    def answer(self, image: Path | Belief, question: str) -> NaturalAnswer:
        """Answer a question about an image, a file or a belief; raise `InputError` when either cannot be read."""
        belief = self.see(image) if isinstance(image, Path) else image
        (parse,) = self.parse([question])
        return self.conclude(image if isinstance(image, Path) else None, question, belief, parse)

    def conclude(self, image: Path | None, question: str, belief: Belief, parse: Parse) -> NaturalAnswer:
        """The answer to a question about a belief that was read as `parse`, with a proof where there is one."""
        return conclude(image, question, belief, parse, self.lexicon, self.posing, self.verdicts)


def conclude(
    image: Path | None,
    question: str,
    belief: Belief,
    parse: Parse,
    lexicon: Lexicon,
    posing: Posing | None = None,
    verdicts: Verdicts | None = None,
) -> NaturalAnswer:
    """The answer to a question that was read as `parse`, with a proof where there is one."""
    found = SoftExecutor(belief, lexicon, verdicts).answer(parse.program)
    if posing and refers_to_objects(parse.program):
        found = replace(found, posed=posing.probability(found.posed))
    reading = Reading(parse.program, parse.probability, parse.doubts)
    try:
        proof = prove(parse.program, belief, lexicon, found)
    except NoProof as error:
        return NaturalAnswer(image, question, belief, reading, found, None, str(error))
    except InputError as error:
        return NaturalAnswer(image, question, belief, reading, found, None, f"no proof: {error}")
    return NaturalAnswer(image, question, belief, reading, found, proof)
