"""The paper in one folder, from what is sealed: figures, tables, supplement and cards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nsmodels.core import artifact
from nsmodels.core.cli import Parser
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable_count
from nsmodels.paper.assembly import assemble


def main(argv: Sequence[str] | None = None) -> int:
    """Write the paper and print its files, and what is missing with the command that makes it."""
    arguments = parser().parse_args(argv)
    root = (arguments.data or artifact.data_root()).resolve()
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; give the data root, which holds the assets")
    made = assemble(root, arguments.out.resolve(), arguments.strict)
    for name in made.files:
        print(arguments.out / name)
    for line in made.missing:
        print(f"missing: {line}")
    parts = readable_count(len(made.missing), "part")
    print(f"{arguments.out}: {readable_count(len(made.files), 'file')}, {parts} missing")
    return 0


def parser() -> Parser:
    """The parser of this command."""
    made = Parser(prog="nsmodels paper", description=(__doc__ or "").splitlines()[0])
    about = "folder of the paper, new or that of an earlier paper, which is replaced"
    made.add_argument("--out", type=Path, required=True, metavar="FOLDER", help=about)
    made.add_argument("--strict", action="store_true", help="fail where a part is missing, and write no paper")
    made.add_argument("--data", type=Path, metavar="ROOT", help="data root [$NSMODELS_DATA, else data]")
    return made
