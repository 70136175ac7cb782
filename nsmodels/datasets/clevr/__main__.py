"""Command line of the CLEVR dataset: `nsmodels clevr prepare | render | execute | inspect`."""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nsmodels.core.cli import Parser, add_config_flags, add_making, agree, describe_files, generate_data, run
from nsmodels.core.config import Given, add_flags, values_from_flags
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.config import PRESETS, SPLIT, ClevrConfig

SHOWN = 10
OF_RENDER = {  # the field whose bounds hold for an option
    "num_scenes": "num_train",
    "width": "image_width",
    "height": "image_height",
    "seed": "seed",
    "questions_per_image": "questions_per_image",
    "num_workers": "num_workers",
}
OF_ARCHIVE = {"archive_url", "archive_mirrors", "archive_bytes"}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> argparse.ArgumentParser:
    """The parser of this command line."""
    parser = Parser(prog="nsmodels clevr", description=__doc__)
    verbs = parser.add_subparsers(metavar="verb", required=True)
    prepare = verbs.add_parser("prepare", help="fetch, cut or render a dataset and seal it")
    add_making(prepare, "folder of the dataset")
    add_config_flags(prepare, PRESETS, "mini")
    prepare.set_defaults(verb=_prepare)
    render = verbs.add_parser("render", help="render a split of the synthetic twin, with its questions")
    render.add_argument("--num-scenes", type=int, required=True, help="images to render")
    render.add_argument("--out", type=Path, required=True, help="folder for images/ scenes/ questions/")
    render.add_argument(
        "--split", default="train", help="train, val or test, or one of these with a suffix, as valA [train]"
    )
    render.add_argument("--seed", type=int, default=0, help="random seed [0]")
    render.add_argument("--width", type=int, default=480, help="pixels across [480]")
    render.add_argument("--height", type=int, default=320, help="pixels down [320]")
    render.add_argument("--questions-per-image", type=int, default=10, help="0: images and scenes only [10]")
    render.add_argument("--num-workers", type=int, default=0, help="0: one per core [0]")
    render.add_argument("--yes", action="store_true", help="do not ask about many images")
    render.set_defaults(verb=_render)
    execute = verbs.add_parser("execute", help="answer every question from its scene and count wrong answers")
    execute.add_argument("--data", type=Path, required=True, help="folder with scenes/ questions/")
    execute.add_argument("--split", help="one split [all]")
    execute.set_defaults(verb=_execute)
    inspect = verbs.add_parser("inspect", help="properties of the archive on its host, without a download")
    add_flags(inspect, ClevrConfig, skip=tuple(ClevrConfig.model_fields.keys() - OF_ARCHIVE))
    inspect.set_defaults(verb=_inspect)
    return parser


def _prepare(arguments: argparse.Namespace) -> int:
    generate_data("clevr", PRESETS, arguments, describe_files)
    return 0


def _render(arguments: argparse.Namespace) -> int:
    from nsmodels.core.artifact import require_files
    from nsmodels.datasets.clevr.files.format import scenes_path
    from nsmodels.datasets.clevr.files.provenance import require_own
    from nsmodels.datasets.clevr.questions.generation import generate_split
    from nsmodels.datasets.clevr.rendering.render import render_split

    if not re.match(SPLIT, arguments.split):
        raise InputError(f"--split: expected a name of letters, digits, '_' and '-', got '{arguments.split}'")
    if not arguments.split.startswith(("train", "val", "test")):
        raise InputError(f"--split {arguments.split}: expected train, val or test, or one with a suffix, as valA")
    require_files({"--out": scenes_path(arguments.out, arguments.split)}, makes_folders=True)
    require_own(arguments.out, arguments.split)
    _require_renderable(arguments)
    workers = arguments.num_workers or None
    shape = (arguments.width, arguments.height)
    render_split(arguments.out, arguments.split, arguments.num_scenes, arguments.seed, *shape, workers)
    if arguments.questions_per_image:
        generate_split(arguments.out, arguments.split, arguments.questions_per_image, arguments.seed, workers)
    print(f"{arguments.out}: {arguments.num_scenes} synthetic scenes, split {arguments.split}")
    return 0


def _require_renderable(arguments: argparse.Namespace) -> None:
    """Check numbers by the bounds of the configuration, and the need of disk, memory and time."""
    from nsmodels.datasets.clevr.prepare import estimate

    values = {field: value for name, field in OF_RENDER.items() if (value := getattr(arguments, name)) is not None}
    if not arguments.questions_per_image:
        del values["questions_per_image"]
    try:
        config = ClevrConfig(source="synthetic").with_values(values, "command line")
    except InputError as error:
        message = str(error)
        for name, field in OF_RENDER.items():
            message = message.replace(f"field '{field}'", f"--{name.replace('_', '-')}")
        raise InputError(message) from None
    needed = estimate(config, arguments.num_scenes)
    if needed:
        needed = replace(needed, remedy="lower --num-scenes, --width or --height")
        needed.require(arguments.out)
        agree(needed, arguments.yes)


def _execute(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.clevr.files.format import answered_splits
    from nsmodels.datasets.clevr.questions.executor import agreement

    total, wrong = 0, []
    for split in [arguments.split] if arguments.split else answered_splits(arguments.data):
        num, disagreements = agreement(arguments.data, split)
        total, wrong = total + num, wrong + disagreements
        print(f"{split}: {num} questions, {len(disagreements)} disagreements")
    if not total:
        raise InputError(
            f"{arguments.data}: no questions with answers; expected scenes/CLEVR_<split>_scenes.json and "
            "questions/CLEVR_<split>_questions.json; give the folder that contains scenes/ and questions/"
        )
    print(f"total: {total} questions, {len(wrong)} disagreements")
    for line in wrong[:SHOWN]:
        print(f"  {line}")
    return 1 if wrong else 0


def _inspect(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.clevr.files.fetch import inspect_archive

    config = ClevrConfig().with_given(Given(values_from_flags(arguments)))
    found = inspect_archive([config.archive_url, *config.archive_mirrors], config.archive_bytes)
    print(json.dumps(found, indent=1))
    return 0 if found["reachable"] else 1


if __name__ == "__main__":
    sys.exit(run(main))
