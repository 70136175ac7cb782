"""`nsmodels natural answer`: questions about photographs, each answer with its proof."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core.artifact import require_files
from nsmodels.core.disk import write_atomic
from nsmodels.core.errors import InputError

if TYPE_CHECKING:
    from nsmodels.systems.natural.answering.answer import NaturalAnswer
    from nsmodels.systems.natural.answering.reasoner import Reasoner
    from nsmodels.systems.natural.answering.respondent import Respondent

STANDARD = "-"  # standard output
ABOUT = """Answers questions about photographs, with a proof of each answer. Its confidence is the product of the
probabilities that the question is read right, that what it is about is there, and that the answer is right. An answer
that is more likely wrong than right, or that no probable scene has, is "not proved"; the reason is given. A checkpoint
that has learnt VQA then gives the answer that the question chooses among frequent ones, with its evidence. Exit status:
0 when every answer is proved, 1 when one is not, 2 for bad input."""


def add_verbs(verbs: Any) -> None:
    """The verb `answer`."""
    answer = verbs.add_parser("answer", help="answer questions about images, with proofs", description=ABOUT)
    answer.add_argument("--checkpoint", type=Path, required=True, help="folder made by train")
    answer.add_argument("--image", type=Path, required=True, action="append", help="image file; may be repeated")
    answer.add_argument("question", nargs="+", help="questions in English, each about every image")
    answer.add_argument("--json", metavar="FILE", help="write an object per answer, one per line; -: instead of text")
    answer.add_argument(
        "--without",
        metavar="FACT",
        help='for one question about one image: what changes without a fact, as "on(o3, o1)"',
    )
    answer.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")
    answer.set_defaults(verb=_answer)


def _answer(arguments: argparse.Namespace) -> int:
    """Print the answers; 1 when one of them is not proved."""
    has_several = len(arguments.question) > 1 or len(arguments.image) > 1
    if arguments.without and has_several:
        raise InputError("answer: --without goes with one question about one image")
    written = None if arguments.json in (None, STANDARD) else Path(arguments.json)
    require_files({"--json": written}, arguments.image)
    from nsmodels.systems.natural.answering.loading import load
    from nsmodels.systems.natural.answering.respondent import Respondent

    reasoner = load(arguments.checkpoint, arguments.device)
    if isinstance(reasoner, Respondent):
        return _respond(reasoner, arguments, written, has_several)
    answers = _answers(reasoner, arguments)
    records = [given.record() | _counterfactual(given, reasoner, arguments) for given in answers]
    for given, record in zip(answers, records, strict=True):
        _print(given, record, arguments, has_several)
    if written:
        write_atomic(written, "".join(f"{json.dumps(record)}\n" for record in records))
    return 0 if all(given.is_proved for given in answers) else 1


def _respond(respondent: Respondent, arguments: argparse.Namespace, written: Path | None, has_several: bool) -> int:
    """Print answers that are proved where a program decides, else chosen; 1 when one of them is not proved."""
    if arguments.without:
        raise InputError("answer: --without needs a checkpoint of --dataset gqa; of vqa and all it has no effect")
    responses = respondent.respond(arguments.image, arguments.question)
    for response in responses:
        if arguments.json == STANDARD:
            print(json.dumps(response.record()), flush=True)
            continue
        heading = f"{response.image}: {response.question}\n" if has_several else ""
        print(f"{heading}{response.text()}", flush=True)
        if has_several:
            print(file=sys.stdout)
    if written:
        write_atomic(written, "".join(f"{json.dumps(response.record())}\n" for response in responses))
    return 0 if all(response.is_proved for response in responses) else 1


def _answers(reasoner: Reasoner, arguments: argparse.Namespace) -> list[NaturalAnswer]:
    parses = reasoner.parse(arguments.question)
    beliefs = [(image, reasoner.see(image)) for image in arguments.image]
    return [
        reasoner.conclude(image, question, belief, parse)
        for image, belief in beliefs
        for question, parse in zip(arguments.question, parses, strict=True)
    ]


def _counterfactual(given: NaturalAnswer, reasoner: Reasoner, arguments: argparse.Namespace) -> dict[str, Any]:
    if not arguments.without:
        return {}
    from nsmodels.systems.natural.reasoning.counterfactual import remove_fact

    program, belief = given.reading.program, given.belief
    change = remove_fact(program, belief, arguments.without, reasoner.lexicon, reasoner.verdicts)
    return {"counterfactual": change.to_dict() | {"text": change.text()}}


def _print(given: NaturalAnswer, record: dict[str, Any], arguments: argparse.Namespace, has_heading: bool) -> None:
    if arguments.json == STANDARD:
        print(json.dumps(record), flush=True)
        return
    heading = f"{given.image}: {given.question}\n" if has_heading else ""
    print(f"{heading}{given.text()}", flush=True)
    if "counterfactual" in record:
        print(record["counterfactual"]["text"], flush=True)
    if has_heading:
        print(file=sys.stdout)
