"""Pictures of the problems that a navigator solves worst."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.solving import search
from nsmodels.systems.nav.evaluation.scorer import MODEL, Measurements, Problems
from nsmodels.systems.nav.evaluation.summary import LENGTHS, length_names
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.pictures.drawing import draw_plan
from nsmodels.systems.nav.planning.plan import plan_many


def draw_cases(
    navigator: Navigator,
    problems: Sequence[Problems],
    measured: Measurements,
    out: Path,
    max_steps: int | None = None,
) -> list[Path]:
    """Draw the worst problem as the picture `out`, or without a suffix that of each range of lengths into a folder.

    The worst is the shortest that is not solved, else the one whose path is longest for its optimum. `measured` are the
    measurements on `problems`. Returns the pictures. Raises InputError for a suffix other than .png, .svg and .pdf.
    """
    names, order = length_names(measured.tables[MODEL]["optimum"]), worst_first(measured)
    chosen = {out: order[0]}
    if not out.suffix:
        files = {name: out / f"length_{name.replace(' ', '_')}.png" for name in LENGTHS}
        chosen = {files[name]: order[names[order] == name][0] for name in LENGTHS if (names == name).any()}
    ends = np.cumsum([len(part.maps) for part in problems])
    for path, number in chosen.items():
        place = int(np.searchsorted(ends, number, side="right"))
        part, row = problems[place], int(number - ends[place] + len(problems[place].maps))
        _draw(navigator, part, row, path, max_steps)
    return list(chosen)


def worst_first(measured: Measurements) -> NDArray[np.int64]:
    """Numbers of the problems (n,): the unsolved ones from short to long, the others from long way round to optimal."""
    table = measured.tables[MODEL]
    excess = np.divide(table["cost"], table["optimum"], out=np.ones_like(table["cost"]), where=table["optimum"] > 0)
    return np.lexsort((table["optimum"], np.where(table["success"] > 0, -excess, 0), table["success"]))


def _draw(navigator: Navigator, problems: Problems, row: int, path: Path, max_steps: int | None) -> None:
    maps = problems.maps[[row]]
    (plan,) = plan_many(navigator, maps, max_steps=max_steps)
    best = search.astar(maps, 0)
    heading = str(problems.facts["name"][row])
    if best is not None:
        heading += f": optimal cost {search.path_cost(maps, 0, best):.6g}"
    draw_plan(plan, maps, 0, path, best, heading)
