"""Maze-Hard tables: mazes with their answers, and one line for anything malformed."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.files.maze_hard import read
from nsmodels.datasets.mazes.solving.labels import label
from nsmodels.datasets.mazes.solving.search import demonstrations, path_cells
from tests.datasets.mazes.oracle import draw

HEAD = ["source", "question", "answer", "rating"]
QUESTION, ANSWER = "S# " + "  #" + "# G", "S# " + "oo#" + "#oG"


def save(folder: Path, rows: list[tuple[str, str]], head: list[str] = HEAD) -> Path:
    path = folder / "test.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *(("grid", *row, "110") for row in rows)])
    return path


def test_a_maze_is_read_with_its_answer(tmp_path: Path) -> None:
    maps, answers = read(save(tmp_path, [(QUESTION, ANSWER), (QUESTION[::-1], ANSWER[::-1])]))
    assert maps.connectivity == 4
    assert maps.free[0].tolist() == [[True, False, True], [True, True, False], [False, True, True]]
    assert maps.start.tolist() == [[0, 0], [2, 2]]
    assert maps.goal.tolist() == [[2, 2], [0, 0]]
    assert answers == ["2121", "0303"]
    assert path_cells(maps, 0, answers[0])[1:-1].tolist() == [[1, 0], [1, 1], [2, 1]]
    assert label(maps).cost_to_go[[0, 1], maps.start[:, 0], maps.start[:, 1]].tolist() == [4, 4]


def test_published_size(tmp_path: Path) -> None:
    maps = draw(40, 30, 30, 4, False)
    labels = label(maps)
    at_start = labels.cost_to_go[np.arange(40), maps.start[:, 0], maps.start[:, 1]]
    maps = maps[np.flatnonzero(np.isfinite(at_start) & (at_start > 0))]
    rows, paths = [], [path_cells(maps, i, path) for i, path in enumerate(demonstrations(maps, label(maps)))]
    for i, path in enumerate(paths):
        question = np.where(maps.free[i], " ", "#")
        answer = question.copy()
        answer[tuple(path.T)] = "o"
        for tiles in (question, answer):
            tiles[tuple(maps.start[i])], tiles[tuple(maps.goal[i])] = "S", "G"
        rows.append(("".join(question.ravel()), "".join(answer.ravel())))
    found, answers = read(save(tmp_path, rows))
    assert len(found) > 10
    for name in ("free", "start", "goal"):
        np.testing.assert_array_equal(getattr(found, name), getattr(maps, name))
    for i, path in enumerate(paths):
        np.testing.assert_array_equal(path_cells(found, i, answers[i]), path)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("S   " "    " "   G" "    ", "column 1: expected one next cell along the 'o' of the answer, got 0"),
        ("So  " " o  " "   G" "    ", "column 6: expected one next cell along the 'o' of the answer, got 0"),
        ("Soo " " oo " "  oG" "    ", "column 2: expected one next cell along the 'o' of the answer, got 2"),
        ("So  " "oo  " " ooG" "    ", "column 1: expected one next cell along the 'o' of the answer, got 2"),
        ("Soo " "  o " "  oG" "o   ", "column 13: expected 'o' only on one path from S to G in the answer, this is off"
         " it"),
        ("Soo " "  o " "  oG" "   o", "column 16: expected 'o' only on one path from S to G in the answer, this is off"
         " it"),
    ],
)  # fmt: skip
def test_an_answer_is_one_path(tmp_path: Path, answer: str, expected: str) -> None:
    path = save(tmp_path, [(answer.replace("o", " "), answer)])
    with pytest.raises(InputError, match=re.escape(f"{path}: line 2 {expected}") + "$"):
        read(path)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = save(tmp_path, [(QUESTION, ANSWER)])
    path.write_text("\n".join(["question,answer", f"{QUESTION},{ANSWER}", ""]), encoding="utf-8-sig")
    assert read(path)[1] == ["2121"]


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("S# x #  G", ANSWER, "column 4: expected '#', ' ', 'S' or 'G' in the question, got 'x' (row 2 column 1 of"
         " the maze)"),
        (QUESTION[:8], ANSWER, "column 9: expected 3x3 tiles as in line 2, got 8"),
        (QUESTION + "#", ANSWER, "column 10: expected 3x3 tiles as in line 2, got 10"),
        ("## " + QUESTION[3:], ANSWER, "column 1: expected one start 'S' in the question, got 0"),
        ("SS " + QUESTION[3:], ANSWER, "column 2: expected one start 'S' in the question, got 2"),
        (QUESTION[:8] + " ", ANSWER, "column 1: expected one goal 'G' in the question, got 0"),
        (QUESTION, ANSWER[:8], "column 9: expected an answer of 9 tiles, got 8"),
        (QUESTION, "So" + ANSWER[2:], "column 2: expected the question's '#' or 'o' on a free cell in the"
         " answer, got 'o'"),
    ],
)  # fmt: skip
def test_a_malformed_maze_is_one_line(tmp_path: Path, question: str, answer: str, expected: str) -> None:
    path = save(tmp_path, [(QUESTION, ANSWER), (question, answer)])
    with pytest.raises(InputError, match=re.escape(f"{path}: line 3 {expected}") + "$"):
        read(path)


def test_a_table_needs_columns_mazes_and_squares(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 1 column 1: expected columns .*; no column 'answer'"):
        read(save(tmp_path, [], ["source", "question"]))
    with pytest.raises(InputError, match="line 2 column 1: expected at least one maze"):
        read(save(tmp_path, []))
    with pytest.raises(InputError, match="line 2 column 5: expected a square number of tiles, got 6"):
        read(save(tmp_path, [("S#  #G", "S#oo#G")]))
    with pytest.raises(InputError, match="No such file"):
        read(tmp_path / "none.csv")
    (tmp_path / "test.csv").write_bytes(b"question,answer\n\xff,")
    with pytest.raises(InputError, match="not a CSV in UTF-8"):
        read(tmp_path / "test.csv")
