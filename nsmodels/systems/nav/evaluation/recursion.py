"""Scores by number of recursion steps, fewer and more than in training, and the halting of the navigator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, label
from nsmodels.systems.nav.evaluation.scorer import MODEL, Measurements, Problems
from nsmodels.systems.nav.evaluation.scoring import Table, calibration, concatenate_tables, means, score
from nsmodels.systems.nav.network.navigator import Navigator

FACTORS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)  # of the steps in training
SHARES = ("any_optimal", "success")
SAMPLE, SAMPLE_CELLS = 500, 2**17
LONGER, BEARABLE = 2.0, 0.2  # factor of longer recursions, and percentage points that it may lose


def steps_curve(navigator: Navigator, problems: Sequence[Problems]) -> dict[str, Any]:
    """Scores by number of steps, without halting, on a sample of `problems`.

    `points` have factor (of the steps in training), steps, any_optimal, success, spl and n, in which each cell holds
    its surest readout for a few segments; `raw_any_optimal` and `raw_success` are those of the last segment's readout.
    `thinking_longer`: difference of twice the trained number of steps to the trained number, in percentage points;
    `worst`: smallest difference for any larger number.
    """
    sample = [(maps, label(maps)) for maps in _sample(problems)]
    held = _by_steps(navigator, sample, is_held=True)
    raw = _by_steps(navigator, sample, is_held=False) if navigator.is_holding else held
    points = [_point(navigator, steps, held[steps], raw[steps]) for steps in sorted(held)]
    found = {"trained": navigator.trained_steps, "is_holding": navigator.is_holding, "points": points}
    return found | {"thinking_longer": _longer(points)}


def _by_steps(navigator: Navigator, sample: list[tuple[Maps, Labels]], is_held: bool) -> dict[int, Table]:
    tables: dict[int, list[Table]] = {}
    wanted = [round(factor * navigator.trained_steps) for factor in FACTORS]
    for maps, labels in sample:
        for steps, policy in navigator.policies_by_step(maps, wanted, is_held):
            tables.setdefault(steps, []).append(score(policy.actions, maps, labels))
    return {steps: concatenate_tables(parts) for steps, parts in tables.items()}


def _point(navigator: Navigator, steps: int, held: Table, raw: Table) -> dict[str, Any]:
    shares = {name: value for name, value in means(held).items() if name != "optimal"}
    shares |= {f"raw_{name}": means(raw)[name] for name in SHARES}
    return {"factor": steps / navigator.trained_steps, "steps": steps, **shares, "n": len(held["success"])}


def _longer(points: list[dict[str, Any]]) -> dict[str, Any]:
    trained = next(point for point in points if point["factor"] >= 1)
    longer = next(point for point in points if point["factor"] >= LONGER)
    later = [point for point in points if point["factor"] > trained["factor"]]
    found: dict[str, Any] = {name: _gain(longer, trained, name) for name in SHARES}
    raw = {f"raw_{name}": _gain(longer, trained, f"raw_{name}") for name in SHARES}
    worst = min(_gain(point, trained, name) for point in later for name in SHARES)
    is_safe = min(found.values()) >= -BEARABLE
    return {**found, **raw, "factor": longer["factor"], "worst": worst, "is_safe": is_safe}


def _gain(longer: dict[str, Any], trained: dict[str, Any], name: str) -> float:
    return 100 * (longer[name] - trained[name])


def _sample(problems: Sequence[Problems]) -> list[Maps]:
    """At most `SAMPLE` maps, about `SAMPLE_CELLS` cells in total, evenly spaced over the problems of every shape."""
    num = sum(len(part.maps) for part in problems)
    cells = sum(len(part.maps) * math.prod(part.maps.shape) for part in problems)
    wanted = min(num, SAMPLE, max(1, num * SAMPLE_CELLS // cells))
    chosen, first, found = np.linspace(0, num - 1, wanted).round().astype(int), 0, []
    for part in problems:
        rows = chosen[(chosen >= first) & (chosen < first + len(part.maps))] - first
        first += len(part.maps)
        found += [part.maps[rows]] if len(rows) else []
    return found


def halting_report(result: Measurements, further: Measurements | None) -> dict[str, Any]:
    """Calibration of the halting probability against whole correct policies; mean number of steps, by size."""
    table = result.tables[MODEL]
    found = calibration(table["halting"], table["right"] == table["cells"]) or {}
    steps = {size: value for part in (result, further) if part for size, value in _steps_by_size(part).items()}
    return {**found, "mean_steps": float(table["steps"].mean()), "steps_by_size": steps}


def _steps_by_size(result: Measurements) -> dict[str, float]:
    sizes, steps = result.facts["size"], result.tables[MODEL]["steps"]
    return {size: float(_of(steps, sizes == size).mean()) for size in dict.fromkeys(sizes.tolist())}


def _of(column: NDArray, rows: NDArray) -> NDArray:
    return column[rows]
