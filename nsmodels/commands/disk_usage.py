"""Disk space of each artifact, and removal of artifacts: `nsmodels disk [--free WHAT ...]`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nsmodels.core.artifact import data_root
from nsmodels.core.cli import Parser, ask
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable
from nsmodels.core.sealed import inventory, removal
from nsmodels.core.sealed.inventory import Item

KINDS = {
    "unfinished": "work that a stopped run would resume, with its partial downloads",
    "leftovers": "folders of processes that were killed while they replaced or removed an artifact",
    "interval-checkpoints": "checkpoints saved every n epochs; best and last stay",
    "cache": "decoded images and remembered checksums, which are computed again when needed",
}
KINDS_OF = {"unfinished": "unfinished", "leftovers": "leftover", "cache": "cache"}
NOT_OFFERED = {
    "training-state": "optimizer and generator states are in the same sealed files as the weights; removing them from "
    "a finished model would leave checkpoints that cannot be resumed and evaluations of a different manifest; remove "
    "the whole artifact, or train with fewer interval checkpoints",
    "ledger": "stays, since it contains the results of evaluations that were replaced or removed; to remove one from "
    "the leaderboard for good, delete its folder ledger/<id> under the data root by hand",
}
HEAD = f"{'size':>10}  {'files':>6}  {'best/last/other':>15}  {'what':<10}  {'made':<16}  name"


@dataclass(frozen=True)
class Removal:
    """One planned removal: its item, a description in one line, its files, and the function that carries it out."""

    item: Item
    description: str
    files: list[Path]
    carry_out: Callable[[], None]


def main(argv: Sequence[str]) -> int:
    """Print the table, or remove the artifacts named after `--free`, after a confirmation; returns the exit status."""
    arguments = _parser().parse_args(argv)
    root = data_root()
    if arguments.yes and arguments.free is None:
        raise InputError("disk: --yes goes with --free; the table removes nothing")
    if arguments.free is None:
        print(table(root))
        return 0
    return free(root, arguments.free, arguments.yes)


def _parser() -> Parser:
    parser = Parser(prog="nsmodels disk", description=__doc__)
    kinds = "; ".join(f"{name}: {text}" for name, text in KINDS.items())
    parser.add_argument("--free", nargs="+", metavar="WHAT", help=f"names as in the table, or {kinds}")
    parser.add_argument("--yes", action="store_true", help="remove without a confirmation")
    return parser


# --- the table -------------------------------------------------------------------------------------------------------


def table(root: Path) -> str:
    """Table of all artifacts, unfinished work and leftovers by size, with the total and the free disk space."""
    found = [*inventory.items(root), *_ledger(root)]
    sizes = {item.path: inventory.bytes_of(item.files()) for item in found}
    ordered = sorted(found, key=lambda item: sizes[item.path], reverse=True)
    rows = [HEAD, *(_line(item, sizes[item.path], found) for item in ordered)] if ordered else ["holds no artifact"]
    lines = [f"{root}", "", *rows, ""]
    lines += [f"{name} is a link to {place}: not counted" for name, place in inventory.links(root).items()]
    return "\n".join([*lines, _total(root, sum(sizes.values()))])


def _ledger(root: Path) -> list[Item]:
    """The ledger as a row of the table, if it exists; it cannot be freed."""
    from nsmodels.evaluation.ledger import LEDGER

    place = root / LEDGER
    return [Item(LEDGER, "ledger", place, place)] if place.is_dir() and not place.is_symlink() else []


def _line(item: Item, size: int, others: Iterable[Item]) -> str:
    files = item.files()
    known = [sum(path.name == name for path in files) for name in ("best.pt", "last.pt")]
    counts = [*known, len(item.interval_checkpoints())]
    shown = "/".join(map(str, counts)) if any(counts) else "-"
    row = f"{readable(size):>10}  {len(files):>6}  {shown:>15}  {item.kind:<10}  {_made(item, files):<16}  {item.name}"
    return row + "".join(f"; {remark}" for remark in _remarks(item, files, others))


def _made(item: Item, files: Iterable[Path]) -> str:
    if item.manifest:
        return datetime.fromisoformat(item.manifest.created).astimezone().strftime("%Y-%m-%d %H:%M")
    touched = max((path.lstat().st_mtime for path in files), default=0)
    return datetime.fromtimestamp(touched).strftime("%Y-%m-%d %H:%M") if touched else "-"


def _remarks(item: Item, files: Iterable[Path], others: Iterable[Item]) -> list[str]:
    parts = [path for path in files if path.name.endswith((".partial", ".part"))]
    remarks = [f"{readable(inventory.bytes_of(parts))} of it partially downloaded or written"] if parts else []
    remarks += ["being built now"] if item.is_being_built else []
    remarks += ["of a different configuration, kept until the artifact is sealed"] if item.is_set_aside else []
    remarks += ["stays when its evaluations are removed"] if item.kind == "ledger" else []
    users = inventory.dependents(item, others)
    return remarks + ([f"input of {', '.join(users)}"] if users else [])


def _total(root: Path, counted: int) -> str:
    if not root.is_dir():
        return f"the folder does not exist yet; {readable(0)}"
    others = inventory.bytes_of(inventory.files_in(root)) - counted
    more = f" and {readable(others)} of files that are no artifacts" if others else ""
    return f"total {readable(counted)}{more}; {readable(shutil.disk_usage(root).free)} free on this disk"


# --- freeing ---------------------------------------------------------------------------------------------------------


def free(root: Path, words: Iterable[str], is_agreed: bool) -> int:
    """Remove the artifacts and kinds `words`, after a list and a confirmation; returns the exit status.

    Raises `InputError` for an unknown name, and where a confirmation is needed but there is no terminal.
    """
    removals = plan(root, list(words))
    if not removals:
        print("nothing to free")
        return 0
    total = inventory.bytes_freed(path for removal in removals for path in removal.files)
    for planned in removals:
        print(f"{readable(inventory.bytes_freed(planned.files)):>10}  {planned.description}")
    if not is_agreed and not ask(f"Remove these {len(removals)} and free {readable(total)}?"):
        print("nothing was removed")
        return 1
    return _carry_out(root, removals)


def _carry_out(root: Path, removals: Iterable[Removal]) -> int:
    status = 0
    for planned in removals:
        try:
            planned.carry_out()
        except InputError as error:  # its build has started since it was listed; the others can still be removed
            print(f"error: {error}", file=sys.stderr)
            status = 2
        except OSError as error:
            print(f"error: {planned.item.name}: cannot be removed ({error.strerror or error})", file=sys.stderr)
            status = 2
    print(f"done; {readable(shutil.disk_usage(root).free)} free on this disk")
    return status


def plan(root: Path, words: Sequence[str]) -> list[Removal]:
    """Removals for these names and kinds, each item once; raises `InputError` for an unknown name."""
    found, whole = inventory.items(root), {}
    for word in words:
        for item in _named(root, word, found):
            whole[item.path] = item
    removals = [_whole(item, found) for item in whole.values() if _is_free(item)]
    if "interval-checkpoints" in words:
        rest = [item for item in found if item.path not in whole and item.interval_checkpoints() and _is_free(item)]
        removals += [_intervals(item, found) for item in rest]
    return removals


def _named(root: Path, word: str, found: list[Item]) -> list[Item]:
    if (first := word.partition("/")[0]) in NOT_OFFERED:
        raise InputError(f"{word}: {NOT_OFFERED[first]}")
    if word in KINDS:
        return [item for item in found if item.kind == KINDS_OF.get(word)]
    if word in inventory.links(root):
        raise InputError(f"{root / word}: is a link, which is not followed; free it at {(root / word).resolve()}")
    name = word.rstrip("/")
    chosen = [item for item in found if item.kind != "cache" and f"{item.name}/".startswith(f"{name}/")]
    if not chosen or not name:
        known = ", ".join([*KINDS, *dict.fromkeys(item.name for item in found)])
        raise InputError(f"{word}: no artifact of that name under {root}; known are: {known}")
    return chosen


def _is_free(item: Item) -> bool:
    if item.is_being_built:
        print(f"{item.name}: skipped, another process is building it", file=sys.stderr)
    return not item.is_being_built


def _whole(item: Item, others: Iterable[Item]) -> Removal:
    if item.kind == "cache":
        return Removal(
            item,
            "cache of decoded images and remembered checksums",
            item.files(),
            lambda: removal.empty_cache(item.path),
        )
    users = inventory.dependents(item, others)
    more = f"; input of {', '.join(users)}, which stay" if users else ""
    return Removal(item, f"{item.name} ({item.kind}){more}", item.files(), lambda: removal.remove(item))


def _intervals(item: Item, others: Iterable[Item]) -> Removal:
    files, users = item.interval_checkpoints(), inventory.dependents(item, others)
    more = f"; sealed again, so {', '.join(users)} will be rebuilt when next materialised" if users else ""
    description = f"{len(files)} interval checkpoints of {item.name}{more}"
    return Removal(item, description, files, lambda: removal.remove_interval_checkpoints(item))
