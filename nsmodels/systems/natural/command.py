"""`nsmodels natural answer`: questions about photographs with proofs."""

from __future__ import annotations

import argparse
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.formats.images.commands import Answering, Session, add_answer

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
    from nsmodels.systems.natural.answering.sessions import Either, Executions, Responses, session_of

    loaded = load(arguments.checkpoint, arguments.device)
    if isinstance(loaded, Respondent):
        if arguments.without and loaded.reasoner is None:
            raise InputError(
                "answer: --without needs a checkpoint of --dataset gqa, gqa_vqa or all; one of vqa has no proofs"
            )
        responses = Responses(loaded, arguments.image)
        if not has_functions(arguments.checkpoint):
            return responses
        functions = FunctionReasoner.load(arguments.checkpoint, arguments.device)
        return Either(responses, Executions(functions, arguments.image))
    if isinstance(loaded, FunctionReasoner) and arguments.without:
        raise InputError("answer: --without needs a checkpoint of --dataset gqa; one of clevr has no proofs here")
    return session_of(loaded, arguments.image)
