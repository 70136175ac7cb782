"""How much disk each artifact takes, and what can be freed: `nsmodels disk [--free WHAT ...]`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nsmodels.core import inventory, removal
from nsmodels.core.artifact import data_root
from nsmodels.core.cli import Parser, ask
from nsmodels.core.errors import InputError
from nsmodels.core.inventory import Item
from nsmodels.core.progress import readable

KINDS = {
    "unfinished": "work that a stopped run would take up again, with its partly downloaded files",
    "leftovers": "what processes that were killed while they replaced or removed an artifact have left",
    "interval-checkpoints": "checkpoints of every so many epochs; best and last stay",
    "cache": "decoded images, which are made again when they are needed",
}
KINDS_OF = {"unfinished": "unfinished", "leftovers": "leftover", "cache": "cache"}
NOT_OFFERED = {
    "training-state": "optimizer and generator states lie in the same sealed files as the weights; taken out of a "
    "finished model they would leave checkpoints that cannot be continued and evaluations of another seal; remove the "
    "whole artifact, or train with fewer interval checkpoints",
    "ledger": "stays, for it holds what is left of evaluations that were replaced or removed; to take one out of the "
    "leaderboard for good, remove its folder ledger/<id> under the data root by hand",
}
HEAD = f"{'size':>10}  {'files':>6}  {'best/last/other':>15}  {'what':<10}  {'made':<16}  name"


@dataclass(frozen=True)
class Removal:
    """Something that goes: how it is called, its files, and what takes it away."""

    item: Item
    said: str
    files: list[Path]
    carry_out: Callable[[], None]


def main(argv: Sequence[str]) -> int:
    """Show the table, or free what is named after asking."""
    arguments = _parser().parse_args(argv)
    root = data_root()
    if arguments.free is None:
        print(table(root))
        return 0
    return free(root, arguments.free, arguments.yes)


def _parser() -> Parser:
    parser = Parser(prog="nsmodels disk", description=__doc__)
    kinds = "; ".join(f"{name}: {text}" for name, text in KINDS.items())
    parser.add_argument("--free", nargs="+", metavar="WHAT", help=f"names as the table shows them, or {kinds}")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser


# --- the table -------------------------------------------------------------------------------------------------------


def table(root: Path) -> str:
    """Every artifact, unfinished work and leftover by size, the total and what is free on that disk."""
    found = [*inventory.items(root), *_ledger(root)]
    sizes = {item.path: inventory.bytes_of(item.files()) for item in found}
    ordered = sorted(found, key=lambda item: sizes[item.path], reverse=True)
    lines = [f"{root}", "", HEAD, *(_line(item, sizes[item.path], found) for item in ordered), ""]
    lines += [f"{name} is a link to {place}: not counted" for name, place in inventory.links(root).items()]
    return "\n".join([*lines, _total(root, sum(sizes.values()))])


def _ledger(root: Path) -> list[Item]:
    """The ledger as a row of the table, where there is one; nothing that can be freed."""
    from nsmodels.evaluation.ledger import LEDGER

    place = root / LEDGER
    return [Item(LEDGER, "ledger", place, place)] if place.is_dir() and not place.is_symlink() else []


def _line(item: Item, size: int, others: Iterable[Item]) -> str:
    files = item.files()
    known = [sum(path.name == name for path in files) for name in ("best.pt", "last.pt")]
    counts = [*known, len(item.interval_checkpoints())]
    shown = "/".join(map(str, counts)) if any(counts) else "-"
    row = f"{readable(size):>10}  {len(files):>6}  {shown:>15}  {item.kind:<10}  {_made(item, files):<16}  {item.name}"
    return row + "".join(f"; {word}" for word in _words(item, files, others))


def _made(item: Item, files: Iterable[Path]) -> str:
    if item.manifest:
        return datetime.fromisoformat(item.manifest.created).astimezone().strftime("%Y-%m-%d %H:%M")
    touched = max((path.lstat().st_mtime for path in files), default=0)
    return datetime.fromtimestamp(touched).strftime("%Y-%m-%d %H:%M") if touched else "-"


def _words(item: Item, files: Iterable[Path], others: Iterable[Item]) -> list[str]:
    parts = [path for path in files if path.name.endswith((".partial", ".part"))]
    words = [f"{readable(inventory.bytes_of(parts))} of it partly downloaded or written"] if parts else []
    words += ["being made now"] if item.is_being_built else []
    words += ["stays when the evaluations in it go"] if item.kind == "ledger" else []
    users = inventory.made_from(item, others)
    return words + ([f"{', '.join(users)} made from it"] if users else [])


def _total(root: Path, counted: int) -> str:
    if not root.is_dir():
        return f"there is no such folder yet; {readable(0)}"
    others = inventory.bytes_of(inventory.files_in(root)) - counted
    more = f" and {readable(others)} of files that are no artifacts" if others else ""
    return f"total {readable(counted)}{more}; {readable(shutil.disk_usage(root).free)} free on this disk"


# --- freeing ---------------------------------------------------------------------------------------------------------


def free(root: Path, words: Iterable[str], is_agreed: bool) -> int:
    """Remove what `words` name, after showing it and asking; raise `InputError` where nobody can be asked."""
    removals = plan(root, list(words))
    if not removals:
        print("nothing to free")
        return 0
    total = inventory.bytes_freed(path for removal in removals for path in removal.files)
    for going in removals:
        print(f"{readable(inventory.bytes_freed(going.files)):>10}  {going.said}")
    if not is_agreed and not ask(f"Remove these {len(removals)} and free {readable(total)}?"):
        print("nothing was removed")
        return 1
    return _carry_out(root, removals)


def _carry_out(root: Path, removals: Iterable[Removal]) -> int:
    status = 0
    for going in removals:
        try:
            going.carry_out()
        except InputError as error:  # it has begun to be made since it was listed; the others may still go
            print(f"error: {error}", file=sys.stderr)
            status = 2
        except OSError as error:
            print(f"error: {going.item.name}: cannot be removed ({error.strerror or error})", file=sys.stderr)
            status = 2
    print(f"done; {readable(shutil.disk_usage(root).free)} free on this disk")
    return status


def plan(root: Path, words: Sequence[str]) -> list[Removal]:
    """What goes for these names and kinds, each thing once; raise `InputError` for a name that there is not."""
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
        raise InputError(f"{word}: no artifact of that name under {root}; there are: {known}")
    return chosen


def _is_free(item: Item) -> bool:
    if item.is_being_built:
        print(f"{item.name}: left alone, another process is making it", file=sys.stderr)
    return not item.is_being_built


def _whole(item: Item, others: Iterable[Item]) -> Removal:
    if item.kind == "cache":
        return Removal(item, "cache of decoded images", item.files(), lambda: removal.empty_cache(item.path))
    users = inventory.made_from(item, others)
    more = f"; {', '.join(users)} made from it, which stay" if users else ""
    return Removal(item, f"{item.name} ({item.kind}){more}", item.files(), lambda: removal.remove(item))


def _intervals(item: Item, others: Iterable[Item]) -> Removal:
    files, users = item.interval_checkpoints(), inventory.made_from(item, others)
    more = f"; sealed anew, so {', '.join(users)} will be made again when next materialised" if users else ""
    said = f"{len(files)} interval checkpoints of {item.name}{more}"
    return Removal(item, said, files, lambda: removal.remove_interval_checkpoints(item))
