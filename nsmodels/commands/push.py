"""A copy of a sealed artifact for others: `nsmodels push NAME ADDRESS`, with a card that describes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nsmodels.commands.sharing import exchange
from nsmodels.core.artifact import data_root, read_manifest
from nsmodels.core.cli import Parser
from nsmodels.core.progress import readable
from nsmodels.core.sealed import renamed

ADDRESS = "a folder, or hf://OWNER/NAME, hf://datasets/OWNER/NAME of the Hugging Face hub (made private)"


def main(argv: Sequence[str]) -> int:
    """Put the copy; raises `InputError` for an artifact that is not as it was sealed, and for a bad address."""
    arguments = _parser().parse_args(argv)
    folder = place_of(arguments.name)
    names = exchange.push(folder, arguments.address)
    size = readable(read_manifest(folder).num_bytes)
    print(f"{arguments.address}: {len(names):,} files, {size}, README.md among them")
    print(f"take it with: nsmodels pull {arguments.address}")
    return 0


def place_of(name: str) -> Path:
    """The folder of an asset below the data root, or the folder that `name` is a path of."""
    place = renamed.place_of(name, data_root())
    return place if place.exists() or not Path(name).exists() else Path(name)


def _parser() -> Parser:
    parser = Parser(prog="nsmodels push", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="an asset, nav_replicates/3 too, or the folder of an artifact")
    parser.add_argument("address", metavar="ADDRESS", help=ADDRESS)
    return parser
