"""Maps and scenarios of the MovingAI benchmark sets (Sturtevant, "Benchmarks for Grid-Based Pathfinding", 2012).

A scenario lists problems on one map with the length of an optimal path: 8-connected, a diagonal move is √2 long and
does not cut a corner. Files write x, y; here it is always row, column. A byte-order mark is skipped.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.distances import costs_at_start

PASSABLE, BLOCKED = ".GS", "@OTW"
LARGEST_SIDE = 32_767
COLUMNS = ("bucket", "map", "width", "height", "start_col", "start_row", "goal_col", "goal_row", "optimal")
# Scenario files write lengths with six significant digits or more: "60.9117" may be off by 5e-5, "1234.57" by 5e-3.
# Two different lengths a + b√2 below 100 are at least 5e-3 apart, so this accepts no wrong length there.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Verification:
    """Comparison of the lengths listed in a scenario with exact search.

    Attributes:
        number: number of problems in the file.
        num_agreeing: number of problems whose listed length is optimal, to the digits listed.
        disagreements: one line for each of the others.
        note: one line when the scenario names a different map, else empty.
    """

    number: int
    num_agreeing: int
    disagreements: list[str]
    note: str = ""


def read_map(path: Path) -> NDArray[np.bool_]:
    """Map in a .map file, bool (height, width), True on passable cells (`.`, `G`, `S`).

    Raises `InputError` with file, line and column for a file that is not a map or has no free cell.
    """
    lines = _lines(path)
    while lines and not lines[-1].strip():
        lines.pop()
    size = _header(path, lines)
    rows = lines[4:]
    for number, row in enumerate(rows[: size["height"]], start=5):
        _check_row(path, number, row, size["width"])
    if len(rows) != size["height"]:
        line = 5 + min(len(rows), size["height"])
        raise _fault(path, line, 1, f"expected {size['height']} rows as in line {size['height line']}, got {len(rows)}")
    free = np.array([[tile in PASSABLE for tile in row] for row in rows], bool)
    if not free.any():
        raise _fault(path, 5, 1, f"expected at least one free cell ({' '.join(PASSABLE)}), all are blocked")
    return free


def write_map(path: Path, free: NDArray[np.bool_]) -> None:
    """Write bool (height, width) as a .map file: `.` on passable cells, `@` elsewhere."""
    rows = ["".join(row) for row in np.where(free, ".", "@")]
    head = ["type octile", f"height {free.shape[0]}", f"width {free.shape[1]}", "map"]
    path.write_text("\n".join([*head, *rows, ""]), encoding="utf-8")


def read_scenarios(path: Path, free: NDArray[np.bool_]) -> pd.DataFrame:
    """Problems of a .scen file on the map `free`, bool (height, width), indexed by their line in the file.

    Columns: bucket, map, width, height, start_row, start_col, goal_row, goal_col, optimal. Raises `InputError` with
    file, line and column for a malformed line, a different map size, and a start or goal outside the map or in a wall.
    """
    lines = _lines(path)
    if not lines or not re.fullmatch(r"version\s+\d+(\.\d+)?\s*", lines[0]):
        raise _fault(path, 1, 1, f"expected 'version 1', got {_quoted(lines[0] if lines else '')}")
    problems = {n: _problem(path, n, line, free) for n, line in enumerate(lines[1:], start=2) if line.strip()}
    if not problems:
        raise _fault(path, 2, 1, "expected at least one problem, the file ends here")
    table = pd.DataFrame.from_dict(problems, orient="index", columns=list(COLUMNS))
    order = ["bucket", "map", "width", "height", "start_row", "start_col", "goal_row", "goal_col", "optimal"]
    return table.reindex(columns=order).rename_axis("line")


def verify(map: Path, scen: Path) -> Verification:
    """Solve every problem of a scenario exactly and compare with the length listed.

    Raises `InputError` when one of the files is missing or malformed.
    """
    free = read_map(map)
    table = read_scenarios(scen, free)
    start, goal = (table[[f"{end}_row", f"{end}_col"]].to_numpy(np.int16) for end in ("start", "goal"))
    found = costs_at_start(Maps(np.broadcast_to(free, (len(table), *free.shape)), start, goal, None, 8))
    listed = table["optimal"].to_numpy(float)
    is_wrong = ~(abs(found - listed) <= TOLERANCE * np.maximum(listed, 10.0))
    disagreements = [
        f"{scen}: line {table.index[i]}: row {start[i, 0]}, column {start[i, 1]} to row {goal[i, 0]}, "
        f"column {goal[i, 1]}: listed {listed[i]:.10g}, optimal {found[i]:.10g}"
        for i in np.flatnonzero(is_wrong)
    ]
    return Verification(len(table), len(table) - len(disagreements), disagreements, _note(map, scen, table))


def is_of_other_map(map: Path, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each problem of a scenario, bool (n,), names a map with a different file name; folders may differ."""
    return np.array([re.split(r"[/\\]", text.strip())[-1] != map.name for text in table["map"]], bool)


def _note(map: Path, scen: Path, table: pd.DataFrame) -> str:
    is_other = is_of_other_map(map, table)
    if not is_other.any():
        return ""
    first = int(is_other.argmax())
    named = f"line {table.index[first]} names the map {_quoted(str(table['map'].iloc[first]))}"
    return f"{scen}: {named}, not {map.name}; {is_other.sum()} of {len(table)} problems name a different map"


def _header(path: Path, lines: list[str]) -> dict[str, int]:
    """Height, width, and the number of the line with the height, from the four lines before the rows."""
    lines = lines + [""] * 4
    if not re.fullmatch(r"type\s+octile\s*", lines[0]):
        raise _fault(path, 1, 1, f"expected 'type octile', got {_quoted(lines[0])}")
    size: dict[str, int] = {}
    for number in (2, 3):
        missing = " or ".join(f"'{name} <number>'" for name in ("height", "width") if name not in size)
        match = re.fullmatch(r"(height|width)\s+(\d{1,9})\s*", lines[number - 1])
        if not match or match[1] in size:
            raise _fault(path, number, 1, f"expected {missing}, got {_quoted(lines[number - 1])}")
        size[match[1]], size[f"{match[1]} line"] = int(match[2]), number
        if not 1 <= size[match[1]] <= LARGEST_SIDE:
            raise _fault(path, number, match.start(2) + 1, f"expected 1 to {LARGEST_SIDE}, got {match[2]}")
    if lines[3].rstrip() != "map":
        raise _fault(path, 4, 1, f"expected 'map', got {_quoted(lines[3])}")
    return size


def _check_row(path: Path, number: int, row: str, width: int) -> None:
    unknown = re.search(f"[^{PASSABLE}{BLOCKED}]", row)
    if unknown:
        tiles = " ".join(PASSABLE + BLOCKED)
        raise _fault(path, number, unknown.start() + 1, f"expected one of the tiles {tiles}, got {_quoted(unknown[0])}")
    if len(row) != width:
        raise _fault(path, number, min(len(row), width) + 1, f"expected a row of {width} tiles, got {len(row)}")


def _problem(path: Path, number: int, line: str, free: NDArray[np.bool_]) -> list[Any]:
    """Values of `COLUMNS` in one line of a scenario."""
    fields = list(re.finditer(r"[^\t]+" if "\t" in line else r"\S+", line.rstrip()))
    at = [field.start() + 1 for field in fields]
    if len(fields) != len(COLUMNS):
        column = at[len(COLUMNS)] if len(fields) > len(COLUMNS) else len(line.rstrip()) + 1
        raise _fault(path, number, column, f"expected {len(COLUMNS)} fields ({', '.join(COLUMNS)}), got {len(fields)}")
    values = [_value(path, number, f.start() + 1, n, f[0]) for f, n in zip(fields, COLUMNS, strict=True)]
    (height, width), (_, _, listed_width, listed_height, *cells, _) = free.shape, values
    if (listed_width, listed_height) != (width, height):
        column = at[2] if listed_width != width else at[3]
        raise _fault(
            path,
            number,
            column,
            f"expected the map's width {width} and height {height}, got {fields[2][0]} and "
            f"{fields[3][0]}; give the scenario of this map",
        )
    for name, column, x, y in (("start", at[4], *cells[:2]), ("goal", at[6], *cells[2:])):
        if not (x < width and y < height):
            raise _fault(
                path, number, column, f"expected a {name} inside the map of {width}x{height}, got x {x}, y {y}"
            )
        if not free[y, x]:
            raise _fault(path, number, column, f"expected a {name} on a free cell, got x {x}, y {y} in a wall")
    return values


def _value(path: Path, number: int, column: int, name: str, text: str) -> Any:
    if name == "map":
        return text
    is_length = name == "optimal"
    if is_length and re.fullmatch(r"\d+(\.\d*)?([eE][+-]?\d{1,2})?", text.strip()) and math.isfinite(float(text)):
        return float(text)
    if not is_length and re.fullmatch(r"\d{1,9}", text.strip()):
        return int(text)
    kind = "a length" if is_length else "a whole number"
    raise _fault(path, number, column, f"expected {kind} as {name}, got {_quoted(text)}")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").removeprefix("\ufeff").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not text; expected a MovingAI file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give an existing file") from None


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 30 else f"{text[:30]}…") if text else "nothing"


def _fault(path: Path, line: int, column: int, what: str) -> InputError:
    return InputError(f"{path}: line {line} column {column}: {what}")
