"""Evaluation of a checkpoint on navigation data or on a MovingAI map: the report, its table and figures."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.core.artifact import Part
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.datasets.mazes.files.format import splits
from nsmodels.datasets.mazes.look import problems_left_out
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.systems.nav.config import EvaluationConfig
from nsmodels.systems.nav.evaluation.familiarity import familiarity
from nsmodels.systems.nav.evaluation.recursion import steps_curve
from nsmodels.systems.nav.evaluation.report import Report, headline, table
from nsmodels.systems.nav.evaluation.scenarios import compare_with_listed, read_scenario
from nsmodels.systems.nav.evaluation.scorer import Evaluator, Measurements, Problems, read_problems, size_name
from nsmodels.systems.nav.evaluation.speed import speed_report
from nsmodels.systems.nav.evaluation.summary import summary

TRANSFER = "transfer"
CELLS_PER_SECOND = 1e6  # of a network that counts, on one core, measured
CELL_STEPS_PER_SECOND = 2e6  # of one with latents, of preset `latent`
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
    source = describe(checkpoint) | {"path": str(data), "source": artifact.describe_input(data).source, "split": split}
    network = evaluator.navigator
    source |= {"connectivity": network.config.connectivity, "rule": network.rule, "skipped": skipped}
    source |= familiarity(checkpoint, problems)
    source["notes"] = [*source["notes"], *problems_left_out(data)]
    return evaluate_problems(evaluator, problems, others, source)


def evaluate_map(
    checkpoint: Path, map: Path, scen: Path, device: str = "auto", max_problems: int = 0, max_steps: int = 0
) -> Report:
    """The report on the problems that a .scen file lists on a .map; `max_problems` (0: all), spread evenly over them.

    A checkpoint with the moves of the benchmark is measured against the listed optima; a problem whose listed optimum
    exact search does not find is left out. Any other is measured against the optima of its own moves, computed here.
    The mean length of paths over the listed optimum is in `data`, as is the number of problems left out by reason.
    Raises InputError for broken files or checkpoint, and when no problem can be solved.
    """
    evaluator = Evaluator.load(checkpoint, device, max_steps)
    network = evaluator.navigator
    scenario = read_scenario(map, scen, network.config.connectivity, network.diagonals, max_problems)
    maps = scenario.maps
    if why := evaluator.unsupported_reason(maps):
        raise InputError(f"{map}: a map of {size_name(maps)}, but {why}; give a checkpoint with core=conv")
    _warn_of_hours(evaluator, scenario.problems)
    source = describe(checkpoint) | {"path": str(map), "source": f"MovingAI map {map.name}", "split": scen.name}
    source |= {"connectivity": maps.connectivity, "rule": maps.rule, "skipped": {}}
    source |= familiarity(checkpoint, scenario.problems)
    result, measurements = evaluate_problems(evaluator, scenario.problems, [], source)
    found = compare_with_listed(scenario, measurements)
    result["data"] |= {**found, "notes": [*source["notes"], *found["notes"]]}
    return result


def evaluate_problems(
    evaluator: Evaluator, problems: list[Problems], others: list[Problems], source: dict[str, Any]
) -> tuple[Report, Measurements]:
    """The report on `problems` and what it was made from; `others` are scored by size only."""
    measurements = evaluator.evaluate(problems, "evaluating")
    further = evaluator.evaluate(others, "evaluating larger maps") if others else None
    timed = [part for part in (measurements, further) if part]
    speed = speed_report(problems + others, timed, evaluator.navigator.device)
    steps = steps_curve(evaluator.navigator, problems)
    return summary(evaluator, measurements, further, steps, speed, source), measurements


def _warn_of_hours(evaluator: Evaluator, problems: list[Problems]) -> None:
    """Say how long a CPU will take for many problems on a large map; a map's steps grow with its sides."""
    (height, width), num, network = (
        problems[0].maps.shape,
        sum(len(part.maps) for part in problems),
        evaluator.navigator,
    )
    steps = (height + width) / max(network.reach, 1)
    seconds = height * width * (1 / CELLS_PER_SECOND if network.is_counting else steps / CELL_STEPS_PER_SECOND)
    hours = num * seconds / 3600
    if evaluator.navigator.device.type == "cpu" and hours > LONG:
        log.warning(
            "%d problems on a map of %s: roughly %.1f hours on one CPU core; --max-problems 50 takes a sample",
            num, size_name(problems[0].maps), hours,
        )  # fmt: skip


def describe(checkpoint: Path) -> dict[str, Any]:
    """Origin of a checkpoint, for the report: its data, fingerprint and seed."""
    trained = artifact.read_manifest(checkpoint)
    return {"trained_on": trained.source, "checkpoint": trained.fingerprint, "seed": trained.seed}


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
