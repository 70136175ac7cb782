"""Command line of VQA v2: `nsmodels vqa prepare | inspect | score`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from nsmodels.core.cli import Parser, add_config_flags, add_making, describe_files, generate_data, run, run_checks
from nsmodels.core.config import Given, add_flags, values_from_flags
from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.config import PRESETS, VqaConfig
from nsmodels.datasets.vqa.scoring.accuracy import Mean, Scores

OF_ARCHIVES = {"coco_url", "vqa_url", "verify_release"}
CHECKS = ("schema", "images", "disjoint", "pairs", "truths", "balance")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> argparse.ArgumentParser:
    """The parser of this command line."""
    parser = Parser(prog="nsmodels vqa", description=__doc__)
    verbs = parser.add_subparsers(metavar="verb", required=True)
    prepare = verbs.add_parser("prepare", help="fetch, cut or draw a dataset and seal it")
    add_making(prepare, "folder of the dataset")
    add_config_flags(prepare, PRESETS, "mini")
    prepare.set_defaults(verb=_prepare)
    inspect = verbs.add_parser("inspect", help="properties of the archives on their hosts, or of a folder")
    inspect.add_argument("--data", type=Path, help="folder of VQA v2: counts, examples and checks; else the archives")
    inspect.add_argument("--split", default="val", help="split of the examples [val]")
    inspect.add_argument("--num", type=int, default=5, help="number of examples [5]")
    add_flags(inspect, VqaConfig, skip=tuple(VqaConfig.model_fields.keys() - OF_ARCHIVES))
    inspect.set_defaults(verb=_inspect)
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


def _prepare(arguments: argparse.Namespace) -> int:
    manifest = generate_data("vqa", PRESETS, arguments, describe_files)
    for name, value in manifest.metrics.items():
        if name.startswith(("num_", "ceiling_", "answers_")):
            print(f"  {name.replace('_', ' ')}: {value:,}")
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    if arguments.data:
        return _inspect_folder(arguments)
    from nsmodels.datasets.vqa.files.fetch import inspect_archives
    from nsmodels.datasets.vqa.files.release import Release

    config = VqaConfig().with_given(Given(values_from_flags(arguments)))
    found = inspect_archives(Release.of(config))
    print(json.dumps(found, indent=1))
    return 0 if found["reachable"] else 1


def _inspect_folder(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.vqa import checks
    from nsmodels.datasets.vqa.files.names import require_split
    from nsmodels.datasets.vqa.look import distributions, examples

    require_split(arguments.data, arguments.split)
    if run_checks({name: getattr(checks, name) for name in CHECKS}, arguments.data)[0]:
        return 1
    print(json.dumps(distributions(arguments.data), indent=1))
    print("\n".join(examples(arguments.data, arguments.split, arguments.num)))
    return 0


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
    both = _score_pairs(arguments, scores)
    if arguments.json:
        print(json.dumps(scores.as_dict() | ({"pairs": both.percent} if both else {}), indent=1))
        return 0
    print("\n".join(scores.lines()))
    if both:
        print(f"{both.percent:6.2f}  {both.num:>9,}  complementary pairs: the lower accuracy of both questions")
    return 0


def _score_pairs(arguments: argparse.Namespace, scores: Scores) -> Mean | None:
    """The figure of the pairs of a folder, None where it has none."""
    from nsmodels.datasets.vqa.files.names import pairs_name
    from nsmodels.datasets.vqa.files.pairs import read_pairs

    path = arguments.data / pairs_name(arguments.split) if arguments.data else None
    pairs = read_pairs(path, scores.by_question) if path and path.is_file() else []
    return scores.pairs(pairs) if pairs else None


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
