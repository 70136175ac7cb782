"""What the metrics need of a question, and predictions and attention maps in the official result formats."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import SEMANTIC, STRUCTURAL, each_record
from nsmodels.datasets.gqa.files.places import Part
from nsmodels.formats.scenes.records import opened

NO_STEPS = ("exist", "query: name", "choose name")  # a step that names one of them is not counted
Predictions = dict[str, str]
Attention = list[list[float]]
_FORM = '[{"questionId": text, "prediction": text}]'
_MAPS = '[{"questionId": text, "attention": rows of numbers}]'


class Item(NamedTuple):
    """A question as the metrics see it; see `format.Question`."""

    id: str
    image: str
    answer: str
    is_balanced: bool
    structural: str
    semantic: str
    detailed: str
    num_words: int
    num_steps: int
    group: str | None
    entailed: tuple[str, ...]
    annotations: Mapping[str, Mapping[str, str]]
    is_of_scene: bool


def each_item(root: Path, split: str, part: Part, answers: dict[str, str]) -> Iterator[Item]:
    """The balanced questions of a part of a split that are not in `answers`, which takes in the answers of all.

    Raises `InputError` for a malformed one, and for a test split without answers.
    """
    for path, key, record in each_record(root, split, part):
        if key in answers:
            continue
        try:
            item = item_of(key, record) if record["isBalanced"] else None
            answers[key] = _answer(record)
            if item:
                yield item
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(f"{path}: question '{key}': {_fault(record, error)}") from None


def item_of(key: str, record: Mapping[str, Any]) -> Item:
    """The item of a released question. Raises what Python raises for a field that is missing or of a wrong type."""
    types, semantic = record["types"], record["semantic"]
    answer, structural = _answer(record), types["structural"]
    if structural not in STRUCTURAL or types["semantic"] not in SEMANTIC:
        raise ValueError
    steps = [f"{step['operation']}: {step['argument']}" for step in semantic]
    counted = [
        step for step in steps if NO_STEPS[0] not in step and NO_STEPS[1] not in step and NO_STEPS[2] not in step
    ]
    return Item(
        key,
        record["imageId"],
        answer,
        record["isBalanced"],
        structural,
        types["semantic"],
        types["detailed"],
        len(record["question"].split()),
        len(counted),
        record["groups"]["global"],
        tuple(other for other in record.get("entailed", ()) if other != key),
        record.get("annotations", {}),
        "select: scene" in steps,
    )


def _answer(record: Mapping[str, Any]) -> str:
    answer = record["answer"]
    if type(answer) is not str:
        raise ValueError
    return answer


def read_predictions(path: Path) -> Predictions:
    """Answers by question id. Raises `InputError` for a malformed, double or non-text prediction."""
    found: Predictions = {}
    for number, record in enumerate(_listed(path, _FORM)):
        key, answer = _pair(record, "prediction", f"{path}: [{number}]", _FORM)
        if type(answer) is not str:
            raise InputError(
                f"{path}: [{number}], field 'prediction' of question '{key}': expected a text, got {answer!r}"
            )
        if key in found:
            raise InputError(f"{path}: [{number}]: question '{key}' is answered twice; keep one of the answers")
        found[key] = answer
    return found


def read_attentions(path: Path) -> dict[str, Attention]:
    """Attention by question id: a square map, or a list of boxes [x0, y0, x1, y1, attention] in shares of the image.

    Raises `InputError` for a malformed or double one.
    """
    found: dict[str, Attention] = {}
    for number, record in enumerate(_listed(path, _MAPS)):
        key, rows = _pair(record, "attention", f"{path}: [{number}]", _MAPS)
        if not _is_map(rows):
            raise InputError(
                f"{path}: [{number}], field 'attention' of question '{key}': expected as many rows as columns of "
                "finite numbers, or boxes of five numbers"
            )
        if key in found:
            raise InputError(f"{path}: [{number}]: question '{key}' has two attention maps; keep one of them")
        found[key] = rows
    return found


def is_of_boxes(attention: Attention) -> bool:
    """Whether attention is over boxes, not over cells; five rows of five numbers are cells."""
    return len(attention[0]) == 5 and len(attention) != 5


def _is_map(rows: Any) -> bool:
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        return False
    widths = {len(row) for row in rows}
    numbers = all(type(value) in (int, float) and math.isfinite(value) for row in rows for value in row)
    return numbers and (widths == {len(rows)} or widths == {5})


def _listed(path: Path, form: str) -> list[Any]:
    try:
        with opened(path) as file:
            document: Any = json.load(file)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({error}); expected {form}") from None
    if not isinstance(document, list):
        raise InputError(f"{path}: expected {form}, got {type(document).__name__}")
    return document


def _pair(record: Any, name: str, where: str, form: str) -> tuple[str, Any]:
    if not isinstance(record, dict) or "questionId" not in record or name not in record:
        raise InputError(f"{where}: expected an item of {form}, got {str(record)[:60]!r}")
    key = record["questionId"]
    if type(key) is not str:
        raise InputError(f"{where}, field 'questionId': expected a text, got {key!r}; ids of GQA are no numbers")
    return key, record[name]


def _fault(record: Mapping[str, Any], error: Exception) -> str:
    if isinstance(error, KeyError):
        name = error.args[0]
        also = "; questions of a test split cannot be scored" if name in ("answer", "types", "semantic") else ""
        return f"field '{name}': missing{also}"
    types = record.get("types")
    if isinstance(types, dict) and types.get("structural") not in STRUCTURAL:
        return f"field 'types', 'structural': {types.get('structural')!r}, expected one of {', '.join(STRUCTURAL)}"
    if isinstance(types, dict) and types.get("semantic") not in SEMANTIC:
        return f"field 'types', 'semantic': {types.get('semantic')!r}, expected one of {', '.join(SEMANTIC)}"
    return f"a field has a wrong type ({error or 'answer'})"
