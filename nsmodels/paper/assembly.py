"""The whole paper in one folder: figures, tables, supplement and cards, each with the artifact that it comes from."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable_count
from nsmodels.core.sealed.contents import files_in
from nsmodels.core.sealed.inventory import Item
from nsmodels.paper.cards.collection import make_dataset_cards, make_model_cards
from nsmodels.paper.contents import DATASET_CARDS, MODEL_CARDS, SUPPLEMENT, TABLES, TRAININGS, NothingSealed, missing
from nsmodels.paper.inputs import read_inputs
from nsmodels.paper.recipes import command, labels, materialize
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
    """One file of the paper.

    Attributes:
        name: in the folder of the paper.
        source: the sealed file that it is a copy of.
        manifest: of the artifact with that file.
        described: of the artifact that it is about: of a card the model or dataset, else the same.
    """

    name: str
    source: Path
    manifest: Manifest
    described: Manifest


@dataclass(frozen=True)
class Assembled:
    """The paper that was written.

    Attributes:
        files: names of its files, the index first.
        missing: a line with its command for each part that is not sealed, not sound or not of what lies there now.
    """

    files: list[str]
    missing: list[str]


def assemble(root: Path, out: Path, is_strict: bool = False) -> Assembled:
    """Write the paper from what is sealed under a data root into `out`, in place of an earlier one.

    Tables, supplement and cards are sealed first, or kept where they are equal; the same sealed folders give the same
    bytes. Raises `InputError` for results that must not stand together, see `read_inputs`, for a folder `out` that
    holds anything but a paper, and with `is_strict` for a part that is missing, left out or made from something else
    than lies there now.
    """
    disk.require_folder(out)
    require_paper(out)
    artifact.require_apart(out, {"data root": root})
    absent = dict(_make_parts(root)) | dict(_outdated(root))
    lines = [*missing(root), *_left_out(root), *absent.values()]
    if is_strict and lines:
        raise InputError(f"paper: {readable_count(len(lines), 'part')} missing, the first: {lines[0]}")
    files = sorted(_files(root, absent), key=lambda file: file.name)
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
    """Raise `InputError` for a folder with files that would be lost: not in its list, or changed since."""
    if not out.exists():
        return
    remedy = "give a new folder"
    try:
        content = json.loads((out / LIST).read_text(encoding="utf-8"))
        listed = {name: about["sha256"] for name, about in content["files"].items()}
    except FileNotFoundError:
        listed = {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{out}: is no folder of an earlier paper; {remedy}") from None
    for path in files_in(out):
        name = path.relative_to(out).as_posix()
        if name != LIST and name not in listed:
            raise InputError(f"{path}: is not of an earlier paper and would be lost; {remedy}")
        if name != LIST and (not path.is_file() or disk.sha256_of(path) != listed[name]):
            raise InputError(f"{path}: was changed since the earlier paper was written and would be lost; {remedy}")


def _left_out(root: Path) -> list[str]:
    """A line for each training and study that is not sound and that `missing` does not name."""
    try:
        found = read_inputs(root).left_out
    except NothingSealed:
        return []
    named = {name for names in TRAININGS.values() for name in names}
    return [line for name, line in found.items() if name not in named]


def _outdated(root: Path) -> Iterator[tuple[str, str]]:
    """Figures of something that was made again since: key, and a line with the command."""
    for item in sealed(root):
        for key, record in (item.manifest.inputs if item.manifest and _is_figure(item) else {}).items():
            now = root / key / artifact.MANIFEST
            if now.is_file() and disk.sha256_of(now) != record.manifest_sha256:
                yield item.name, f"{item.name}: {key} was made again since: {materialize(item.name)}"


def _is_figure(item: Item) -> bool:
    """Whether an artifact is a figure: it has PDFs on top."""
    names = item.manifest.files if item.manifest and item.name not in FOLDERS and "/" not in item.name else {}
    return any("/" not in name and name.endswith(".pdf") for name in names)


def _make_parts(root: Path) -> Iterator[tuple[str, str]]:
    """Seal tables, supplement and cards; key and a line for each that cannot be made of what there is."""
    for key, make in MAKERS.items():
        try:
            make(root, root / key)
        except NothingSealed as error:
            yield key, f"{key}: {error}"


def _files(root: Path, left_out: Container[str]) -> Iterator[File]:
    for item in sealed(root):
        if item.name in left_out or not (item.name in FOLDERS or _is_figure(item)):
            continue
        manifest = artifact.require_intact(item.folder)
        for name in manifest.files:
            place = PurePosixPath(name)
            if item.name in FOLDERS:
                is_card = item.name in (MODEL_CARDS, DATASET_CARDS)
                described = artifact.read_manifest(root / place.parent) if is_card else manifest
                yield File(str(PurePosixPath(FOLDERS[item.name]) / name), item.folder / name, manifest, described)
            elif len(place.parts) == 1 and place.suffix == ".pdf":  # one that is named after the figure has no folder
                within = PurePosixPath(FIGURES) / ("" if place.stem == item.name else item.name)
                yield File(str(within / name), item.folder / name, manifest, manifest)


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
    return {"sha256": disk.sha256_of(file.source), "source": file.described.source, **origin}


def index(files: list[File], lines: list[str]) -> str:
    """The index as Markdown: each file with its artifact, commit and data; what is missing with its command."""
    presets = {key: labels([manifest]) for key, manifest in {f.described.key: f.described for f in files}.items()}
    rows = [
        f"| [{file.name}]({file.name}) | `{file.manifest.key}` {file.manifest.fingerprint} | "
        f"{file.manifest.commit} | {file.described.source or '-'} | {presets[file.described.key] or '-'} |"
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
            "| file | artifact | commit | data | presets |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            *("", "## Missing", "", *absent),
            *("", "## Commands", "", *again, ""),
        ]
    )
