"""Scenarios as people write them: any number of decimals, bad problems among good ones, terrain, odd formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.files import scenarios
from nsmodels.datasets.mazes.files.movingai import read_map, read_terrain
from nsmodels.datasets.mazes.files.scenarios import exact_costs, half_unit, read_scenarios, scan, verify
from nsmodels.datasets.mazes.solving import search

DATA = Path(__file__).parents[2] / "data" / "movingai"
OPEN = ["...", "...", "..."]


def save(folder: Path, rows: list[str], lines: list[str], head: str = "version 1\n") -> tuple[Path, Path]:
    map, scen = folder / "a.map", folder / "a.map.scen"
    map.write_text(f"type octile\nheight {len(rows)}\nwidth {len(rows[0])}\nmap\n" + "".join(f"{r}\n" for r in rows))
    scen.write_text(head + "".join(f"{line}\n" for line in lines))
    return map, scen


def line(start: tuple[int, int], goal: tuple[int, int], length: str, size: str = "3\t3", name: str = "a.map") -> str:
    """A problem with start and goal as row and column; the file writes column and row."""
    return f"0\t{name}\t{size}\t{start[1]}\t{start[0]}\t{goal[1]}\t{goal[0]}\t{length}"


@pytest.mark.parametrize(
    ("length", "is_right"),
    [
        ("2.83", True), ("2.8", True), ("3", True), ("2.828", True), ("2.82842712", True), ("2.82842712474619", True),
        ("2.83e0", True), ("0.283e1", True), ("28.3E-1", True), ("3.", True), ("2.830", False), ("2.82", False),
        ("2.84", False), ("2.9", False), ("2", False), ("4", False), ("2.8e0", True), ("2.83000000", False),
    ],
)  # fmt: skip
def test_a_length_is_right_to_half_a_unit_of_its_last_digit(length: str, is_right: bool, tmp_path: Path) -> None:
    found = verify(*save(tmp_path, OPEN, [line((0, 0), (2, 2), length)]))
    assert (found.num_agreeing == 1) == is_right


def test_half_units() -> None:
    given = {
        "2.83": 0.005,
        "3": 0.5,
        "3.": 0.5,
        "3.00": 0.005,
        "1.2e3": 50.0,
        "1e0": 0.5,
        "12.5e-2": 0.0005,
        ".5": 0.05,
    }
    assert {text: half_unit(text) for text in given} == pytest.approx(given)


@pytest.mark.parametrize("decimals", range(9))
@pytest.mark.parametrize(
    "names", [("arena.map", "arena.map.scen"), ("random-32-32-10.map",) * 2], ids=["arena", "random"]
)
def test_real_scenarios_agree_however_many_decimals_they_list(
    decimals: int, names: tuple[str, str], tmp_path: Path
) -> None:
    map = DATA / names[0]
    scen = DATA / (names[1] if names[1].endswith(".scen") else "random-32-32-10-random-1.scen")
    terrain = read_terrain(map)
    table = read_scenarios(scen, terrain).table
    exact = exact_costs(terrain, table)
    rows = [
        "\t".join([*text.split("\t")[:-1], f"{cost:.{decimals}f}"])
        for text, cost in zip(scen.read_text().splitlines()[1:], exact, strict=True)
    ]
    (tmp_path / "rounded.scen").write_text("\n".join(["version 1", *rows, ""]))
    found = verify(map, tmp_path / "rounded.scen")
    assert (found.disagreements, found.skipped) == ([], [])


def test_one_bad_problem_of_each_kind_leaves_the_others(tmp_path: Path) -> None:
    rows = [".@.", "@@W", ".TW"]
    good = [line((1, 2), (2, 2), "1"), line((0, 0), (0, 0), "0")]
    bad = {
        line((0, 1), (0, 0), "1"): scenarios.WALL,
        line((0, 0), (0, 1), "1"): scenarios.WALL,
        line((0, 3), (0, 0), "1"): scenarios.OUT,
        line((0, 0), (7, 0), "1"): scenarios.OUT,
        line((0, 0), (1, 2), "1"): scenarios.TERRAIN,
        line((0, 0), (2, 1), "1"): scenarios.TERRAIN,
        line((0, 0), (0, 0), "1", size="4\t3"): scenarios.SIZE,
        line((0, 0), (0, 0), "one"): scenarios.MALFORMED,
        "0\ta.map\t3": scenarios.MALFORMED,
    }
    map, scen = save(tmp_path, rows, [*good[:1], *bad, *good[1:]])
    found = scan(scen, read_terrain(map))
    assert [skipped.reason for skipped in found.skipped] == list(bad.values())
    assert all(f"{scen}: line {n} column " in skipped.fault for n, skipped in enumerate(found.skipped, start=3))
    assert list(found.table.index) == [2, 3 + len(bad)]
    checked = verify(map, scen)
    assert (checked.number, checked.num_agreeing, len(checked.skipped)) == (2 + len(bad), 2, len(bad))


def test_all_bad_is_an_error_that_reports_the_first(tmp_path: Path) -> None:
    map, scen = save(tmp_path, [".@."], [line((0, 1), (0, 0), "1", "3\t1")] * 2)
    with pytest.raises(
        InputError, match=r"line 2 column \d+: expected a start on a free cell, .*; none of the 2 problems"
    ):
        verify(map, scen)


def test_terrain_connects_only_cells_of_its_kind(tmp_path: Path) -> None:
    """Swamp is ground; water and trees are each of their own; corners between them are walls of each other."""
    rows = [".SG@", "WW.T", "TWWT"]
    map, scen = save(tmp_path, rows, [
        line((0, 0), (0, 2), "2", "4\t3"),  # over the swamp
        line((0, 1), (1, 2), "2", "4\t3"),  # not diagonally past the water
        line((1, 0), (2, 2), "3", "4\t3"),  # in the water, not past ground or trees
        line((1, 3), (2, 3), "1", "4\t3"),  # in the trees
        line((2, 0), (2, 3), "3", "4\t3"),  # from trees to trees, apart
    ])  # fmt: skip
    terrain = read_terrain(map)
    assert exact_costs(terrain, read_scenarios(scen, terrain).table).tolist() == [2, 2, 3, 1, np.inf]
    assert read_map(map).tolist() == [[True, True, True, False], [False, False, True, False], [False] * 4]


def test_problems_in_water_are_those_of_an_independent_search(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tiles = rng.choice(list("..GSWWT@"), (9, 9))
    ends = [tuple(map(tuple, rng.integers(0, 9, (2, 2)).tolist())) for _ in range(200)]
    map_file, scen = save(tmp_path, ["".join(row) for row in tiles], [line(*pair, "1", "9\t9") for pair in ends])
    terrain = read_terrain(map_file)
    table = scan(scen, terrain).table
    kinds = {".": "g", "G": "g", "S": "g", "W": "w", "T": "t"}
    found = exact_costs(terrain, table)
    for number, cost in zip(table.index, found, strict=True):
        start, goal = ends[number - 2]
        kind = kinds[tiles[start]]
        free = np.array([[kinds.get(tile) == kind for tile in row] for row in tiles])
        maps = scenarios.on_map(free, table.loc[[number]], 8)
        way = search.dijkstra(maps, 0)
        assert cost == pytest.approx(np.inf if way is None else search.path_cost(maps, 0, way))
        assert tuple(maps.goal[0]) == goal
    assert len(table) > 30


@pytest.mark.parametrize(
    "content",
    [
        "version 1.0\n0 a.map 3 3 0 0 2 2 2.83\n",
        "Version 1\n0\ta.map\t3\t3\t0\t0\t2\t2\t2.83\n",
        "0\ta.map\t3\t3\t0\t0\t2\t2\t2.83\n",
        "\ufeffversion 1\r\n0\ta.map\t3\t3\t0\t0\t2\t2\t2.83\r\n\r\n",
        "version 1 \n0\tmaps\\my a.map\t3\t3\t0\t0\t2\t2\t2.83 \t\n",
        "version 1\n0 maps/my a.map 3 3 0 0 2 2 2.83  \n",
        "version 1\n0\ta.map 3 3\t0 0 2 2 2.83\n",
        "version 1\n 0\t a.map\t3 \t3\t0\t0\t2\t2\t2.83",
    ],
)
def test_formats_that_people_write(content: str, tmp_path: Path) -> None:
    map, scen = save(tmp_path, OPEN, [])
    scen.write_bytes(content.encode())
    assert verify(map, scen).num_agreeing == 1


def test_maps_with_carriage_returns_blanks_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    path.write_bytes("\ufefftype octile \r\nheight 2\r\nwidth 3\t\r\nmap\r\n..@  \r\nSGT\t\r\n\r\n \r\n".encode())
    assert read_map(path).tolist() == [[True, True, False], [True, True, False]]
