"""Maps of the MovingAI benchmark sets (Sturtevant, "Benchmarks for Grid-Based Pathfinding", 2012).

Terrain decides which cells a move connects: ground (`.`, `G`) and swamp (`S`) are one kind, water (`W`) a second and
trees (`T`) a third; a move never leads from one kind to another, and `@` and `O` are outside of the map. These are the
rules of the program with which the lengths of the published scenarios were computed: a problem that starts in water is
a problem of the water alone. Files write x, y; here it is always row, column.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.files.text import fault, lines_of, quoted

OUTSIDE, GROUND, WATER, TREES = range(4)
TERRAINS = ("a wall", "ground", "water", "trees")
TILES = {".": GROUND, "G": GROUND, "S": GROUND, "@": OUTSIDE, "O": OUTSIDE, "T": TREES, "W": WATER}
PASSABLE = ".GS"
LARGEST_SIDE = 32_767
_TERRAIN_OF = np.zeros(128, np.uint8)
_TERRAIN_OF[[ord(tile) for tile in TILES]] = list(TILES.values())


def read_map(path: Path) -> NDArray[np.bool_]:
    """Ground of a .map file, bool (height, width): True on the tiles `.`, `G` and `S`.

    Raises `InputError` as `read_terrain`, and when there is none.
    """
    free = read_terrain(path) == GROUND
    if not free.any():
        raise fault(path, 5, 1, f"expected at least one free cell ({' '.join(PASSABLE)}), all are blocked")
    return free


def read_terrain(path: Path) -> NDArray[np.uint8]:
    """Terrain of each cell of a .map file, uint8 (height, width): `OUTSIDE`, `GROUND`, `WATER` or `TREES`.

    White space at the end of a line is ignored. Raises `InputError` with file, line and column for a file that is not
    a map.
    """
    lines = [line.rstrip() for line in lines_of(path, "MovingAI")]
    while lines and not lines[-1]:
        lines.pop()
    size = _header(path, lines)
    rows = lines[4:]
    for number, row in enumerate(rows[: size["height"]], start=5):
        _check_row(path, number, row, size["width"])
    if len(rows) != size["height"]:
        line = 5 + min(len(rows), size["height"])
        raise fault(path, line, 1, f"expected {size['height']} rows as in line {size['height line']}, got {len(rows)}")
    tiles = np.frombuffer("".join(rows).encode("ascii"), np.uint8)
    return _TERRAIN_OF[tiles].reshape(size["height"], size["width"])


def layer(terrain: NDArray[np.uint8], row: int, column: int) -> NDArray[np.bool_]:
    """Cells that moves from a cell can lead to, bool (height, width): those of its kind of terrain.

    The ground for a cell outside of the map.
    """
    height, width = terrain.shape
    kind = int(terrain[row, column]) if 0 <= row < height and 0 <= column < width else OUTSIDE
    return terrain == (kind or GROUND)


def write_map(path: Path, free: NDArray[np.bool_]) -> None:
    """Write bool (height, width) as a .map file: `.` on passable cells, `@` elsewhere."""
    rows = ["".join(row) for row in np.where(free, ".", "@")]
    head = ["type octile", f"height {free.shape[0]}", f"width {free.shape[1]}", "map"]
    path.write_text("\n".join([*head, *rows, ""]), encoding="utf-8")


def _header(path: Path, lines: list[str]) -> dict[str, int]:
    """Height, width, and the number of the line with the height, from the four lines before the rows."""
    lines = lines + [""] * 4
    if not re.fullmatch(r"type\s+octile", lines[0]):
        raise fault(path, 1, 1, f"expected 'type octile', got {quoted(lines[0])}")
    size: dict[str, int] = {}
    for number in (2, 3):
        missing = " or ".join(f"'{name} <number>'" for name in ("height", "width") if name not in size)
        match = re.fullmatch(r"(height|width)\s+(\d{1,9})", lines[number - 1])
        if not match or match[1] in size:
            raise fault(path, number, 1, f"expected {missing}, got {quoted(lines[number - 1])}")
        size[match[1]], size[f"{match[1]} line"] = int(match[2]), number
        if not 1 <= size[match[1]] <= LARGEST_SIDE:
            raise fault(path, number, match.start(2) + 1, f"expected 1 to {LARGEST_SIDE}, got {match[2]}")
    if lines[3] != "map":
        raise fault(path, 4, 1, f"expected 'map', got {quoted(lines[3])}")
    return size


def _check_row(path: Path, number: int, row: str, width: int) -> None:
    unknown = re.search(f"[^{''.join(TILES)}]", row)
    if unknown:
        raise fault(
            path,
            number,
            unknown.start() + 1,
            f"expected one of the tiles {' '.join('.GS@OTW')}, got {quoted(unknown[0])}",
        )
    if len(row) != width:
        raise fault(path, number, min(len(row), width) + 1, f"expected a row of {width} tiles, got {len(row)}")


def check_ends(terrain: NDArray[np.uint8], start: tuple[int, int], goal: tuple[int, int]) -> None:
    """Raise `InputError` when both cells are on the map, but on different kinds of terrain."""
    ends = [int(terrain[cell]) for cell in (start, goal) if cell[0] < terrain.shape[0] and cell[1] < terrain.shape[1]]
    if len(ends) == 2 and ends[0] != ends[1] and OUTSIDE not in ends:
        raise InputError(
            f"goal {goal}: is in {TERRAINS[ends[1]]}, the start {start} in {TERRAINS[ends[0]]}: no move leads from one "
            "to the other; choose two cells on the same terrain"
        )
