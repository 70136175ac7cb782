"""Unfinished work: the partial folder of a build, and work of other configurations that is kept until the next seal."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nsmodels.core.config import differences
from nsmodels.core.disk import write_atomic
from nsmodels.core.errors import InputError
from nsmodels.core.orders import PARENT
from nsmodels.core.progress import readable_seconds
from nsmodels.core.sealed.contents import erase, files_in, shown
from nsmodels.core.sealed.folders import beside, is_sealed, mend
from nsmodels.core.sealed.manifest import MANIFEST, NOTE, InputRecord, manifest_of

log = logging.getLogger(__name__)
WORD = "unfinished-"
# Each may be as large as the checkpoints of a model: a search by hand over settings must not fill the disk.
MOST = 3
HISTORY = "history.json"  # the epochs of a training


@dataclass(frozen=True)
class Note:
    """What a partial folder is to become, and what it has cost.

    Attributes:
        mark: fingerprint, and the parent whose weights the work has started from, see `mark_of`.
        maker: package that builds it.
        recipe: configuration, code version and seed.
        is_resumable: whether its files are of use to a later build.
        since: start of the present sitting, in seconds since 1970; 0 between sittings.
        wall_seconds: of earlier sittings, likewise `cpu_seconds`.
    """

    mark: str
    maker: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    is_resumable: bool = True
    since: float = 0.0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def write(self, partial: Path) -> None:
        """Write the note: fingerprint and maker on lines of their own, then everything as JSON."""
        text = json.dumps(asdict(self), default=str)
        write_atomic(partial / NOTE, f"{self.mark}\n{self.maker}\n{text}\n")


def mark_of(fingerprint: str, inputs: Mapping[str, InputRecord]) -> str:
    """What unfinished work is: its fingerprint, and the very parent whose weights it has started from."""
    parents = [record.manifest_sha256[:16] for record in inputs.values() if record.role == PARENT]
    return "-".join([fingerprint, *parents])


def note_of(partial: Path) -> Note | None:
    """The note of a partial folder, sealed or not; None where it is not one of this project."""
    if is_sealed(partial) and (manifest := manifest_of(partial)):
        recipe = {"config": manifest.config, "code_version": manifest.code_version, "seed": manifest.seed}
        mark = mark_of(manifest.fingerprint, manifest.inputs)
        spent = {"wall_seconds": manifest.wall_seconds, "cpu_seconds": manifest.cpu_seconds}
        return Note(mark, manifest.maker, recipe, not manifest.copy_of, **spent)
    try:
        mark, maker, text = ((partial / NOTE).read_text(encoding="utf-8") + "\n\n").split("\n", 2)
    except (OSError, UnicodeDecodeError):
        return None
    with contextlib.suppress(ValueError, TypeError):
        return Note(**json.loads(text))
    return Note(mark, maker)  # written by an earlier version, or cut off


def prepare(folder: Path, note: Note) -> Path:
    """Folder to build in: with the work of this mark that was not finished or not swapped in, else empty.

    Work of a different mark is kept beside it, and logged. Raises `InputError` for a partial folder that is not one of
    this project.
    """
    partial = beside(folder, "partial")
    found = note_of(partial)
    if found is None and (files := files_in(partial)):
        raise InputError(f"{partial}: holds files of no build of this project ({shown(files, partial)}); move it away")
    # What a killed copy has left is of the same mark as a training, but whole networks of which nothing is known.
    is_ours = note.is_resumable and found is not None and found.is_resumable and found.mark == note.mark
    if is_ours and found:
        _resume(partial, note, found)  # before the seal is broken, so that the work keeps its mark
        (partial / MANIFEST).unlink(missing_ok=True)
    mend(folder)
    if partial.exists() and not is_ours:
        _set_aside(folder, partial, found, note)
    if note.is_resumable and not partial.exists():
        _take_back(folder, partial, note)
    partial.mkdir(exist_ok=True)
    if not (partial / NOTE).exists():
        note.write(partial)
    return partial


def pause(partial: Path, wall_seconds: float, cpu_seconds: float) -> None:
    """Add the seconds of a sitting that ends without a seal to the note."""
    if found := note_of(partial):
        spent = found.wall_seconds + wall_seconds, found.cpu_seconds + cpu_seconds
        with contextlib.suppress(OSError):  # a full disk, which has ended the sitting
            replace(found, since=0.0, wall_seconds=spent[0], cpu_seconds=spent[1]).write(partial)


def is_worth_keeping(partial: Path, is_resumable: bool) -> bool:
    """Whether a partial folder holds work that a later build resumes, or a finished artifact."""
    if not partial.exists() or is_sealed(partial):
        return True
    return is_resumable and any(entry.name != NOTE for entry in partial.iterdir())


def kept(folder: Path) -> list[Path]:
    """Folders with unfinished work of other configurations of an artifact, the oldest first."""
    front = f"{beside(folder, WORD).name}"
    try:
        found = [path for path in folder.parent.iterdir() if path.name.startswith(front) and (path / NOTE).exists()]
    except OSError:
        return []
    return sorted(found, key=lambda path: (path / NOTE).stat().st_mtime)


def remove(folder: Path, maker: str) -> None:
    """Remove the unfinished work of other configurations, since the artifact is sealed; that of other makers stays."""
    for place in kept(folder):
        note = note_of(place)
        if note and note.maker in ("", maker):
            log.info("%s: unfinished work of a different configuration is removed", place)
            with contextlib.suppress(OSError):  # it is listed by `nsmodels disk`
                erase(place)


def _resume(partial: Path, note: Note, found: Note) -> None:
    replace(note, wall_seconds=_wall(partial, found), cpu_seconds=found.cpu_seconds).write(partial)


def _set_aside(folder: Path, partial: Path, found: Note | None, note: Note) -> None:
    is_useless = found is None or not found.is_resumable or found.mark == note.mark
    if found is None or is_useless or not any(path.name != NOTE for path in files_in(partial)):
        erase(partial)
        return
    place = beside(folder, f"{WORD}{found.mark}")
    erase(place)
    partial.rename(place)
    log.warning(
        "%s: unfinished work of a different configuration (%s) is kept in %s until this one is sealed; "
        "until then, the configuration of before resumes it",
        folder, "; ".join(_about(place, found, note)), place,
    )  # fmt: skip
    for oldest in kept(folder)[:-MOST]:
        log.warning("%s: unfinished work, the oldest of more than %d, is removed", oldest, MOST)
        erase(oldest)


def _take_back(folder: Path, partial: Path, note: Note) -> None:
    place = beside(folder, f"{WORD}{note.mark}")
    if found := note_of(place):
        place.rename(partial)
        _resume(partial, note, found)
        log.warning(
            "%s: resumes the unfinished work of this configuration (%s)", folder, "; ".join(cost(partial, found))
        )


def _about(place: Path, found: Note, note: Note) -> Iterator[str]:
    """What differs, and what the work has cost."""
    changed = differences(found.recipe, note.recipe) if found.recipe else []
    if found.maker not in ("", note.maker):
        changed = [f"maker {found.maker} -> {note.maker}"]
    yield ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "") or "its inputs differ"
    yield from cost(place, found)


def cost(place: Path, found: Note | None = None) -> Iterator[str]:
    """What unfinished work has cost: epochs, time, and when it was last written; `found` is its note, if known."""
    found = found or note_of(place) or Note("")
    if num_epochs := sum(map(_num_epochs, place.rglob(HISTORY))):
        yield f"{num_epochs} epoch{'s' * (num_epochs != 1)}"
    if seconds := _wall(place, found):
        yield f"{readable_seconds(seconds)} of work"
    yield f"last written {datetime.fromtimestamp(_touched(place)):%Y-%m-%d %H:%M}"


def _num_epochs(path: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        return len(content) if isinstance(content, list) else 0
    return 0


def _wall(place: Path, found: Note) -> float:
    """Seconds of work: those recorded, and of a sitting that was killed those until its last write."""
    return found.wall_seconds + (max(0.0, _touched(place) - found.since) if found.since else 0.0)


def _touched(place: Path) -> float:
    times = [path.lstat().st_mtime for path in files_in(place) if path.name != NOTE]
    return max(times, default=time.time())
