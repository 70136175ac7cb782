"""Complementary pairs of VQA v2: two questions with the same words about similar images with different answers."""

from __future__ import annotations

import json
from collections.abc import Container
from pathlib import Path
from typing import Any, TextIO

from nsmodels.core.errors import InputError
from nsmodels.formats.scenes.records import opened

Pairs = list[tuple[int, int]]


def read_pairs(path: Path, questions: Container[int] | None = None) -> Pairs:
    """Ids of questions; `questions`: those that there are. Raises `InputError` for anything but pairs of them."""
    with opened(path) as text:
        return parse_pairs(text, str(path), questions)


def parse_pairs(text: TextIO, name: str, questions: Container[int] | None = None) -> Pairs:
    """As `read_pairs`, of an open file that is called `name` in messages."""
    try:
        document: Any = json.load(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: not JSON ({error}); fetch the file again") from None
    if not isinstance(document, list):
        raise InputError(f"{name}: expected a list of [question_id, question_id]; fetch the file again")
    return [_pair(each, f"{name}: [{number}]", questions) for number, each in enumerate(document)]


def _pair(value: Any, where: str, questions: Container[int] | None) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2 or any(type(each) is not int for each in value):
        raise InputError(f"{where}: expected [question_id, question_id], got {value!r}")
    first, second = value
    if first == second:
        raise InputError(f"{where}: question {first} is paired with itself; expected two questions")
    missing = [each for each in value if questions is not None and each not in questions]
    if missing:
        raise InputError(f"{where}: question {missing[0]} is not among the questions; give files of the same split")
    return first, second
