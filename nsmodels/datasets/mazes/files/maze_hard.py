"""The published Maze-Hard table: a CSV with columns source, question, answer, rating; a maze is one string of rows.

Tiles of a question: `#` wall, a space for a free cell, `S` start, `G` goal; the answer has `o` on the cells between
start and goal of a shortest path. 4-connected; the published mazes are 30x30, any square is read. A byte-order mark is
skipped.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.grids import Maps

Rows = list[tuple[int, str, str]]
LARGEST_FIELD = 1 << 24  # characters; the default of the csv module holds a maze of 362x362


def read(path: Path) -> tuple[Maps, list[str]]:
    """n problems of a Maze-Hard CSV, and the path along the `o` of each answer as digits of actions, n strings.

    Raises `InputError` with file, line and column (of the character in its field) for anything malformed, including an
    answer that is not exactly one path from start to goal.
    """
    rows = _rows(path)
    side = math.isqrt(len(rows[0][1]))
    for line, question, answer in rows:
        _check(path, line, question, answer, side)
    tiles = _tiles([question for _, question, _ in rows], side)
    start, goal = (np.argwhere(tiles == ord(tile))[:, 1:].astype(np.int16) for tile in "SG")
    return Maps(tiles != ord("#"), start, goal), [_walk(path, line, answer, side) for line, _, answer in rows]


def _tiles(mazes: Sequence[str], side: int) -> NDArray[np.uint8]:
    return np.frombuffer("".join(mazes).encode(), np.uint8).reshape(-1, side, side)


def _rows(path: Path) -> Rows:
    """Line in the file, question and answer of each maze."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            csv.field_size_limit(LARGEST_FIELD)
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in ("question", "answer") if name not in (reader.fieldnames or ())]
            if missing:
                raise _fault(path, 1, 1, f"expected columns source, question, answer, rating; no column '{missing[0]}'")
            rows = [(reader.line_num, row["question"] or "", row["answer"] or "") for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV in UTF-8 ({error}); give a Maze-Hard table") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give an existing file") from None
    if not rows:
        raise _fault(path, 2, 1, "expected at least one maze, the file ends here")
    return rows


def _check(path: Path, line: int, question: str, answer: str, side: int) -> None:
    unknown = re.search("[^# SG]", question)
    if unknown:
        at = unknown.start()
        raise _fault(
            path,
            line,
            at + 1,
            f"expected '#', ' ', 'S' or 'G' in the question, got {unknown[0]!r} "
            f"(row {at // max(side, 1) + 1} column {at % max(side, 1) + 1} of the maze)",
        )
    if len(question) != side * side or side == 0:
        expected = "a square number of tiles" if line == 2 else f"{side}x{side} tiles as in line 2"
        raise _fault(path, line, min(len(question), side * side) + 1, f"expected {expected}, got {len(question)}")
    for tile, name in (("S", "start"), ("G", "goal")):
        if question.count(tile) != 1:
            column = question.find(tile, question.find(tile) + 1) + 1
            raise _fault(
                path, line, max(column, 1), f"expected one {name} '{tile}' in the question, got {question.count(tile)}"
            )
    if len(answer) != len(question):
        raise _fault(
            path,
            line,
            min(len(answer), len(question)) + 1,
            f"expected an answer of {len(question)} tiles, got {len(answer)}",
        )
    for at, (tile, answered) in enumerate(zip(question, answer, strict=True)):
        if tile != answered and (tile, answered) != (" ", "o"):
            raise _fault(
                path,
                line,
                at + 1,
                f"expected the question's {tile!r} or 'o' on a free cell in the answer, got {answered!r}",
            )


def _walk(path: Path, line: int, answer: str, side: int) -> str:
    """Actions along the `o` from S to G, as digits."""
    at, goal = answer.index("S"), answer.index("G")
    digits, passed = "", {at}
    while at != goal:
        ways = [(k, there) for k, there in _beside(at, side) if answer[there] in "oG" and there not in passed]
        if len(ways) != 1:
            raise _fault(path, line, at + 1, f"expected one next cell along the 'o' of the answer, got {len(ways)}")
        ((action, at),) = ways
        digits += str(action)
        passed.add(at)
    for place, tile in enumerate(answer):
        if tile == "o" and place not in passed:
            raise _fault(
                path, line, place + 1, "expected 'o' only on one path from S to G in the answer, this is off it"
            )
    return digits


def _beside(at: int, side: int) -> list[tuple[int, int]]:
    """Possible actions at a cell and the cells they lead to, numbered in row-major order."""
    row, column = divmod(at, side)
    moved = [(k, row + rows, column + columns) for k, (rows, columns) in enumerate(OFFSETS[:4])]
    return [(k, r * side + c) for k, r, c in moved if 0 <= r < side and 0 <= c < side]


def _fault(path: Path, line: int, column: int, what: str) -> InputError:
    return InputError(f"{path}: line {line} column {column}: {what}")
