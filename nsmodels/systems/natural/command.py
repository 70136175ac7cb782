"""`nsmodels natural answer`: questions about photographs with proofs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from nsmodels.core.errors import InputError
from nsmodels.formats.images.commands import Answering, Session, add_answer

if TYPE_CHECKING:
    from nsmodels.systems.natural.answering.answer import NaturalAnswer
    from nsmodels.systems.natural.answering.functions import FunctionAnswer, FunctionReasoner
    from nsmodels.systems.natural.answering.reasoner import Reasoner
    from nsmodels.systems.natural.answering.respondent import Respondent, Response
    from nsmodels.systems.natural.reasoning.proofs.counterfactual import Counterfactual

ABOUT = """Answers questions about photographs, with a proof of each answer. Its confidence is the product of the
probabilities that the question is read right, that what it is about is there, and that the answer is right. An answer
that is more likely wrong than right, or that no probable scene has, is not given; the reason is. A checkpoint that has
learnt VQA then gives the answer that the question chooses among frequent ones, with its evidence and "not proved". A
checkpoint of CLEVR's images (`nsmodels visual train`) answers questions about these, with the same flags and in the
same form. Exit status: 0 when every answer is given and proved, 1 when one is not, 2 for bad input."""


def add_verbs(verbs: Any) -> None:
    """The verb `answer`."""
    add_answer(verbs, Answering(ABOUT, "image file", "on(o3, o1)", _open))


def _open(arguments: argparse.Namespace) -> Session:
    from nsmodels.systems.natural.answering.functions import FunctionReasoner, has_functions
    from nsmodels.systems.natural.answering.loading import load
    from nsmodels.systems.natural.answering.respondent import Respondent

    loaded = load(arguments.checkpoint, arguments.device)
    if isinstance(loaded, Respondent):
        if arguments.without and loaded.reasoner is None:
            raise InputError(
                "answer: --without needs a checkpoint of --dataset gqa, gqa_vqa or all; one of vqa has no proofs"
            )
        responses = Responses(loaded, arguments.image)
        if not has_functions(arguments.checkpoint):
            return responses
        return Either(
            responses, Executions(FunctionReasoner.load(arguments.checkpoint, arguments.device), arguments.image)
        )
    if isinstance(loaded, FunctionReasoner):
        if arguments.without:
            raise InputError("answer: --without needs a checkpoint of --dataset gqa; one of clevr has no proofs here")
        return Executions(loaded, arguments.image)
    return Proofs(loaded, arguments.image)


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

    def __init__(self, reasoner: Reasoner, images: Sequence[Path]) -> None:
        super().__init__(reasoner)
        self._of, self._beliefs = reasoner, {image: reasoner.see(image) for image in images}

    def answer(self, image: Path, question: str) -> NaturalAnswer:
        """The answer to a question about one of the images; raise `InputError` for one without words."""
        (parse,) = self._of.parse([question])
        return self._of.conclude(image, question, self._beliefs[image], parse)


@final
class Responses(Explanations):
    """Answers symbolic first, about images that were seen."""

    def __init__(self, respondent: Respondent, images: Sequence[Path]) -> None:
        super().__init__(respondent.reasoner)
        self._of, self._seen = respondent, {image: respondent.see([image]) for image in images}

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

    def __init__(self, reasoner: FunctionReasoner, images: Sequence[Path]) -> None:
        super().__init__(None)
        self._of, self._beliefs = reasoner, {image: reasoner.see(image) for image in images}

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

    def answer(self, image: Path, question: str) -> Response | FunctionAnswer:
        """The answer to a question about one of the images; raise `InputError` for one without words."""
        is_of_functions = self._executions.surety(question) > self._responses.surety(question)
        return (self._executions if is_of_functions else self._responses).answer(image, question)
