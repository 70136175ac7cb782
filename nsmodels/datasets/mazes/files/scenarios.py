"""Scenarios of the MovingAI benchmark sets: problems on a map with the length of an optimal path.

The lengths are 8-connected, a diagonal move is √2 long and does not cut a corner. A problem that cannot be posed on the
map is skipped with its reason, and the others are used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import OCTILE, DiagonalRule
from nsmodels.datasets.mazes.files.movingai import OUTSIDE, TERRAINS, read_terrain
from nsmodels.datasets.mazes.files.text import fault, lines_of, quoted
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.distances import costs_at_start

COLUMNS = ("bucket", "map", "width", "height", "start_col", "start_row", "goal_col", "goal_row", "optimal")
ENDS = ["start_row", "start_col", "goal_row", "goal_col"]
# Relative. The makers of some scenarios summed a rounded √2, so that of "38.62741699" not all digits are right. Two
# different lengths a + b√2 below 100 are at least 5e-3 apart, so this accepts no wrong length there.
TOLERANCE = 1e-5
MALFORMED, SIZE, OUT, WALL, TERRAIN, NAME, UNREACHABLE = (
    "malformed line",
    "different map size",
    "start or goal outside the map",
    "start or goal in a wall",
    "start and goal on different terrain",
    "different map name",
    "no path from start to goal",
)
_NUMBER = re.compile(r"\d{1,9}")
_LENGTH = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?")


class Skipped(NamedTuple):
    """A problem that is left out: the reason, one of a few, and the fault with file, line and column."""

    reason: str
    fault: str


@dataclass(frozen=True)
class Listing:
    """The problems of a scenario.

    Attributes:
        table: usable problems, indexed by their line in the file: bucket, map, width, height, `ENDS`, optimal, and
            tolerance: half a unit of the last digit written of optimal.
        skipped: the others.
    """

    table: pd.DataFrame
    skipped: list[Skipped]

    @property
    def num_listed(self) -> int:
        """Number of problems in the file."""
        return len(self.table) + len(self.skipped)


@dataclass(frozen=True)
class Verification:
    """Comparison of the lengths listed in a scenario with exact search.

    Attributes:
        number: number of problems in the file.
        num_agreeing: number of problems whose listed length is optimal, to the digits listed.
        disagreements: one line for each problem with a different optimum.
        skipped: one line for each problem that cannot be posed on the map.
        note: one line when the scenario names a different map, else empty.
    """

    number: int
    num_agreeing: int
    disagreements: list[str]
    skipped: list[str]
    note: str = ""


def read_scenarios(path: Path, terrain: NDArray) -> Listing:
    """Problems of a .scen file on a map, its terrain or bool (height, width), True on free cells.

    Raises `InputError` with file, line and column as `scan`, and when no problem can be posed on the map.
    """
    found = scan(path, terrain)
    if found.table.empty:
        more = f"; none of the {len(found.skipped)} problems can be posed" if len(found.skipped) > 1 else ""
        raise InputError(found.skipped[0].fault + more)
    return found


def scan(path: Path, terrain: NDArray, names: frozenset[str] | None = None) -> Listing:
    """As `read_scenarios`, with an empty table where every problem is skipped; only problems that name one of `names`.

    Raises `InputError` for a file that is not text, has no header and no problem at its beginning, or no problem.
    """
    kinds, rows, skipped = np.asarray(terrain, np.uint8), {}, []
    for number, line in _problem_lines(path):
        if names is not None and _name(line) not in names:
            continue
        try:
            rows[number] = _problem(path, number, line, kinds)
        except _UnusableError as error:
            skipped.append(Skipped(error.reason, str(error)))
    if not rows and not skipped:
        raise fault(path, 2, 1, "expected at least one problem, the file ends here")
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[*COLUMNS, "tolerance"])
    order = [*COLUMNS[:4], *ENDS, "optimal", "tolerance"]
    return Listing(table.reindex(columns=order).rename_axis("line"), skipped)


def maps_named(path: Path) -> Counter[str]:
    """The maps that the problems of a .scen file name, with the number of problems of each; `InputError` as `scan`."""
    return Counter(name for _, line in _problem_lines(path) if (name := _name(line)))


def name_of(text: str) -> str:
    """File name of a map in a scenario, which may contain folders of Unix or of Windows."""
    return re.split(r"[/\\]", text.strip())[-1]


def is_of_other_map(map: Path, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each problem of a scenario, bool (n,), names a map with a different file name; folders may differ."""
    return np.array([name_of(text).casefold() != map.name.casefold() for text in table["map"]], bool)


def agrees(listed: NDArray, exact: NDArray, tolerance: NDArray) -> NDArray[np.bool_]:
    """Whether each listed length is the exact one to the digits written, `tolerance` half a unit of the last."""
    # the last term: 2.825 and 2.83 are half a unit apart, and a little more in binary
    allowed = np.maximum(tolerance, TOLERANCE * np.maximum(listed, 10.0)) + 1e-9 * np.maximum(listed, 1.0)
    return np.isfinite(exact) & (np.abs(np.where(np.isfinite(exact), exact, 0) - listed) <= allowed)


def layers(terrain: NDArray, table: pd.DataFrame) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """Pairs of free cells, bool (height, width), and the problems on them: the terrain of their start is theirs."""
    kinds = np.asarray(terrain, np.uint8)
    of_start = kinds[table["start_row"].to_numpy(np.int64), table["start_col"].to_numpy(np.int64)]
    return ((kinds == kind, np.flatnonzero(of_start == kind)) for kind in np.unique(of_start))


def ends_of(table: pd.DataFrame) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Start and goal of each problem, int16 (n, 2)."""
    cells = table[ENDS].to_numpy(np.int16)
    return cells[:, :2], cells[:, 2:]


def on_map(free: NDArray[np.bool_], table: pd.DataFrame, connectivity: int, diagonals: DiagonalRule = OCTILE) -> Maps:
    """The problems of a table on one map, bool (height, width), which they share."""
    shared = np.broadcast_to(free, (len(table), *free.shape))
    return Maps(shared, *ends_of(table), None, connectivity, diagonals)


def exact_costs(
    terrain: NDArray, table: pd.DataFrame, connectivity: int = 8, diagonals: DiagonalRule = OCTILE
) -> NDArray[np.float64]:
    """Optimal cost of each problem, float64 (n,), each on its own terrain; inf where there is no path."""
    found = np.full(len(table), np.inf)
    for free, rows in layers(terrain, table):
        found[rows] = costs_at_start(on_map(free, table.iloc[rows], connectivity, diagonals))
    return found


def verify(map: Path, scen: Path, diagonals: DiagonalRule = OCTILE) -> Verification:
    """Solve every problem of a scenario exactly, 8-connected, and compare with the length listed.

    Raises `InputError` when one of the files is missing or malformed, or no problem can be posed on the map.
    """
    terrain = read_terrain(map)
    listing = read_scenarios(scen, terrain)
    table, exact = listing.table, exact_costs(terrain, listing.table, 8, diagonals)
    listed = table["optimal"].to_numpy(float)
    start, goal = ends_of(table)
    disagreements = [
        f"{scen}: line {table.index[i]}: row {start[i, 0]}, column {start[i, 1]} to row {goal[i, 0]}, "
        f"column {goal[i, 1]}: listed {listed[i]:.10g}, optimal {exact[i]:.10g}"
        for i in np.flatnonzero(~agrees(listed, exact, table["tolerance"].to_numpy(float))).tolist()
    ]
    return Verification(
        listing.num_listed,
        len(table) - len(disagreements),
        disagreements,
        [skipped.fault for skipped in listing.skipped],
        _note(map, scen, table),
    )


def _note(map: Path, scen: Path, table: pd.DataFrame) -> str:
    is_other = is_of_other_map(map, table)
    if not is_other.any():
        return ""
    first = int(is_other.argmax())
    named = f"line {table.index[first]} names the map {quoted(str(table['map'].iloc[first]))}"
    return f"{scen}: {named}, not {map.name}; {is_other.sum()} of {len(table)} problems name a different map"


def _problem_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line with a problem. The first line may be the version, or already a problem."""
    lines = lines_of(path, "MovingAI")
    is_headed = bool(re.fullmatch(r"version\s*\d+(\.\d+)?\s*", lines[0], re.IGNORECASE))
    if not is_headed and len(_fields(lines[0])) != len(COLUMNS):
        raise fault(path, 1, 1, f"expected 'version 1', got {quoted(lines[0])}")
    return ((n, line) for n, line in enumerate(lines, start=1) if n > is_headed and line.strip())


class _UnusableError(Exception):
    """A problem that cannot be used: its text is the fault."""

    def __init__(self, reason: str, path: Path, line: int, column: int, what: str) -> None:
        super().__init__(str(fault(path, line, column, what)))
        self.reason = reason


def _fields(line: str) -> list[str]:
    """Fields of a problem, as many as `COLUMNS` if there is a way to read it so."""
    tabbed = line.rstrip().split("\t")
    if len(tabbed) == len(COLUMNS) or not line.strip():
        return tabbed
    words = line.split()
    surplus = len(words) - len(COLUMNS)
    if surplus > 0 and "\t" not in line and words[1 + surplus].casefold().endswith(".map"):
        # a map whose name has spaces, between fields that have none
        return [words[0], " ".join(words[1 : 2 + surplus]), *words[2 + surplus :]]
    return words


def _name(line: str) -> str:
    """The map that a problem names, empty in a malformed line."""
    fields = _fields(line)
    return fields[1].strip() if len(fields) == len(COLUMNS) else ""


def _problem(path: Path, number: int, line: str, terrain: NDArray[np.uint8]) -> list[Any]:
    """Values of `COLUMNS` in one line of a scenario, and the tolerance of its length."""
    fields = _fields(line)
    if len(fields) != len(COLUMNS):
        place = _column(line, len(COLUMNS)) if len(fields) > len(COLUMNS) else len(line.rstrip()) + 1
        what = f"expected {len(COLUMNS)} fields ({', '.join(COLUMNS)}), got {len(fields)}"
        raise _UnusableError(MALFORMED, path, number, place, what)
    values = [_value(path, number, line, k, text) for k, text in enumerate(fields)]
    (height, width), (_, _, listed_width, listed_height, *cells, _) = terrain.shape, values
    if (listed_width, listed_height) != (width, height):
        what = (
            f"expected the map's width {width} and height {height}, got {fields[2].strip()} and {fields[3].strip()}; "
            "give the scenario of this map"
        )
        raise _UnusableError(SIZE, path, number, _column(line, 2 if listed_width != width else 3), what)
    for name, k, x, y in (("start", 4, *cells[:2]), ("goal", 6, *cells[2:])):
        if not (x < width and y < height):
            what = f"expected a {name} inside the map of {width}x{height}, got x {x}, y {y}"
            raise _UnusableError(OUT, path, number, _column(line, k), what)
        if terrain[y, x] == OUTSIDE:
            what = f"expected a {name} on a free cell, got x {x}, y {y} in a wall"
            raise _UnusableError(WALL, path, number, _column(line, k), what)
    of_start, of_goal = (int(terrain[y, x]) for x, y in (cells[:2], cells[2:]))
    if of_start != of_goal:
        what = (
            f"expected a goal on the terrain of the start, {TERRAINS[of_start]}, got x {cells[2]}, y {cells[3]} in "
            f"{TERRAINS[of_goal]}"
        )
        raise _UnusableError(TERRAIN, path, number, _column(line, 6), what)
    return [*values, float(half_unit(fields[-1].strip()))]


def half_unit(text: str) -> float:
    """Half a unit of the last digit written of a number: 0.005 for 2.83, 0.5 for 3, 50 for 1.2e3."""
    exponent = Decimal(text).as_tuple().exponent
    assert isinstance(exponent, int)
    return 0.5 * 10.0**exponent


def _column(line: str, k: int) -> int:
    """Column, from 1 on, at which field k of a line begins."""
    places = [match.start() + 1 for match in re.finditer(r"[^\t]+" if "\t" in line else r"\S+", line.rstrip())]
    return places[k] if k < len(places) else 1


def _value(path: Path, number: int, line: str, k: int, text: str) -> Any:
    name, text = COLUMNS[k], text.strip()
    if name == "map":
        return text
    is_length = name == "optimal"
    if (_LENGTH if is_length else _NUMBER).fullmatch(text) and len(text) <= 40:
        return float(text) if is_length else int(text)
    kind = "a length" if is_length else "a whole number"
    raise _UnusableError(MALFORMED, path, number, _column(line, k), f"expected {kind} as {name}, got {quoted(text)}")
