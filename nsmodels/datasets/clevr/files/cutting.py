"""Annotations of the first images of each split, cut out of a tree or an archive and checked on the way."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from nsmodels.core.disk import writing
from nsmodels.core.errors import InputError
from nsmodels.core.transfer.archive import LocalZip, ZipReader
from nsmodels.core.transfer.directory import Limits
from nsmodels.datasets.clevr.files.schema import check_single, image_of
from nsmodels.datasets.clevr.files.split import SplitCheck
from nsmodels.formats.scenes.records import LARGEST_FILE, cut_records, opened, read_records

log = logging.getLogger(__name__)
ANNOTATION_LIMITS = Limits(member=LARGEST_FILE)
MARK = "synthetic"  # how the licence in our own files begins


class Annotations:
    """Scene and question files of a tree (or of the folder around it), or of the archive of one.

    Raises `InputError` for a place that is neither.
    """

    def __init__(self, source: Path, name: str = "") -> None:
        self.source, self.name = source, name or str(source)
        self.reader = LocalZip(source) if source.is_file() else None
        self._strip = strip_of(self.reader) if self.reader else ""
        self._root = source if self.reader else root_of(source)

    def shown(self, name: str) -> str:
        """A file in messages, by its name below the tree."""
        return f"{self.name}: {name}" if self.reader else str(self._root / name)

    @contextmanager
    def text(self, name: str) -> Iterator[TextIO]:
        """A file as UTF-8 text, by its name below the tree."""
        log.info("%s: reading", self.shown(name))
        if self.reader is None and not (self._root / name).is_file():
            found = sorted(path.name for path in (self._root / "scenes").glob("CLEVR_*_scenes.json"))
            also = f" (there are {', '.join(found)}: name their splits with train_split and val_split)" if found else ""
            raise InputError(
                f"{self._root / name}: missing{also}; give a folder with images/ scenes/ questions/ of CLEVR"
            )
        if self.reader is None:
            with opened(self._root / name) as text:
                yield text
            return
        try:
            with self.reader.open_text(self._strip + name, ANNOTATION_LIMITS) as text:
                yield text
        except UnicodeDecodeError as error:
            raise InputError(f"{self.shown(name)} is not UTF-8 text ({error.reason}); fetch it again") from None


@dataclass
class Cut:
    """What was cut.

    Attributes:
        images: paths images/<split>/<name> of the chosen images.
        checks: the check of each split that has one.
        scenes, questions: records of each split in the whole files.
        num_questions: questions about the chosen images.
        is_marked: whether a file names itself synthetic.
    """

    images: list[str] = field(default_factory=list)
    checks: dict[str, SplitCheck] = field(default_factory=dict)
    scenes: dict[str, int] = field(default_factory=dict)
    questions: dict[str, int] = field(default_factory=dict)
    num_questions: int = 0
    is_marked: bool = False

    def require_answers(self) -> None:
        """Raise `InputError` for answers that a check has found to be wrong."""
        for check in self.checks.values():
            check.require_answers()


def cut_annotations(
    source: Path, out: Path, sizes: Mapping[str, int], kind: type[SplitCheck] | None = None, name: str = ""
) -> Cut:
    """Write scenes and questions of the first images of each split, `sizes` by split, below `out`.

    `kind` checks the records that are written; None: they are copied as they are. `name` is that of the source in
    messages. Raises `InputError` for the first fault.
    """
    annotations, cut = Annotations(source, name), Cut()
    for split, num in sizes.items():
        _cut_split(annotations, out, split, num, kind, cut)
    return cut


def check_annotations(source: Path, names: Iterable[str], kind: type[SplitCheck], name: str) -> Cut:
    """Check the records of whole splits, wrong answers included; nothing is written. Raises as `cut_annotations`."""
    annotations, cut = Annotations(source, name), Cut()
    for split in names:
        scenes, questions = (f"{key}/CLEVR_{split}_{key}.json" for key in ("scenes", "questions"))
        check = cut.checks[split] = kind(annotations.shown(scenes), annotations.shown(questions))
        _images(annotations, scenes, cut)
        counts = []
        for file_name, key, add in ((scenes, "scenes", check.add_scene), (questions, "questions", check.add_question)):
            with annotations.text(file_name) as file:
                records = read_records(file, key, annotations.shown(file_name))
                counts.append(sum(1 for number, record in enumerate(records) if add(record, number)))
        cut.scenes[split], cut.questions[split] = counts
        check.finish()
    cut.require_answers()
    return cut


def _cut_split(
    annotations: Annotations, out: Path, split: str, num: int, kind: type[SplitCheck] | None, cut: Cut
) -> None:
    scenes, questions = (f"{name}/CLEVR_{split}_{name}.json" for name in ("scenes", "questions"))
    names = _images(annotations, scenes, cut)
    if len(names) < num:
        raise InputError(f"{annotations.shown(scenes)} has {len(names)} scenes, requested are {num}; request fewer")
    chosen = set(sorted(names)[:num])
    cut.images += [f"images/{split}/{names[index]}" for index in sorted(chosen)]
    check = kind(annotations.shown(scenes), annotations.shown(questions)) if kind else None
    _, cut.scenes[split] = _cut_file(annotations, scenes, out, chosen, names, check and check.add_scene)
    kept, cut.questions[split] = _cut_file(annotations, questions, out, chosen, names, check and check.add_question)
    cut.num_questions += kept
    if check:
        check.finish()
        cut.checks[split] = check


def _images(annotations: Annotations, scenes: str, cut: Cut) -> dict[int, str]:
    """File name of every image in a scene file, by index."""
    names: dict[int, str] = {}
    seen: dict[str, dict[Any, int]] = {"image_index": {}, "image_filename": {}}
    others: dict[str, Any] = {}
    shown = annotations.shown(scenes)
    with annotations.text(scenes) as file:
        for number, scene in enumerate(read_records(file, "scenes", shown, others)):
            index, name = image_of(scene, f"{shown}: scenes[{number}]")
            for key, values in seen.items():
                check_single(scene, key, values, number, f"{shown}: scenes")
            names[index] = name
    info = others.get("info")
    licence = info.get("license", "") if isinstance(info, dict) else ""
    cut.is_marked = cut.is_marked or str(licence).startswith(MARK)
    return names


def _cut_file(
    annotations: Annotations, name: str, out: Path, chosen: set[int], names: dict[int, str], add: Any
) -> tuple[int, int]:
    """Copy the records of the chosen images; returns the numbers of records copied and read."""
    key, shown = name.partition("/")[0], annotations.shown(name)
    number = -1

    def is_kept(record: dict[str, Any]) -> bool:
        nonlocal number
        number += 1
        index, _ = image_of(record, f"{shown}: {key}[{number}]")
        # A record of an image without a scene is never chosen: the check refuses it.
        if add and (index in chosen or index not in names):
            add(record, number)
        return index in chosen

    partial = out / f"{name}.partial"
    with writing(partial):
        partial.parent.mkdir(parents=True, exist_ok=True)
        with annotations.text(name) as file, partial.open("w", encoding="utf-8") as copy:
            counts = cut_records(file, copy, key, is_kept, shown)
        partial.replace(out / name)
    return counts


def root_of(source: Path) -> Path:
    """The folder that contains scenes/, which may be one level down in CLEVR_v1.0/."""
    found = [folder for folder in (source, *sorted(_folders(source))) if (folder / "scenes").is_dir()]
    if not found:
        raise InputError(f"{source}: neither a zip nor a folder with images/ scenes/ questions/; give one of the two")
    if found[0] != source and len(found) > 1:
        raise InputError(f"{source}: contains several datasets, {found[0].name} and {found[1].name}; give one of them")
    return found[0]


def _folders(source: Path) -> list[Path]:
    return [folder for folder in source.iterdir() if folder.is_dir()] if source.is_dir() else []


def strip_of(reader: ZipReader) -> str:
    """The folder that wraps the release inside the archive, with its slash: CLEVR_v1.0/ or empty."""
    fronts = {}
    for name in reader.members():
        front, mark, _ = f"/{name}".rpartition("/scenes/CLEVR_")
        if mark:
            fronts.setdefault(f"{front}/"[1:], name)
    if len(fronts) == 1:
        return next(iter(fronts))
    if fronts:
        first, second = list(fronts.values())[:2]
        raise InputError(
            f"{reader.source.name}: contains several datasets ('{first}', '{second}'); unpack it, give one"
        )
    inner = [name for name in reader.members() if name.lower().endswith((".zip", ".tar", ".gz", ".7z", ".rar"))]
    also = f", and it contains the archive '{inner[0]}': unpack it and give that" if inner else ""
    raise InputError(f"{reader.source.name}: no member scenes/CLEVR_*; expected an archive of CLEVR v1.0{also}")
