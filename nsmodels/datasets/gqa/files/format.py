"""Scene graphs, questions and choices of a GQA folder: read one at a time, checked, written.

Every fault of a file is an `InputError` of one line: file, id, field, what was expected. Programs are parsed only when
they are asked for (`Question.program`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.core.disk import atomically
from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.places import Part, choice_files, graphs_path, question_files, questions_path
from nsmodels.datasets.gqa.files.validation import require_boxes
from nsmodels.datasets.gqa.programs.parsing import Program, parse
from nsmodels.formats.scenes.graphs import SceneGraph, as_json, read_graph
from nsmodels.formats.scenes.records import opened, read_entries

STRUCTURAL = ("query", "verify", "choose", "logical", "compare")
SEMANTIC = ("obj", "attr", "rel", "cat", "global")
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A question as released.

    Attributes:
        id, image: ids of it and of its image, strings.
        text: the question.
        is_balanced: whether it is of the balanced part.
        answer: short answer; empty where the split has none.
        full_answer: the answer as a sentence.
        semantic: its program as released, not yet parsed.
        types: "structural", "semantic", "detailed".
        global_group, local_group: groups of answers that are balanced; None: none. The release has both None and an
            empty text, and its metrics count the latter as a group.
        entailed: questions whose answers follow from this one's.
        equivalent: questions of the same meaning, itself among them.
        annotations: ids of objects by word numbers ("2" or "4:6"), of "question", "answer", "fullAnswer".
        where: file and id, for messages.
    """

    id: str
    image: str
    text: str
    is_balanced: bool = True
    answer: str = ""
    full_answer: str = ""
    semantic: tuple[Record, ...] = ()
    types: Mapping[str, str] | None = None
    global_group: str | None = None
    local_group: str | None = None
    entailed: tuple[str, ...] = ()
    equivalent: tuple[str, ...] = ()
    annotations: Mapping[str, Mapping[str, str]] | None = None
    where: str = ""

    @property
    def program(self) -> Program:
        """Its checked steps, leaks included. Raises `InputError` that names file, id and step."""
        return parse(list(self.semantic), self.where or f"question '{self.id}'")


def each_graph(root: Path, split: str) -> Iterator[SceneGraph]:
    """The checked scene graphs of a split, one in memory at a time, in the order of the file."""
    path = graphs_path(root, split)
    if not path.is_file():
        raise InputError(f"{path}: no such file; scene graphs are needed, and split '{split}' has none here")
    with opened(path) as file:
        for image, document in read_entries(file, str(path)):
            yield require_boxes(read_graph(image, document, str(path)), str(path))


def read_graphs(root: Path, split: str) -> dict[str, SceneGraph]:
    """The checked scene graphs of a split by image id."""
    return {graph.image: graph for graph in each_graph(root, split)}


def each_question(root: Path, split: str, part: Part = "balanced", answered: bool = True) -> Iterator[Question]:
    """The checked questions of a split, one in memory at a time, in the order of the files.

    With `answered=False` they may lack answer and program, as those of the released test splits do. Raises `InputError`
    for a missing or malformed file.
    """
    for path, key, record in each_record(root, split, part):
        yield question_of(key, record, f"{path}: question '{key}'", answered)


def read_questions(root: Path, split: str, part: Part = "balanced", answered: bool = True) -> dict[str, Question]:
    """The checked questions of a split by id. Raises as `each_question`."""
    return {question.id: question for question in each_question(root, split, part, answered)}


def each_record(root: Path, split: str, part: Part = "balanced") -> Iterator[tuple[Path, str, Record]]:
    """(file, id, question as released and unchecked) of each question of a split."""
    for path in question_files(root, split, part):
        with opened(path) as file:
            for key, record in read_entries(file, str(path)):
                yield path, key, record


def read_choices(root: Path, split: str) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Valid and plausible answers by question id; empty where the folder has none. Raises `InputError`."""
    found: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    shared: dict[str, frozenset[str]] = {}  # most lists occur many times
    for path in choice_files(root, split):
        with opened(path) as file:
            for key, record in read_entries(file, str(path)):
                valid, plausible = (_choices(record, name, path, key, shared) for name in ("valid", "plausible"))
                found[key] = valid, plausible
    return found


def question_of(key: str, record: Record, where: str, answered: bool = True) -> Question:
    """A checked question. Raises `InputError` that names `where` and the field."""
    if answered:
        for name in ("answer", "semantic", "types", "groups"):
            if name not in record:
                raise InputError(f"{where}, field '{name}': missing; questions of a test split cannot be used here")
    types = _types(record, where)
    groups = _mapping(record, "groups", where)
    return Question(
        id=key,
        image=_text(record, "imageId", where),
        text=_text(record, "question", where),
        is_balanced=_truth(record, "isBalanced", where),
        answer=_text(record, "answer", where, ""),
        full_answer=_text(record, "fullAnswer", where, ""),
        semantic=tuple(_list(record, "semantic", where)),
        types=types,
        global_group=_group(groups, "global", where),
        local_group=_group(groups, "local", where),
        entailed=_ids(record, "entailed", where),
        equivalent=_ids(record, "equivalent", where),
        annotations=_annotations(record, where),
        where=where,
    )


def question_record(question: Question) -> Record:
    """A question in the released form and key order; `semanticStr` is rebuilt."""
    from nsmodels.datasets.gqa.programs.parsing import as_text

    types, notes = question.types or {}, question.annotations or {}
    return {
        "semantic": list(question.semantic),
        "entailed": list(question.entailed),
        "equivalent": list(question.equivalent),
        "question": question.text,
        "imageId": question.image,
        "isBalanced": question.is_balanced,
        "groups": {"global": question.global_group, "local": question.local_group},
        "answer": question.answer,
        "semanticStr": as_text(question.program),
        "annotations": {name: dict(notes.get(name, {})) for name in ("answer", "question", "fullAnswer")},
        "types": {name: types.get(name, "") for name in ("detailed", "semantic", "structural")},
        "fullAnswer": question.full_answer,
    }


def write_graphs(root: Path, split: str, graphs: Iterable[SceneGraph]) -> Path:
    """Write the scene graphs of a split, one in memory at a time."""
    return write_entries(graphs_path(root, split), ((graph.image, as_json(graph)) for graph in graphs))


def write_questions(root: Path, split: str, records: Iterable[tuple[str, Record]], part: Part = "balanced") -> None:
    """Write questions as released, (id, record) each; the unbalanced ones of training as ten chunks in turn."""
    path = questions_path(root, split, part)
    if path.suffix:
        write_entries(path, records)
        return
    listed = list(records)
    size = -(-len(listed) // 10) or 1
    for number in range(10):
        chunk = listed[number * size : (number + 1) * size]
        write_entries(path / f"{path.name}_{number}.json", chunk)


def write_choices(root: Path, split: str, records: Iterable[tuple[str, Record]]) -> Path:
    """Write {valid, plausible} by question id, of training in the folder that the release has."""
    folder = Path(root) / "eval"
    single = folder / f"{split}_choices.json"
    return write_entries(folder / "train_choices" / "train_choices.json" if split == "train" else single, records)


def write_entries(path: Path, records: Iterable[tuple[str, Any]]) -> Path:
    """Write `{id: record, …}` atomically, one record in memory at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomically(path) as beside, beside.open("w", encoding="utf-8") as file:
        file.write("{")
        for number, (key, record) in enumerate(records):
            file.write(f"{', ' if number else ''}{json.dumps(key)}: {json.dumps(record)}")
        file.write("}")
    return path


def _choices(record: Record, name: str, path: Path, key: str, shared: dict[str, frozenset[str]]) -> frozenset[str]:
    values = record.get(name)
    text = str(values)
    if text not in shared:
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise InputError(f"{path}: question '{key}', field '{name}': expected a list of answers, got {text[:60]!r}")
        shared[text] = frozenset(values)
    return shared[text]


def _text(record: Record, name: str, where: str, default: str | None = None) -> str:
    value = record.get(name, default)
    if not isinstance(value, str):
        raise InputError(f"{where}, field '{name}': expected a string, got {str(value)[:60]!r}")
    return value


def _truth(record: Record, name: str, where: str) -> bool:
    value = record.get(name, True)
    if not isinstance(value, bool):
        raise InputError(f"{where}, field '{name}': expected true or false, got {str(value)[:60]!r}")
    return value


def _list(record: Record, name: str, where: str) -> list[Any]:
    value = record.get(name, [])
    if not isinstance(value, list):
        raise InputError(f"{where}, field '{name}': expected a list, got {str(value)[:60]!r}")
    return value


def _ids(record: Record, name: str, where: str) -> tuple[str, ...]:
    values = _list(record, name, where)
    for value in values:
        if not isinstance(value, str):
            raise InputError(f"{where}, field '{name}': expected ids of questions, got {str(value)[:60]!r}")
    return tuple(values)


def _mapping(record: Record, name: str, where: str) -> Record:
    value = record.get(name, {})
    if not isinstance(value, dict):
        raise InputError(f"{where}, field '{name}': expected an object, got {str(value)[:60]!r}")
    return value


def _group(groups: Record, name: str, where: str) -> str | None:
    value = groups.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"{where}, field 'groups', '{name}': expected a string or null, got {str(value)[:60]!r}")
    return value


def _types(record: Record, where: str) -> Record:
    types = _mapping(record, "types", where)
    if types and types.get("structural") not in STRUCTURAL:
        found = types.get("structural")
        raise InputError(f"{where}, field 'types', 'structural': {found!r}, expected one of {', '.join(STRUCTURAL)}")
    return types


def _annotations(record: Record, where: str) -> Record:
    notes = _mapping(record, "annotations", where)
    for name in notes:
        for words, thing in _mapping(notes, name, f"{where}, field 'annotations'").items():
            if not isinstance(thing, str):
                raise InputError(f"{where}, field 'annotations', '{name}', '{words}': expected the id of an object")
    return notes
