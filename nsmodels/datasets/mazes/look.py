"""Overview of navigation data: maps with their shortest paths, as picture or text, and counts."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nsmodels.core import artifact
from nsmodels.datasets.mazes.actions import ARROWS
from nsmodels.datasets.mazes.files.format import Split, read_index, read_split, splits
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.search import path_cells

COLORS = {
    "wall": (45, 52, 64),
    "free": (245, 245, 240),
    "path": (246, 190, 90),
    "start": (60, 140, 90),
    "goal": (200, 60, 60),
}
MARGIN = 6


def contact_sheet(folder: Path, columns: int = 6, tile: int = 130) -> bytes:
    """PNG bytes of the first maps of each kind in a row, with path (yellow), start (green) and goal (red).

    The maps are those of the test split if the data have one, else of the first split.
    """
    present = splits(folder)
    data = read_split(folder, "test" if "test" in present else present[0])
    rows = [numbers[:columns] for _, numbers in sorted(data.index.groupby("kind").indices.items())]
    wanted = {int(row) for numbers in rows for row in numbers}
    tiles = {row: _tile(maps, digits, tile) for row, maps, digits in _problems(data, wanted)}
    step = tile + MARGIN
    sheet = Image.new("RGB", (columns * step + MARGIN, len(rows) * step + MARGIN), "white")
    for down, numbers in enumerate(rows):
        for across, row in enumerate(numbers):
            sheet.paste(tiles[int(row)], (MARGIN + across * step, MARGIN + down * step))
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def as_text(folder: Path, split: str, number: int) -> list[str]:
    """The first `number` problems of a split, each a line of facts and its map: S start, G goal, arrows the path."""
    data = read_split(folder, split)
    drawn = []
    for row, maps, digits in _problems(data, set(range(min(number, len(data.index))))):
        about = data.index.iloc[row]
        head = f"{about['name']}: {about['kind']}, {about['num_steps']} steps, cost {about['cost']:g}"
        drawn.append((row, f"{head}, detour {about['detour']:.2f}\n{_text(maps, digits)}"))
    return [text for _, text in sorted(drawn)]


def problems_left_out(folder: Path) -> list[str]:
    """Number of the problems of a local source that are not in the data, by reason, one line each."""
    metrics = _metrics(folder)
    lines = [f"{number} problems left out: {reason}" for reason, number in metrics.get("num_skipped", {}).items()]
    if wrong := metrics.get("num_disagreeing"):
        lines += [
            f"{wrong} of {metrics['num_compared']} problems list a different optimal cost; the computed one is used"
        ]
    return lines


def files_not_used(folder: Path) -> list[str]:
    """Files of a local source that are not in the data, one line each with the reason."""
    metrics = _metrics(folder)
    named = metrics.get("unused_files", [])
    more = metrics.get("num_unused_files", 0) - len(named)
    lines = [f"file not used: {text}" for text in named]
    return lines + ([f"{more} more files not used"] if more > 0 else [])


def _metrics(folder: Path) -> dict[str, Any]:
    """Metrics of the data; none of a plain folder."""
    return artifact.read_manifest(folder).metrics if (folder / artifact.MANIFEST).exists() else {}


def distributions(folder: Path) -> dict[str, Any]:
    """Number of problems by split, and shares by kind, path length, detour and density, of all but split transfer."""
    index = read_index(folder)
    counts: dict[str, Any] = {f"num_{split}": len(index.query("split == @split")) for split in splits(folder)}
    index = index.query("split != 'transfer'") if len(counts) > 1 else index
    return {
        **counts,
        "kinds": index["kind"].value_counts(normalize=True).to_dict(),
        "path_length": _shares(index["num_steps"].to_numpy(), [1, 2, 4, 8, 12, 16, 24, 32, 64, 128, 1 << 30]),
        "detour": _shares(index["detour"].to_numpy(), [1, 1.0001, 1.25, 1.5, 2, 3, 5, 1 << 30]),
        "density": _shares(index["density"].to_numpy(), [i / 10 for i in range(11)]),
    }


def _shares(values: NDArray, edges: list[float]) -> dict[str, float]:
    """Share of the values in each half-open interval between two consecutive edges."""
    numbers, _ = np.histogram(values, edges)
    names = [_interval(low, high) for low, high in pairwise(edges)]
    return {name: float(number / len(values)) for name, number in zip(names, numbers, strict=True)}


def _interval(low: float, high: float) -> str:
    return f"from {low:.3g}" if high == 1 << 30 else f"{low:.3g}" if high < low + 0.001 else f"{low:.3g} to {high:.3g}"


def _problems(data: Split, wanted: set[int]) -> list[tuple[int, Maps, str]]:
    """Row number, problem and path of each wanted row."""
    paths = data.index["path"]
    return [
        (int(row), group.maps[[place]], paths.iloc[row])
        for group in data.groups
        for place, row in enumerate(group.rows)
        if int(row) in wanted
    ]


def _tile(maps: Maps, digits: str, size: int) -> Image.Image:
    pixels = np.where(maps.free[0][..., None], COLORS["free"], COLORS["wall"]).astype(np.uint8)
    for color, cells in (("path", path_cells(maps, 0, digits)), ("start", maps.start), ("goal", maps.goal)):
        pixels[cells[:, 0], cells[:, 1]] = COLORS[color]
    return _fitted(pixels, size)


def _fitted(pixels: NDArray[np.uint8], size: int) -> Image.Image:
    """A square picture of `size` pixels with the map in its middle, its cells square."""
    height, width = pixels.shape[:2]
    scale = size / max(height, width)
    picture = Image.fromarray(pixels).resize(
        (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.NEAREST
    )
    square = Image.new("RGB", (size, size), "white")
    square.paste(picture, ((size - picture.width) // 2, (size - picture.height) // 2))
    return square


def _text(maps: Maps, digits: str) -> str:
    cells = np.where(maps.free[0], ".", "#")
    for (row, column), digit in zip(path_cells(maps, 0, digits), digits, strict=False):
        cells[row, column] = ARROWS[int(digit)]
    cells[tuple(maps.start[0])], cells[tuple(maps.goal[0])] = "S", "G"
    return "\n".join("".join(line) for line in cells)
