"""Evaluation of a checkpoint on navigation data or on MovingAI maps: the report, its table and figures."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import Any

from nsmodels.core.artifact import Part
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.datasets.mazes.files.format import splits
from nsmodels.datasets.mazes.look import problems_left_out
from nsmodels.evaluation.sealing import EvaluationResult, origin, origin_of
from nsmodels.systems.nav.config import EvaluationConfig
from nsmodels.systems.nav.evaluation.expansions import expansions
from nsmodels.systems.nav.evaluation.familiarity import familiarity
from nsmodels.systems.nav.evaluation.recursion import steps_curve
from nsmodels.systems.nav.evaluation.report import Report, headline, table
from nsmodels.systems.nav.evaluation.scenarios import Scenario, compare_with_listed, read_folder, read_scenario
from nsmodels.systems.nav.evaluation.scorer import Evaluator, Measurements, Problems, read_problems, size_name
from nsmodels.systems.nav.evaluation.speed import speed_report
from nsmodels.systems.nav.evaluation.summary import by_map, summary

TRANSFER = "transfer"
LONG = 0.2  # hours worth a warning
log = logging.getLogger(__name__)


def score(order: Order[EvaluationConfig]) -> EvaluationResult:
    """Score every problem of a split; with `test` the larger maps of `transfer` are scored by size too.

    Raises InputError for a broken checkpoint or data, a split that is missing, maps of a different connectivity, and
    when the network takes none of the sizes.
    """
    from nsmodels.systems.nav.figures import draw_all

    checkpoint, data, how = order.model, order.data, order.config
    result, measurements = _evaluated(checkpoint, data, how.split, how.device, how.max_steps)

    def draw(part: Part) -> None:
        draw_all(result, checkpoint, data, part.path / "figures", how.split, how.device)

    return EvaluationResult(result, table(result), [measurements.outcomes(how.split)], headline(result), draw)


def _evaluated(checkpoint: Path, data: Path, split: str, device: str, max_steps: int) -> tuple[Report, Measurements]:
    evaluator = Evaluator.load(checkpoint, device, max_steps)
    given = read_problems(data, split)
    more = read_problems(data, TRANSFER) if split == "test" and TRANSFER in splits(data) else []
    check_connectivity(evaluator, given, data, checkpoint)
    problems, others = _taken(evaluator, given), _set_apart(_taken(evaluator, more), given)
    skipped = {size_name(part.maps): evaluator.unsupported_reason(part.maps) for part in given + more}
    skipped = {size: why for size, why in skipped.items() if why}
    if not problems:
        raise InputError(f"{data}: no map of split '{split}' can be scored, {next(iter(skipped.values()))}")
    source = origin(checkpoint, data, split)
    network = evaluator.navigator
    source |= {"connectivity": network.config.connectivity, "rule": network.rule, "skipped": skipped}
    source |= familiarity(checkpoint, problems, network)
    source["notes"] = [*source["notes"], *problems_left_out(data)]
    return evaluate_problems(evaluator, problems, others, source)


def evaluate_map(
    checkpoint: Path,
    map: Path,
    scen: Path,
    device: str = "auto",
    max_problems: int = 0,
    max_steps: int = 0,
    draw: Path | None = None,
) -> Report:
    """The report on the problems that a .scen file lists on a .map; `max_problems` (0: all), spread evenly over them.

    A checkpoint with the moves of the benchmark is measured against the listed optima; a problem whose listed optimum
    exact search does not find is left out. Any other is measured against the optima of its own moves, computed here.
    The mean length of paths over the listed optimum is in `data`, as is the number of problems left out by reason.
    `draw`: the worst problem as a picture, or a folder for one of each range of lengths.
    Raises InputError for broken files or checkpoint, and when no problem can be solved.
    """
    evaluator = Evaluator.load(checkpoint, device, max_steps)
    network = evaluator.navigator
    scenario = read_scenario(map, scen, network.config.connectivity, network.diagonals, max_problems)
    named = {"path": str(map), "source": f"MovingAI map {map.name}", "split": scen.name}
    return _on_scenario(evaluator, checkpoint, scenario, named, draw)[0]


def evaluate_folder(
    checkpoint: Path,
    folder: Path,
    device: str = "auto",
    max_problems: int = 0,
    max_steps: int = 0,
    draw: Path | None = None,
) -> Report:
    """One report on all scenarios of the maps in a folder, with rows by map; `max_problems` of each range of lengths.

    Otherwise as `evaluate_map`. Raises InputError also when the folder has no maps.
    """
    evaluator = Evaluator.load(checkpoint, device, max_steps)
    network = evaluator.navigator
    scenario, maps = read_folder(folder, network.config.connectivity, network.diagonals, max_problems)
    words = f"{len(maps)} MovingAI map{'s' if len(maps) != 1 else ''} in {folder.name}"
    named = {"path": str(folder), "source": words, "split": "all scenarios"}
    result, measurements = _on_scenario(evaluator, checkpoint, scenario, named, draw)
    return result | {"by_map": by_map(measurements)}


def _on_scenario(
    evaluator: Evaluator, checkpoint: Path, scenario: Scenario, named: dict[str, Any], draw: Path | None
) -> tuple[Report, Measurements]:
    taken = _taken(evaluator, scenario.problems)
    if len(taken) < len(scenario.problems):
        part = next(part for part in scenario.problems if evaluator.unsupported_reason(part.maps))
        why = f"a map of {size_name(part.maps)}, but {evaluator.unsupported_reason(part.maps)}"
        raise InputError(f"{named['path']}: {why}; give a checkpoint with core=conv")
    _warn_of_hours(evaluator, taken)
    maps = scenario.maps
    source = origin_of(checkpoint) | named | {"connectivity": maps.connectivity, "rule": maps.rule, "skipped": {}}
    source |= familiarity(checkpoint, taken, evaluator.navigator)
    result, measurements = evaluate_problems(evaluator, taken, [], source)
    found = compare_with_listed(scenario, measurements)
    result["data"] |= {**found, "notes": [*source["notes"], *found["notes"]]}
    if draw:
        from nsmodels.systems.nav.pictures.cases import draw_cases

        draw_cases(evaluator.navigator, taken, measurements, draw, evaluator.max_steps)
    return result, measurements


def evaluate_problems(
    evaluator: Evaluator, problems: list[Problems], others: list[Problems], source: dict[str, Any]
) -> tuple[Report, Measurements]:
    """The report on `problems` and what it was made from; `others` are scored by size only."""
    measurements = evaluator.evaluate(problems, "evaluating")
    further = evaluator.evaluate(others, "evaluating larger maps") if others else None
    timed = [part for part in (measurements, further) if part]
    speed = speed_report(problems + others, timed, evaluator.navigator.device)
    steps = steps_curve(evaluator.navigator, problems)
    expanded = expansions(evaluator.navigator, problems + others)
    return summary(evaluator, measurements, further, steps, speed, expanded, source), measurements


def _warn_of_hours(evaluator: Evaluator, problems: list[Problems]) -> None:
    """Log how long many problems on large maps will take, from the time of one; steps grow with the sides of a map."""
    work = [len(part.maps) * _work(part) for part in problems]
    smallest = min(problems, key=_work)
    evaluator.navigator.policy(smallest.maps[:1], max_steps=1)  # the first batch of a shape is slower
    began = time.perf_counter()
    evaluator.navigator.policy(smallest.maps[:1], evaluator.max_steps)
    hours = (time.perf_counter() - began) / _work(smallest) * sum(work) / 3600
    if hours > LONG:
        log.warning(
            "%d problems on maps of up to %s: roughly %.1f hours; --max-problems 50 takes a sample",
            sum(len(part.maps) for part in problems), size_name(max(problems, key=_work).maps), hours,
        )  # fmt: skip


def _work(problems: Problems) -> int:
    """Cells of one map times its sides, to which the time of a plan is roughly proportional."""
    return math.prod(problems.maps.shape) * sum(problems.maps.shape)


def check_connectivity(evaluator: Evaluator, problems: list[Problems], data: Path, checkpoint: Path) -> None:
    """`InputError` when maps and network differ in the actions that there are."""
    network = evaluator.navigator
    for part in problems:
        if part.maps.rule != network.rule:
            raise InputError(
                f"{data}: {part.maps.rule} maps, but {checkpoint} has learnt {network.config.connectivity} actions "
                f"({network.rule}); train on these data, or make data of that rule"
            )


def _set_apart(others: list[Problems], problems: list[Problems]) -> list[Problems]:
    """`others`, under sizes of their own where `problems` have the size too."""
    sizes = {part.size for part in problems}
    return [part.with_size_suffix(TRANSFER) if part.size in sizes else part for part in others]


def _taken(evaluator: Evaluator, problems: list[Problems]) -> list[Problems]:
    return [part for part in problems if not evaluator.unsupported_reason(part.maps)]
