"""`nsmodels performance`: baselines and a model side by side, from sealed studies and evaluations of the same data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nsmodels.core import artifact
from nsmodels.core.cli import Parser
from nsmodels.core.errors import InputError
from nsmodels.evaluation.comparison.joining import make_comparison, performance_comparison
from nsmodels.evaluation.sealing import TABLE


def main(argv: Sequence[str] | None = None) -> int:
    """Seal the table, and the figure where it is asked for; print the table."""
    arguments = parser().parse_args(argv)
    studies, evaluations = _named(arguments.baselines), _named(arguments.evaluation)
    if twice := studies.keys() & evaluations.keys():
        raise InputError(f"performance: two folders are named {min(twice)}; give folders of different names")
    make_comparison(arguments.out, studies, evaluations, arguments.out.name, arguments.force)
    print((arguments.out / TABLE).read_text(encoding="utf-8"), end="")
    if arguments.figure:
        made = performance_comparison(arguments.out, arguments.figure, arguments.out.name)
        print(f"{arguments.figure}: {', '.join(sorted(made.files))}")
    return 0


def parser() -> Parser:
    """The parser of this command."""
    made = Parser(prog="nsmodels performance", description=__doc__)
    about = "studies of baselines (nsmodels natural study baselines), one for each dataset"
    made.add_argument("--baselines", type=Path, nargs="+", required=True, metavar="FOLDER", help=about)
    about = "sealed evaluations of the model on the same data; of several seeds one each"
    made.add_argument("--evaluation", type=Path, nargs="+", default=[], metavar="FOLDER", help=about)
    made.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder of the table")
    about = "folder of the figure performance_comparison, as PDF and PNG; needs three seeds of each network"
    made.add_argument("--figure", type=Path, metavar="FOLDER", help=about)
    made.add_argument("--force", action="store_true", help="build it again though nothing changed")
    return made


def _named(folders: Sequence[Path]) -> dict[str, Path]:
    """Folders by their key, or where that is shared by their name. Raises `InputError` for two of one name."""
    found = {artifact.read_manifest(folder).key: folder for folder in folders}
    if len(found) < len(folders):
        found = {str(folder.resolve()): folder for folder in folders}
    if len(found) < len(folders):
        raise InputError("performance: a folder is given twice")
    return found
