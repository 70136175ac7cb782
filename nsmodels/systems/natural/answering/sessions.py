"""Answers to several questions about images that are seen once, by what a checkpoint has learnt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, final

from nsmodels.systems.natural.answering.functions import FunctionAnswer, FunctionReasoner
from nsmodels.systems.natural.answering.reasoner import Reasoner
from nsmodels.systems.natural.answering.respondent import Respondent, Response

if TYPE_CHECKING:
    from nsmodels.systems.natural.answering.answer import NaturalAnswer
    from nsmodels.systems.natural.reasoning.proofs.counterfactual import Counterfactual


def session_of(
    loaded: Reasoner | Respondent | FunctionReasoner, images: Sequence[Path] = ()
) -> Proofs | Responses | Executions:
    """The session of a loaded model; `images` are seen at once."""
    if isinstance(loaded, Respondent):
        return Responses(loaded, images)
    return Executions(loaded, images) if isinstance(loaded, FunctionReasoner) else Proofs(loaded, images)


class Explanations:
    """What is done with the proof of an answer; `reasoner` is None where nothing reads programs."""

    def __init__(self, reasoner: Reasoner | None) -> None:
        self._reasoner = reasoner

    @property
    def reasoner(self) -> Reasoner | None:
        """What reads and executes programs."""
        return self._reasoner

    def remove(self, given: NaturalAnswer | Response, fact: str) -> Counterfactual:
        """The answer without a fact; raise `InputError` for one that is not believed."""
        from nsmodels.systems.natural.reasoning.proofs.counterfactual import remove_fact

        assert self._reasoner is not None
        proved = given.symbolic_answer
        calibrate, verdicts = self._reasoner.posing.probability, self._reasoner.verdicts
        return remove_fact(proved.reading.program, proved.belief, fact, self._reasoner.lexicon, calibrate, verdicts)

    def draw(self, given: NaturalAnswer | Response, path: Path) -> None:
        """The proof over its image."""
        from nsmodels.formats.images.cache import read_pixels
        from nsmodels.systems.natural.reasoning.proofs.drawing import draw_proof

        proved = given.symbolic_answer
        assert proved.image is not None
        draw_proof(read_pixels(proved.image), proved.needed_proof, path, proved.question)

    def draw_tree(self, given: NaturalAnswer | Response, path: Path) -> None:
        """The proof as a tree."""
        from nsmodels.systems.natural.reasoning.proofs.drawing import draw_tree

        draw_tree(given.symbolic_answer.needed_proof, path)


@final
class Proofs(Explanations):
    """Answers of programs alone, about images that were seen."""

    def __init__(self, reasoner: Reasoner, images: Sequence[Path] = ()) -> None:
        super().__init__(reasoner)
        self._of, self._beliefs = reasoner, {image: reasoner.see(image) for image in images}

    def see(self, image: Path) -> None:
        """See an image, before questions about it; raise `InputError` when it cannot be read."""
        self._beliefs[image] = self._of.see(image)

    def answer(self, image: Path, question: str) -> NaturalAnswer:
        """The answer to a question about one of the images; raise `InputError` for one without words."""
        (parse,) = self._of.parse([question])
        return self._of.conclude(image, question, self._beliefs[image], parse)


@final
class Responses(Explanations):
    """Answers symbolic first, about images that were seen."""

    def __init__(self, respondent: Respondent, images: Sequence[Path] = ()) -> None:
        super().__init__(respondent.reasoner)
        self._of, self._seen = respondent, {image: respondent.see([image]) for image in images}

    def see(self, image: Path) -> None:
        """See an image, before questions about it; raise `InputError` when it cannot be read."""
        self._seen[image] = self._of.see([image])

    def answer(self, image: Path, question: str) -> Response:
        """The answer to a question about one of the images."""
        (response,) = self._of.answer(self._seen[image], [(0, question)], [image])
        return response

    def surety(self, question: str) -> float:
        """How sure the reading of a question is; 0 where nothing reads programs."""
        (parse,) = self._of.parse([question])
        return parse.probability if parse else 0.0


@final
class Executions(Explanations):
    """Answers of programs of functions, which have no proofs, about images that were seen."""

    def __init__(self, reasoner: FunctionReasoner, images: Sequence[Path] = ()) -> None:
        super().__init__(None)
        self._of, self._beliefs = reasoner, {image: reasoner.see(image) for image in images}

    def see(self, image: Path) -> None:
        """See an image, before questions about it; raise `InputError` when it cannot be read."""
        self._beliefs[image] = self._of.see(image)

    def answer(self, image: Path, question: str) -> FunctionAnswer:
        """The answer to a question about one of the images; raise `InputError` for one without words."""
        (parse,) = self._of.parse([question])
        return self._of.conclude(image, question, self._beliefs[image], parse)

    def surety(self, question: str) -> float:
        """How sure the reading of a question is."""
        return self._of.parse([question])[0].probability


@final
class Either(Explanations):
    """Answers of a checkpoint of several datasets: by the parser that is surer of the question."""

    def __init__(self, responses: Responses, executions: Executions) -> None:
        super().__init__(responses.reasoner)
        self._responses, self._executions = responses, executions

    def see(self, image: Path) -> None:
        """See an image, before questions about it; raise `InputError` when it cannot be read."""
        for session in (self._responses, self._executions):
            session.see(image)

    def answer(self, image: Path, question: str) -> Response | FunctionAnswer:
        """The answer to a question about one of the images; raise `InputError` for one without words."""
        is_of_functions = self._executions.surety(question) > self._responses.surety(question)
        return (self._executions if is_of_functions else self._responses).answer(image, question)
