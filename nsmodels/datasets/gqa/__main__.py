"""Command line of the GQA dataset: `nsmodels gqa prepare | render | execute | score | inspect`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from nsmodels.core.cli import (
    Parser,
    add_config_flags,
    add_making,
    agree,
    describe_files,
    generate_data,
    run,
    run_checks,
)
from nsmodels.core.config import Given, add_flags, values_from_flags
from nsmodels.core.disk import write_atomic
from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.config import PRESETS, GqaConfig
from nsmodels.scenery.config import SPLITS

SHOWN = 10
FORMS = {".png": "PNG", ".jpg": "JPEG"}
CHECKS = ("schema", "images", "disjoint", "answers", "balance", "prior")
OF_ARCHIVE = {"graphs_url", "questions_url", "eval_url", "images_url"}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> argparse.ArgumentParser:
    """The parser of this command line."""
    parser = Parser(prog="nsmodels gqa", description=__doc__)
    verbs = parser.add_subparsers(metavar="verb", required=True)
    prepare = verbs.add_parser("prepare", help="fetch, cut or compose a dataset and seal it")
    add_making(prepare, "folder of the dataset")
    add_config_flags(prepare, PRESETS, "mini")
    prepare.set_defaults(verb=_prepare)
    render = verbs.add_parser("render", help="compose scenes of one split of the twin, with their questions")
    render.add_argument("--num-scenes", type=int, required=True, help="scenes to compose")
    render.add_argument("--out", type=Path, required=True, help="folder for images/ sceneGraphs/ questions/ eval/")
    render.add_argument("--split", choices=SPLITS, default="val", help="split whose scenes they are [val]")
    render.add_argument("--seed", type=int, default=0, help="random seed [0]")
    render.add_argument("--width", type=int, default=224, help="pixels across [224]")
    render.add_argument("--height", type=int, default=168, help="pixels down [168]")
    render.add_argument("--num-workers", type=int, default=0, help="0: one per core [0]")
    render.add_argument("--yes", action="store_true", help="do not ask about many scenes")
    render.set_defaults(verb=_render)
    execute = verbs.add_parser("execute", help="answer every question from its scene graph and count wrong answers")
    execute.add_argument("--data", type=Path, required=True, help="folder with sceneGraphs/ questions/")
    execute.add_argument("--split", help="one split [all with graphs]")
    execute.add_argument("--all", action="store_true", help="the unbalanced questions instead of the balanced ones")
    execute.add_argument("--json", action="store_true", help="print JSON")
    execute.set_defaults(verb=_execute)
    score = verbs.add_parser("score", help="the official metrics of predictions, [{questionId, prediction}]")
    score.add_argument("--predictions", type=Path, required=True, help="file of predictions in the official form")
    score.add_argument("--data", type=Path, required=True, help="folder with questions/ and eval/")
    score.add_argument("--split", default="val", help="split of the predictions [val]")
    score.add_argument("--attentions", type=Path, help="file of attention maps, [{questionId, attention}]: grounding")
    score.add_argument("--json", action="store_true", help="print JSON")
    score.set_defaults(verb=_score)
    inspect = verbs.add_parser("inspect", help="properties of the archives on their host, or of a folder")
    inspect.add_argument("--data", type=Path, help="folder of GQA: checks, counts and examples; else the archives")
    inspect.add_argument("--split", default="val", help="split of the examples [val]")
    inspect.add_argument("--num", type=int, default=5, help="number of examples [5]")
    text = "with --data: also the first training images side by side, in a file (.png .jpg)"
    inspect.add_argument("--draw", type=Path, metavar="FILE", help=text)
    add_flags(inspect, GqaConfig, skip=tuple(GqaConfig.model_fields.keys() - OF_ARCHIVE))
    inspect.set_defaults(verb=_inspect)
    return parser


def _prepare(arguments: argparse.Namespace) -> int:
    generate_data("gqa", PRESETS, arguments, describe_files)
    return 0


def _render(arguments: argparse.Namespace) -> int:
    from nsmodels.core.artifact import require_files
    from nsmodels.datasets.gqa.files.places import graphs_path
    from nsmodels.datasets.gqa.prepare import compose, estimate

    target = graphs_path(arguments.out, arguments.split)
    require_files({"--out": target}, makes_folders=True)
    if target.exists():
        raise InputError(f"{target}: exists, and would be replaced; give a different folder")
    values = {"seed": arguments.seed, "num_workers": arguments.num_workers, "num_train": arguments.num_scenes}
    values |= {"scenery.width": arguments.width, "scenery.height": arguments.height, "num_val": 1}
    try:
        config = GqaConfig(source="synthetic").with_values(values, "command line")
    except InputError as error:
        raise InputError(str(error).replace("field 'num_train'", "--num-scenes")) from None
    if needed := estimate(config):
        needed.require(arguments.out)
        agree(needed, arguments.yes)
    counts = compose(arguments.out, config, {arguments.split: arguments.num_scenes})
    asked = counts[f"questions/{arguments.split}/balanced"]
    print(f"{arguments.out}: {arguments.num_scenes:,} synthetic scenes, split {arguments.split}, {asked:,} questions")
    return 0


def _execute(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.gqa.files.places import graph_splits, has_questions, splits
    from nsmodels.datasets.gqa.scoring.agreement import agreement
    from nsmodels.datasets.gqa.vocabulary.building import read_vocabulary

    root, part = arguments.data, "all" if arguments.all else "balanced"
    names = [arguments.split] if arguments.split else [s for s in graph_splits(root) if has_questions(root, s, part)]
    if not names:
        known = splits(root)  # refuses what is no folder of GQA, one of VQA with scene graphs too
        raise InputError(f"{root}: no split has scene graphs and {part} questions (questions: {', '.join(known)})")
    if unknown := [name for name in names if not has_questions(root, name, part)]:
        raise InputError(f"{root}: no {part} questions of split '{unknown[0]}' (there are: {', '.join(splits(root))})")
    vocabulary = read_vocabulary(root)
    found = {name: agreement(root, name, vocabulary, part) for name in names}
    if arguments.json:
        print(json.dumps({name: each.as_dict() for name, each in found.items()}, indent=1))
    else:
        for name, each in found.items():
            print("\n".join(each.lines(name, SHOWN)))
    return 0 if all(not each.wrong for each in found.values()) else 1


def _score(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.gqa.scoring.evaluation import report, score_file

    scores = score_file(arguments.predictions, arguments.data, arguments.split, arguments.attentions)
    print(json.dumps(scores.as_dict(), indent=1) if arguments.json else report(scores))
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    if arguments.draw and (not arguments.data or arguments.draw.suffix not in FORMS):
        raise InputError(f"--draw {arguments.draw}: expected a file named .png or .jpg, and --data FOLDER")
    if arguments.data:
        return _inspect_folder(arguments)
    from nsmodels.datasets.gqa.files.archives import describe

    found = describe(GqaConfig().with_given(Given(values_from_flags(arguments))).wanted.urls)
    print(json.dumps(found, indent=1))
    return 0 if found["reachable"] else 1


def _inspect_folder(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.gqa import checks
    from nsmodels.datasets.gqa.look import contact_sheet, distributions, examples

    if arguments.draw:
        write_atomic(arguments.draw, contact_sheet(arguments.data, form=FORMS[arguments.draw.suffix]))
    if run_checks({name: getattr(checks, name) for name in CHECKS}, arguments.data)[0]:
        return 1
    print(json.dumps(distributions(arguments.data), indent=1))
    print("\n".join(examples(arguments.data, arguments.split, arguments.num)))
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
