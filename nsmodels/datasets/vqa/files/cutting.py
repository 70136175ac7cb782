"""Questions, annotations, pairs and boxes of some images, cut out of the released files and checked on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from nsmodels.core.disk import write_atomic, writing
from nsmodels.core.errors import InputError
from nsmodels.core.transfer.archive import LocalZip
from nsmodels.core.transfer.directory import Limits
from nsmodels.datasets.vqa.files.annotations import AnnotationCheck
from nsmodels.datasets.vqa.files.names import LICENSE, annotations_name, instances_name, pairs_name, questions_name
from nsmodels.datasets.vqa.files.pairs import Pairs, parse_pairs
from nsmodels.datasets.vqa.files.questions import Question, Questions, subtype_of, whole
from nsmodels.datasets.vqa.files.release import zip_of
from nsmodels.formats.scenes.records import LARGEST_FILE, cut_records, opened, read_records

ANNOTATION_LIMITS = Limits(member=LARGEST_FILE)
Record = dict[str, Any]


@dataclass
class Sources:
    """Released files by name: unpacked in a folder, or in the archives that contain them.

    Attributes:
        folder: where files and archives are.
        split: of the files.
        urls: address of an archive by its name, for messages.
    """

    folder: Path
    split: str
    urls: Mapping[str, str] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether the file is there, in one form or the other."""
        return (self.folder / name).is_file() or self._zip(name).is_file()

    def shown(self, name: str) -> str:
        """A file in messages."""
        if (self.folder / name).is_file() or not self._zip(name).is_file():
            return str(self.folder / name)
        archive = self._zip(name)
        return f"{self.urls.get(archive.name, archive)}: {name}"

    @contextmanager
    def text(self, name: str) -> Iterator[TextIO]:
        """The file as UTF-8 text. Raises `InputError` where it is missing or damaged."""
        if (self.folder / name).is_file() or not self._zip(name).is_file():
            with opened(self.folder / name) as text:
                yield text
            return
        reader = LocalZip(self._zip(name))
        try:
            with reader.open_text(member_of(reader, name), ANNOTATION_LIMITS) as text:
                yield text
        except UnicodeDecodeError as error:
            raise InputError(f"{self.shown(name)} is not UTF-8 text ({error.reason}); fetch it again") from None

    def pairs(self) -> Pairs:
        """The complementary pairs of the split. Raises `InputError`."""
        name = pairs_name(self.split)
        with self.text(name) as text:
            return parse_pairs(text, self.shown(name))

    def _zip(self, name: str) -> Path:
        return self.folder / zip_of(name, self.split)


def member_of(reader: Any, name: str) -> str:
    """Full name of a member by its end. Raises `InputError` where there is none."""
    found = [member for member in reader.members() if f"/{member}".endswith(f"/{name}")]
    if not found:
        raise InputError(f"{reader.source.name}: no member '{name}' in the archive; check which archive this is")
    return found[0]


@dataclass
class Cut:
    """What was cut of a split.

    Attributes:
        questions: those of the chosen images.
        num_all: questions in the whole file.
        num_pairs: complementary pairs of which both questions were kept.
        is_marked: whether the files name themselves synthetic.
    """

    questions: Questions
    num_all: int = 0
    num_pairs: int = 0
    is_marked: bool = False


def images_of(sources: Sources) -> list[int]:
    """Ids of the images that have questions, sorted. Raises `InputError`."""
    name, found = questions_name(sources.split), set()
    with sources.text(name) as text:
        for number, record in enumerate(read_records(text, "questions", sources.shown(name))):
            found.add(whole(record, "image_id", f"{sources.shown(name)}: questions[{number}]"))
    return sorted(found)


def cut_split(sources: Sources, out: Path, images: Collection[int]) -> Cut:
    """Write the files of some images of a split below `out`; raises `InputError` for the first fault."""
    split, chosen = sources.split, set(images)
    name = questions_name(split)
    questions = Questions(sources.shown(name), True)
    cut = Cut(questions)

    def keep(record: Record, number: int) -> bool:
        where = f"{questions.where}: questions[{number}]"
        return Question.of(record, where).image in chosen and bool(questions.add(record, number))

    head, cut.num_all = _cut_file(sources, name, "questions", out, keep)
    questions.subtype = subtype_of(head)
    cut.is_marked = head.get("license") == LICENSE
    _cut_annotations(sources, out, chosen, questions)
    if sources.has(pairs_name(split)):
        kept = [pair for pair in sources.pairs() if all(each in questions.by_id for each in pair)]
        cut.num_pairs = len(kept)
        write_atomic(out / pairs_name(split), json.dumps(kept))
    if sources.has(instances_name(split)):
        _cut_instances(sources, out, chosen)
    return cut


def _cut_annotations(sources: Sources, out: Path, chosen: set[int], questions: Questions) -> None:
    name = annotations_name(sources.split)
    check = AnnotationCheck(sources.shown(name), questions, True)

    def keep(record: Record, number: int) -> bool:
        image = whole(record, "image_id", f"{check.where}: annotations[{number}]")
        # An annotation of a chosen question with a different image is a fault of the files.
        return (image in chosen or record.get("question_id") in questions.by_id) and bool(check.add(record, number))

    head, _ = _cut_file(sources, name, "annotations", out, keep)
    check.finish(subtype_of(head))


def _cut_file(
    sources: Sources, name: str, key: str, out: Path, keep: Callable[[Record, int], bool]
) -> tuple[Record, int]:
    """Copy the records that `keep` accepts; what the file has beside them, and the number of records read."""
    number = -1

    def counted(record: Record) -> bool:
        nonlocal number
        number += 1
        return keep(record, number)

    partial = out / f"{name}.partial"
    with writing(partial):
        partial.parent.mkdir(parents=True, exist_ok=True)
        with sources.text(name) as text, partial.open("w", encoding="utf-8") as copy:
            _, num = cut_records(text, copy, key, counted, sources.shown(name))
        head = _head_of(partial, key)
        partial.replace(out / name)
    return head, num


def _head_of(path: Path, key: str) -> Record:
    """What a file has beside its records."""
    found: Record = {}
    with path.open(encoding="utf-8") as text:
        for _ in read_records(text, key, str(path), found):
            pass
    return found


def _cut_instances(sources: Sources, out: Path, chosen: set[int]) -> None:
    name, others = instances_name(sources.split), {}
    with sources.text(name) as text:
        records = read_records(text, "annotations", sources.shown(name), others)
        kept = [record for record in records if record.get("image_id") in chosen]
    images = [record for record in others.get("images", []) if record.get("id") in chosen]
    before = {key: others[key] for key in ("info",) if key in others} | {"images": images}
    before |= {"licenses": others.get("licenses", []), "annotations": kept}
    (out / name).parent.mkdir(exist_ok=True)
    write_atomic(out / name, json.dumps(before | {"categories": others.get("categories", [])}))
