"""Command line of the knowledge bases: `nsmodels knowledge_bases generate | show | verify`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from nsmodels.core import cli, discover
from nsmodels.core.cli import Parser, add_config_flags, add_making, config_from
from nsmodels.core.errors import InputError
from nsmodels.datasets.knowledge_bases.config import PRESETS, KnowledgeBasesConfig


def parser() -> Parser:
    """The parser of this command line."""
    made = Parser(prog="nsmodels knowledge_bases", description=__doc__)
    verbs = made.add_subparsers(metavar="verb", required=True)
    generate = verbs.add_parser("generate", help="fetch, read or draw the bases, and seal them")
    add_making(generate, "folder of the data")
    add_config_flags(generate, PRESETS, "quick")
    generate.set_defaults(verb=_generate)
    show = verbs.add_parser("show", help="print triples")
    show.add_argument("--data", type=Path, required=True, help="folder of the data")
    show.add_argument("--base", required=True, help="name of the base")
    show.add_argument("--split", default="test", help="which split [test]")
    show.add_argument("--number", type=int, default=10, help="number of triples, from the first on [10]")
    show.set_defaults(verb=_show)
    verify = verbs.add_parser("verify", help="run every check")
    verify.add_argument("--data", type=Path, required=True, help="folder of the data")
    verify.set_defaults(verb=_verify)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb; returns the exit status."""
    return cli.main(parser, argv)


def _generate(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.knowledge_bases.prepare import prepare

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    config = config_from(arguments, PRESETS, "quick")
    assert isinstance(config, KnowledgeBasesConfig)
    manifest = prepare(config, arguments.out.name, arguments.out, arguments.force)
    print(f"{arguments.out}: {manifest.source}")
    for base, numbers in manifest.metrics["num_triples"].items():
        counts = ", ".join(f"{number:,} {split}" for split, number in numbers.items())
        entities, relations = (manifest.metrics[name][base] for name in ("num_entities", "num_relations"))
        print(f"  {base}: {entities} entities, {relations} relations, triples: {counts}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from nsmodels.datasets.knowledge_bases.look import as_text

    if arguments.number < 1:
        raise InputError(f"--number {arguments.number}: expected the number of triples, 1 or more")
    print("\n".join(as_text(arguments.data, arguments.base, arguments.split, arguments.number)))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    faults, _ = cli.run_checks(discover.checks("knowledge_bases"), arguments.data)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(cli.run(partial(main)))
