"""Command line of the CLEVR dataset: `nsmodels clevr prepare | render | execute | inspect`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nsmodels.core.cli import Parser, add_config_flags, config_from, run
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.config import PRESETS, ClevrConfig

SHOWN = 10


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
    prepare.add_argument("--out", type=Path, required=True, help="folder of the dataset")
    prepare.add_argument("--force", action="store_true", help="rebuild although nothing changed")
    add_config_flags(prepare, PRESETS, "mini")
    prepare.set_defaults(verb=_prepare)
    render = verbs.add_parser("render", help="render a split of the synthetic twin, with its questions")
    render.add_argument("--num-scenes", type=int, required=True, help="images to render")
    render.add_argument("--out", type=Path, required=True, help="folder for images/ scenes/ questions/")
    render.add_argument("--split", default="train", help="name of the split; each has its own scenes [train]")
    render.add_argument("--seed", type=int, default=0, help="random seed [0]")
    render.add_argument("--width", type=int, default=480, help="pixels across [480]")
    render.add_argument("--height", type=int, default=320, help="pixels down [320]")
    render.add_argument("--questions-per-image", type=int, default=10, help="0: images and scenes only [10]")
    render.add_argument("--num-workers", type=int, default=0, help="0: one per core [0]")
    render.set_defaults(verb=_render)
    execute = verbs.add_parser("execute", help="answer every question from its scene and count wrong answers")
    execute.add_argument("--data", type=Path, required=True, help="folder with scenes/ questions/")
    execute.add_argument("--split", help="one split [all]")
    execute.set_defaults(verb=_execute)
    inspect = verbs.add_parser("inspect", help="properties of the archive on its host, without a download")
    add_config_flags(inspect, PRESETS, "full")
    inspect.set_defaults(verb=_inspect)
    return parser


def _prepare(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.clevr.prepare import prepare

    config = config_from(arguments, PRESETS, "mini")
    assert isinstance(config, ClevrConfig)
    manifest = prepare(config, arguments.out.name, arguments.out, arguments.force)
    print(f"{arguments.out}: {manifest.source}, {len(manifest.files):,} files, {manifest.num_bytes / 1e6:,.0f} MB")
    return 0


def _render(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.clevr.questions.generation import generate_split
    from nsmodels.datasets.clevr.rendering.render import render_split

    _require_own(arguments.out, arguments.split)
    workers = arguments.num_workers or None
    shape = (arguments.width, arguments.height)
    render_split(arguments.out, arguments.split, arguments.num_scenes, arguments.seed, *shape, workers)
    if arguments.questions_per_image:
        generate_split(arguments.out, arguments.split, arguments.questions_per_image, arguments.seed, workers)
    print(f"{arguments.out}: {arguments.num_scenes} synthetic scenes, split {arguments.split}")
    return 0


def _require_own(out: Path, split: str) -> None:
    """Raise InputError where rendering would write into an artifact, or over a split that was not rendered here."""
    from nsmodels.core.artifact import require_files
    from nsmodels.datasets.clevr.files.format import questions_path, scenes_path
    from nsmodels.datasets.clevr.files.records import opened, read_records

    scenes, questions = scenes_path(out, split), questions_path(out, split)
    require_files({"--out": scenes}, makes_folders=True)
    for path, key in ((scenes, "scenes"), (questions, "questions")):
        if path.exists():
            others: dict[str, Any] = {}
            with opened(path) as file:
                deque(read_records(file, key, str(path), others), maxlen=0)
                info = others.get("info")
                if not isinstance(info, dict) or not str(info.get("license", "")).startswith("synthetic"):
                    raise InputError(
                        f"{path}: is no file of the synthetic twin and would be lost; give a different --out"
                    )
    images = out / "images" / split
    if not scenes.exists() and images.is_dir() and (others := _others(images, split)):
        raise InputError(f"{others[0]}: is no image of the synthetic twin; give a different --out, or move it away")


def _others(images: Path, split: str) -> list[Path]:
    """Images that an earlier, stopped call has not written."""
    from PIL import Image

    found = []
    for path in sorted(images.glob(f"CLEVR_{split}_*.png"))[:SHOWN]:
        try:
            with Image.open(path) as image:
                is_ours = str(image.info.get("Source", "")).startswith("nsmodels")
        except OSError:
            is_ours = False
        found += [] if is_ours else [path]
    return found


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

    config = config_from(arguments, PRESETS, "full")
    assert isinstance(config, ClevrConfig)
    print(json.dumps(inspect_archive([config.archive_url, *config.archive_mirrors], config.archive_bytes), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
