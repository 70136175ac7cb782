"""Command line of the navigation data: `nsmodels mazes generate | verify | show`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from nsmodels.core.artifact import Manifest
from nsmodels.core.cli import Parser, add_config_flags, add_making, generate_data, run
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import PRESETS, SPLITS

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
    add_making(generate, "folder of the data")
    add_config_flags(generate, PRESETS, "quick")
    generate.set_defaults(verb=_generate)
    verify = verbs.add_parser(
        "verify", help="solve every problem of a .scen or .npz and compare with the length it lists"
    )
    verify.add_argument("--map", type=Path, help="MovingAI .map file")
    verify.add_argument("--scen", type=Path, help="MovingAI .scen file with problems on that map")
    verify.add_argument("--npz", type=Path, help="instead: planning set of Neural A*, whose every distance is compared")
    for name, words in (("diagonal_cost", ["sqrt2", "unit"]), ("corner_rule", ["strict", "cut"])):
        text = f"with --scen: as the field of generate [{words[0]}, as on the benchmark]"
        verify.add_argument(f"--{name.replace('_', '-')}", choices=words, help=text)
    verify.set_defaults(verb=_verify)
    show = verbs.add_parser("show", help="draw problems with their shortest paths as text")
    show.add_argument("--data", type=Path, required=True, help="folder of the data")
    show.add_argument("--split", choices=SPLITS, default="test", help="which split [test]")
    show.add_argument("--number", type=int, default=3, help="number of problems, from the first on [3]")
    show.set_defaults(verb=_show)
    return parser


def _generate(arguments: argparse.Namespace) -> int:
    generate_data("mazes", PRESETS, arguments, _counts)
    return 0


def _counts(manifest: Manifest) -> str:
    return "".join(f"{number:,} {split}, " for split, number in manifest.metrics["num_problems"].items())


def _verify(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.mazes.actions import DiagonalRule
    from nsmodels.datasets.mazes.files.scenarios import verify

    rule = {"cost": arguments.diagonal_cost, "corners": arguments.corner_rule}
    given = {name: value for name, value in rule.items() if value}
    if arguments.npz and not (arguments.map or arguments.scen or given):
        return _verify_set(arguments.npz)
    if arguments.npz or not (arguments.map and arguments.scen):
        raise InputError("verify: give either both --map FILE.map and --scen FILE.scen, or --npz FILE.npz alone")
    found = verify(arguments.map, arguments.scen, DiagonalRule(**given))
    print(f"{arguments.scen}: {found.number} problems, {found.num_agreeing} agree with the length listed")
    if found.skipped:
        print(f"{len(found.skipped)} problems cannot be posed on this map")
    for line in [*found.skipped[:SHOWN], *found.disagreements[:SHOWN]]:
        print(f"  {line}")
    if found.note:
        print(f"note: {found.note}")
    return 1 if found.disagreements or found.skipped else 0


def _verify_set(path: Path) -> int:
    from nsmodels.datasets.mazes.files import neural_astar

    is_right = True
    for part in neural_astar.read(path):
        wrong = part.wrong().sum()
        is_right &= not wrong and not part.faults
        print(f"{path}: {part.split}: {len(part.free)} maps, {len(part.free) - wrong} agree in every cell")
        for line in part.faults[:SHOWN]:
            print(f"  {line}")
    return 0 if is_right else 1


def _show(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.mazes.look import as_text, files_not_used, problems_left_out

    if arguments.number < 1:
        raise InputError(f"--number {arguments.number}: expected the number of problems to draw, 1 or more")
    print("\n\n".join(as_text(arguments.data, arguments.split, arguments.number)))
    for line in problems_left_out(arguments.data) + files_not_used(arguments.data):
        print(f"note: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
