"""Command line of VQA v2: `nsmodels vqa score`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from nsmodels.core.cli import Parser, run
from nsmodels.core.errors import InputError


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> argparse.ArgumentParser:
    """The parser of this command line."""
    parser = Parser(prog="nsmodels vqa", description=__doc__)
    verbs = parser.add_subparsers(metavar="verb", required=True)
    score = verbs.add_parser("score", help="official accuracy of predictions")
    score.add_argument("--predictions", type=Path, required=True, help='JSON: [{"question_id": 1, "answer": "yes"}, …]')
    score.add_argument("--data", type=Path, help="folder of VQA v2")
    score.add_argument("--split", default="val", help="split of --data [val]")
    score.add_argument("--annotations", type=Path, help="in place of --data: the file of annotations")
    score.add_argument("--questions", type=Path, help="beside --annotations: the file of questions, to compare images")
    score.add_argument("--json", action="store_true", help="print JSON")
    score.add_argument("--items", type=Path, help="JSON file to write: accuracy in per cent by question id")
    score.set_defaults(verb=_score)
    return parser


def _score(arguments: argparse.Namespace) -> int:
    from nsmodels.core.disk import require_files, write_json
    from nsmodels.datasets.vqa.scoring.predictions import score_files

    annotations, questions = _annotated(arguments)
    require_files({"--items": arguments.items}, [arguments.predictions, annotations, questions])
    scores = score_files(arguments.predictions, annotations, questions)
    if not scores.by_answer_type or not scores.by_question_type:
        print(f"{annotations}: has no types of questions or answers, so they are left out", file=sys.stderr)
    if arguments.items:
        write_json(arguments.items, {str(key): round(100 * value, 2) for key, value in scores.by_question.items()})
    print(json.dumps(scores.as_dict(), indent=1) if arguments.json else "\n".join(scores.lines()))
    return 0


def _annotated(arguments: argparse.Namespace) -> tuple[Path, Path | None]:
    """Files of annotations and of questions, from a folder or by themselves."""
    from nsmodels.datasets.vqa.files.names import annotations_name, questions_name, require_split

    if bool(arguments.data) == bool(arguments.annotations):
        raise InputError("expected --data FOLDER, or --annotations FILE with --questions FILE; give one of the two")
    if arguments.annotations:
        return arguments.annotations, arguments.questions
    if arguments.questions:
        raise InputError("--questions belongs to --annotations; with --data the questions are those of the folder")
    require_split(arguments.data, arguments.split)
    return arguments.data / annotations_name(arguments.split), arguments.data / questions_name(arguments.split)


if __name__ == "__main__":
    sys.exit(run(main))
