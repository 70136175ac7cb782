"""MovingAI files: every listed optimum of two real scenarios, and one line for anything malformed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.files.movingai import read_map, write_map
from nsmodels.datasets.mazes.files.scenarios import read_scenarios, verify
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.distances import costs_at_start

DATA = Path(__file__).parents[2] / "data" / "movingai"
ARENA, RANDOM = (DATA / "arena.map", "arena.map.scen"), (DATA / "random-32-32-10.map", "random-32-32-10-random-1.scen")
GOOD = ["type octile", "height 2", "width 3", "map", ".@G", "STO"]
LINE = ["0", "a.map", "3", "2", "0", "0", "0", "1", "1"]


def save(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(("source", "number"), [(ARENA, 160), (RANDOM, 461)])
def test_every_listed_optimum_is_reproduced(source: tuple[Path, str], number: int) -> None:
    found = verify(source[0], DATA / source[1])
    assert found.disagreements == []
    assert found.number == found.num_agreeing == number


def test_eight_decimals_are_reproduced() -> None:
    """`random` lists eight decimals, where `arena` has six digits; its makers summed a rounded √2."""
    free = read_map(RANDOM[0])
    table = read_scenarios(DATA / RANDOM[1], free).table
    start, goal = (table[[f"{end}_row", f"{end}_col"]].to_numpy(np.int16) for end in ("start", "goal"))
    found = costs_at_start(Maps(np.repeat(free[None], len(table), 0), start, goal, None, 8))
    np.testing.assert_allclose(found, table["optimal"], rtol=0, atol=5e-8)


def test_a_wrong_length_is_reported(tmp_path: Path) -> None:
    lines = (DATA / ARENA[1]).read_text().splitlines()
    lines[4] = lines[4].replace("3.41421", "3.41521")
    found = verify(ARENA[0], save(tmp_path, "wrong.scen", lines))
    assert (found.number, found.num_agreeing) == (160, 159)
    assert found.disagreements == [
        f"{tmp_path}/wrong.scen: line 5: row 3, column 1 to row 1, column 3: listed 3.41521, optimal 3.414213562"
    ]


def test_a_scenario_of_another_map_is_noted(tmp_path: Path) -> None:
    map = save(tmp_path, "a.map", GOOD)
    lines = [["0", name, *LINE[2:]] for name in ("maps/x/a.map", "maps\\a.map", "maps/b.map", "c.map")]
    scen = save(tmp_path, "a.scen", ["version 1", *("\t".join(line) for line in lines)])
    found = verify(map, scen)
    assert found.disagreements == []
    assert found.note == (f"{scen}: line 4 names the map 'maps/b.map', not a.map; 2 of 4 problems name a different map")
    assert verify(map, save(tmp_path, "a.scen", ["version 1", "\t".join(LINE)])).note == ""


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    map, scen = tmp_path / "a.map", tmp_path / "a.scen"
    map.write_text("\n".join(GOOD), encoding="utf-8-sig")
    scen.write_text("\n".join(["version 1", "\t".join(LINE)]), encoding="utf-8-sig")
    assert verify(map, scen).num_agreeing == 1


def test_an_unreachable_goal_disagrees(tmp_path: Path) -> None:
    scen = save(tmp_path, "a.scen", ["version 1", "\t".join(["0", "a.map", "3", "2", "0", "0", "2", "0", "2"])])
    found = verify(save(tmp_path, "a.map", GOOD), scen)
    assert found.num_agreeing == 0
    assert found.disagreements[0].endswith("listed 2, optimal inf")


def test_tiles_and_columns_are_read_in_their_order(tmp_path: Path) -> None:
    free = read_map(save(tmp_path, "a.map", GOOD))
    assert free.tolist() == [[True, False, True], [True, False, False]]
    table = read_scenarios(save(tmp_path, "a.scen", ["version 1", "", "\t".join(LINE)]), free).table
    assert table.index.tolist() == [3]
    assert table.iloc[0].to_dict() == {
        "bucket": 0, "map": "a.map", "width": 3, "height": 2, "start_row": 0, "start_col": 0, "goal_row": 1,
        "goal_col": 0, "optimal": 1.0, "tolerance": 0.5,
    }  # fmt: skip


def test_maps_come_back_as_written(tmp_path: Path) -> None:
    free = np.random.default_rng(0).random((5, 9)) < 0.5
    write_map(tmp_path / "a.map", free)
    np.testing.assert_array_equal(read_map(tmp_path / "a.map"), free)
    text = (tmp_path / "a.map").read_text()
    (tmp_path / "a.map").write_bytes(text.replace("\n", "\r\n").encode())
    np.testing.assert_array_equal(read_map(tmp_path / "a.map"), free)


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        (1, "type tile", "line 1 column 1: expected 'type octile', got 'type tile'"),
        (2, "height two", "line 2 column 1: expected 'height <number>' or 'width <number>', got 'height two'"),
        (2, "height 0", "line 2 column 8: expected 1 to 32767, got 0"),
        (3, "height 2", "line 3 column 1: expected 'width <number>', got 'height 2'"),
        (3, "width 4", "line 5 column 4: expected a row of 4 tiles, got 3"),
        (2, "height 3", "line 7 column 1: expected 3 rows as in line 2, got 2"),
        (2, "height 1", "line 6 column 1: expected 1 rows as in line 2, got 2"),
        (4, "tiles", "line 4 column 1: expected 'map', got 'tiles'"),
        (5, ".@X", "line 5 column 3: expected one of the tiles . G S @ O T W, got 'X'"),
        (6, "..", "line 6 column 3: expected a row of 3 tiles, got 2"),
        (6, "....", "line 6 column 4: expected a row of 3 tiles, got 4"),
        (6, "", "line 6 column 1: expected 2 rows as in line 2, got 1"),
    ],
)
def test_a_malformed_map_is_one_line(tmp_path: Path, line: int, text: str, expected: str) -> None:
    path = save(tmp_path, "a.map", [*GOOD[: line - 1], text, *GOOD[line:]])
    with pytest.raises(InputError, match=re.escape(f"{path}: {expected}") + "$"):
        read_map(path)


def test_a_map_needs_a_free_cell_and_text(tmp_path: Path) -> None:
    path = save(tmp_path, "a.map", [*GOOD[:4], "@@@", "TTT"])
    with pytest.raises(
        InputError, match=r"line 5 column 1: expected at least one free cell \(\. G S\), all are blocked"
    ):
        read_map(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="byte 0 is not text"):
        read_map(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="line 1 column 1: expected 'type octile', got nothing"):
        read_map(path)
    with pytest.raises(InputError, match="No such file"):
        read_map(tmp_path / "none.map")


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        (0, "x", "line 2 column 1: expected a whole number as bucket, got 'x'"),
        (
            2,
            "4",
            "line 2 column 9: expected the map's width 3 and height 2, got 4 and 2; give the scenario of this map",
        ),
        (
            3,
            "9",
            "line 2 column 11: expected the map's width 3 and height 2, got 3 and 9; give the scenario of this map",
        ),
        (4, "3", "line 2 column 13: expected a start inside the map of 3x2, got x 3, y 0"),
        (4, "-1", "line 2 column 13: expected a whole number as start_col, got '-1'"),
        (4, "1", "line 2 column 13: expected a start on a free cell, got x 1, y 0 in a wall"),
        (6, "1", "line 2 column 17: expected a goal on a free cell, got x 1, y 1 in a wall"),
        (7, "2", "line 2 column 17: expected a goal inside the map of 3x2, got x 0, y 2"),
        (8, "nan", "line 2 column 21: expected a length as optimal, got 'nan'"),
    ],
)
def test_a_malformed_problem_is_one_line(tmp_path: Path, field: int, text: str, expected: str) -> None:
    free = read_map(save(tmp_path, "a.map", GOOD))
    path = save(tmp_path, "a.scen", ["version 1", "\t".join([*LINE[:field], text, *LINE[field + 1 :]])])
    with pytest.raises(InputError, match=re.escape(f"{path}: {expected}") + "$"):
        read_scenarios(path, free)


def test_a_scenario_needs_header_fields_and_problems(tmp_path: Path) -> None:
    free = read_map(save(tmp_path, "a.map", GOOD))
    for lines, expected in (
        (["type octile"], "line 1 column 1: expected 'version 1', got 'type octile'"),
        (["version 1"], "line 2 column 1: expected at least one problem, the file ends here"),
        (["version 1", "\t".join(LINE[:8])], r"line 2 column 20: expected 9 fields \(bucket, .*\), got 8"),
        (["version 1", "\t".join([*LINE, "1"])], r"line 2 column 23: expected 9 fields \(bucket, .*\), got 10"),
    ):
        with pytest.raises(InputError, match=expected):
            read_scenarios(save(tmp_path, "a.scen", lines), free)
