"""Command line of the navigation data: `nsmodels mazes generate | verify | show`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from nsmodels.core.cli import Parser, add_config_flags, config_from, run
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import PRESETS, SPLITS, MazesConfig

SHOWN = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> argparse.ArgumentParser:
    """The parser of this command line."""
    parser = Parser(prog="nsmodels mazes", description=__doc__)
    verbs = parser.add_subparsers(metavar="verb", required=True)
    generate = verbs.add_parser("generate", help="draw maps and problems, or read your own, and seal them")
    generate.add_argument("--out", type=Path, required=True, help="folder of the data")
    generate.add_argument("--force", action="store_true", help="rebuild although nothing changed")
    add_config_flags(generate, PRESETS, "quick")
    generate.set_defaults(verb=_generate)
    verify = verbs.add_parser("verify", help="solve every problem of a .scen and compare with the length it lists")
    verify.add_argument("--map", type=Path, required=True, help="MovingAI .map file")
    verify.add_argument("--scen", type=Path, required=True, help="MovingAI .scen file with problems on that map")
    verify.set_defaults(verb=_verify)
    show = verbs.add_parser("show", help="draw problems with their shortest paths as text")
    show.add_argument("--data", type=Path, required=True, help="folder of the data")
    show.add_argument("--split", choices=SPLITS, default="test", help="which split [test]")
    show.add_argument("--number", type=int, default=3, help="number of problems, from the first on [3]")
    show.set_defaults(verb=_show)
    return parser


def _generate(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.mazes.prepare import prepare

    config = config_from(arguments, PRESETS, "quick")
    assert isinstance(config, MazesConfig)
    manifest = prepare(config, arguments.out.name, arguments.out, arguments.force)
    counts = ", ".join(f"{number:,} {split}" for split, number in manifest.metrics["num_problems"].items())
    print(f"{arguments.out}: {manifest.source}, {counts}, {manifest.num_bytes / 1e6:,.1f} MB")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.mazes.files.movingai import verify

    found = verify(arguments.map, arguments.scen)
    print(f"{arguments.scen}: {found.number} problems, {found.num_agreeing} agree with the length listed")
    for line in found.disagreements[:SHOWN]:
        print(f"  {line}")
    if found.note:
        print(f"note: {found.note}")
    return 1 if found.disagreements else 0


def _show(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.mazes.look import as_text

    if arguments.number < 1:
        raise InputError(f"--number {arguments.number}: expected the number of problems to draw, 1 or more")
    print("\n\n".join(as_text(arguments.data, arguments.split, arguments.number)))
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
