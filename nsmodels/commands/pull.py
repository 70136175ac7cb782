"""A sealed artifact from others, verified: `nsmodels pull ADDRESS [FOLDER]`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nsmodels.commands.sharing import exchange
from nsmodels.core.cli import Parser
from nsmodels.core.progress import readable

ADDRESS = "a folder, http(s)://HOST/FOLDER, or hf://[datasets/]OWNER/NAME[@REVISION] of the Hugging Face hub"


def main(argv: Sequence[str]) -> int:
    """Take the copy; raises `InputError` for an address without one, and for one that differs from its seal."""
    arguments = _parser().parse_args(argv)
    manifest, folder = exchange.pull(arguments.address, arguments.folder, arguments.force)
    print(f"{folder}: {manifest.key}, {len(manifest.files):,} files, {readable(manifest.num_bytes)}, as sealed")
    licence = manifest.licence or "not recorded"
    print(f"from {manifest.source or 'no data'}, commit {manifest.commit}; licence of the data: {licence}")
    return 0


def _parser() -> Parser:
    parser = Parser(prog="nsmodels pull", description=__doc__)
    parser.add_argument("address", metavar="ADDRESS", help=ADDRESS)
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="[below the data root, by its own name]")
    parser.add_argument("--force", action="store_true", help="take it again though the same is there")
    return parser
