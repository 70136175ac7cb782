"""Command line of link prediction: `nsmodels links train | evaluate | predict`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nsmodels.core import cli
from nsmodels.core.cli import Parser
from nsmodels.core.errors import InputError
from nsmodels.engine.commands import verbs
from nsmodels.systems.links import SYSTEM


def parser() -> Parser:
    """The parser of this command line."""
    return verbs.parser(SYSTEM, _add_predict)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb."""
    return cli.main(parser, argv)


def _add_predict(added: Any) -> None:
    predict = added.add_parser("predict", help="the entities that complete a triple, the likeliest first")
    predict.add_argument("--checkpoint", type=Path, required=True, help="folder made by train")
    predict.add_argument("--relation", required=True, help="relation of the triple")
    predict.add_argument("--head", help="head of the triple, whose tail is predicted")
    predict.add_argument("--tail", help="instead: its tail, whose head is predicted")
    predict.add_argument("--number", type=int, default=10, help="number of entities [10]")
    predict.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")
    predict.set_defaults(verb=_predict)


def _predict(arguments: argparse.Namespace) -> int:
    if arguments.number < 1:
        raise InputError(f"--number {arguments.number}: expected the number of entities, 1 or more")
    predictor = SYSTEM.load(arguments.checkpoint, arguments.device)
    found = predictor.predict(arguments.relation, arguments.head, arguments.tail)
    for entity, probability, is_known in found[: arguments.number]:
        print(f"{probability:7.1%}  {entity}{'  (in the training data)' if is_known else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(main))
