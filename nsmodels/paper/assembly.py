"""The whole paper in one folder: figures, tables, supplement and cards, each with the artifact that it comes from."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.core.sealed.contents import files_in
from nsmodels.paper.cards.collection import make_dataset_cards, make_model_cards
from nsmodels.paper.contents import DATASET_CARDS, MODEL_CARDS, SUPPLEMENT, TABLES, NothingSealed, missing
from nsmodels.paper.recipes import command
from nsmodels.paper.spending import sealed
from nsmodels.paper.supplement.artifact import make_supplement
from nsmodels.paper.tables.artifact import make_tables

INDEX, LIST = "README.md", "MANIFEST.json"
FIGURES = "figures"
FOLDERS = {TABLES: "tables", SUPPLEMENT: ".", MODEL_CARDS: MODEL_CARDS, DATASET_CARDS: DATASET_CARDS}
MAKERS: dict[str, Callable[[Path, Path], Manifest]] = {
    TABLES: make_tables,
    SUPPLEMENT: make_supplement,
    MODEL_CARDS: make_model_cards,
    DATASET_CARDS: make_dataset_cards,
}


@dataclass(frozen=True)
class File:
    """One file of the paper: its name there, and the sealed file and artifact that it is a copy of."""

    name: str
    source: Path
    manifest: Manifest


@dataclass(frozen=True)
class Assembled:
    """The paper that was written.

    Attributes:
        files: names of its files, the index first.
        missing: a line with its command for each part that is not sealed.
    """

    files: list[str]
    missing: list[str]


def assemble(root: Path, out: Path, is_strict: bool = False) -> Assembled:
    """Write the paper from what is sealed under a data root into `out`, in place of an earlier one.

    Tables, supplement and cards are sealed first, or kept where they are equal; the same sealed folders give the same
    bytes. Raises `InputError` for results that must not stand together, see `read_inputs`, for a folder `out` that
    holds anything but a paper, and with `is_strict` for a part that is missing.
    """
    require_paper(out)
    artifact.require_apart(out, {"data root": root})
    lines = list(missing(root))
    if is_strict and lines:
        raise InputError(f"paper: {len(lines)} parts are missing, the first: {lines[0]}")
    lines += _make_parts(root, is_strict)
    files = sorted(_files(root), key=lambda file: file.name)
    if not files:
        raise InputError(f"paper: nothing of it is sealed under {root}; make it: make paper")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as beside:
        made = Path(beside) / "paper"
        _write(files, lines, made)
        if out.exists():
            out.rename(Path(beside) / "earlier")
        made.rename(out)
    return Assembled([INDEX, LIST, *(file.name for file in files)], lines)


def require_paper(out: Path) -> None:
    """Raise `InputError` for a folder that holds anything that would be lost: files that its list does not name."""
    if not out.exists():
        return
    remedy = "give a new folder"
    try:
        listed = json.loads((out / LIST).read_text(encoding="utf-8"))["files"]
    except FileNotFoundError:
        listed = {}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{out}: is no folder of an earlier paper; {remedy}") from None
    foreign = [path for path in files_in(out) if path.relative_to(out).as_posix() not in {*listed, LIST}]
    if foreign:
        raise InputError(f"{foreign[0]}: is not of an earlier paper and would be lost; {remedy}")


def _make_parts(root: Path, is_strict: bool) -> Iterator[str]:
    """Seal tables, supplement and cards; a line for each that cannot be made of what there is."""
    for key, make in MAKERS.items():
        try:
            make(root, root / key)
        except InputError as error:
            if is_strict or not isinstance(error, NothingSealed):
                raise
            yield f"{key}: {error}"


def _files(root: Path) -> Iterator[File]:
    for item in sealed(root):
        manifest = artifact.require_intact(item.folder, has_checksums=False)
        for name in manifest.files:
            place = PurePosixPath(name)
            if item.name in FOLDERS:
                yield File(str(PurePosixPath(FOLDERS[item.name]) / name), item.folder / name, manifest)
            elif "/" not in item.name and len(place.parts) == 1 and place.suffix == ".pdf":
                # A figure: an artifact with PDFs on top. One that is named after it has no folder.
                within = PurePosixPath(FIGURES) / ("" if place.stem == item.name else item.name)
                yield File(str(within / name), item.folder / name, manifest)


def _write(files: list[File], lines: list[str], folder: Path) -> None:
    for file in files:
        (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.source, folder / file.name)
    disk.write_atomic(folder / INDEX, index(files, lines))
    about = {file.name: _about(file) for file in files} | {INDEX: {"sha256": disk.sha256_of(folder / INDEX)}}
    disk.write_json(folder / LIST, {"files": about, "missing": lines})


def _about(file: File) -> dict[str, str]:
    manifest = file.manifest
    origin = {"artifact": manifest.key, "fingerprint": manifest.fingerprint, "commit": manifest.commit}
    return {"sha256": disk.sha256_of(file.source), "source": manifest.source, **origin}


def index(files: list[File], lines: list[str]) -> str:
    """The index as Markdown: each file with its artifact, commit and data; what is missing with its command."""
    rows = [
        f"| [{file.name}]({file.name}) | `{file.manifest.key}` {file.manifest.fingerprint} | "
        f"{file.manifest.commit} | {file.manifest.source or '-'} |"
        for file in files
    ]
    again = sorted({f"- `{command(file.manifest)}`" for file in files if "/" not in file.manifest.key})
    absent = [f"- {line}" for line in lines] or ["Nothing."]
    return "\n".join(
        [
            "# Paper",
            "",
            f"Every file is a copy out of a sealed artifact; `{LIST}` has the SHA-256 of each.",
            "",
            "| file | artifact | commit | data |",
            "| --- | --- | --- | --- |",
            *rows,
            *("", "## Missing", "", *absent),
            *("", "## Commands", "", *again, ""),
        ]
    )
