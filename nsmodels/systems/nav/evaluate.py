"""Evaluation of a checkpoint on navigation data: the report, its table and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.format import splits
from nsmodels.systems.nav.config import CODE_VERSION
from nsmodels.systems.nav.contest import Contest, Problems, read_problems, size_name
from nsmodels.systems.nav.report import Report, headline, report
from nsmodels.systems.nav.speed import speed_report
from nsmodels.systems.nav.text import table
from nsmodels.systems.nav.thinking import steps_curve

MAKER = "nsmodels.systems.nav"
TRANSFER = "transfer"


def evaluate_checkpoint(
    checkpoint: Path, data: Path, split: str = "test", device: str = "auto", max_steps: int = 0
) -> Report:
    """The report on every problem of a split; with `test` the larger maps of `transfer` are scored by size too.

    `max_steps` limits the recursion (0: by the size of the map). Raises InputError for a broken checkpoint or data, a
    split that is not there, maps of another connectivity, and when the network takes none of the sizes.
    """
    contest = Contest.load(checkpoint, device, max_steps)
    given = read_problems(data, split)
    more = read_problems(data, TRANSFER) if split == "test" and TRANSFER in splits(data) else []
    check_connectivity(contest, given, data, checkpoint)
    problems, others = (_taken(contest, part) for part in (given, more))
    skipped = {size_name(part.maps): contest.objection(part.maps) for part in given + more}
    skipped = {size: why for size, why in skipped.items() if why}
    if not problems:
        raise InputError(f"{data}: no map of split '{split}' can be scored, {next(iter(skipped.values()))}")
    source = describe(checkpoint) | {"path": str(data), "source": artifact.describe_input(data).source, "split": split}
    source |= {"connectivity": contest.navigator.config.connectivity, "skipped": skipped}
    return evaluate_problems(contest, problems, others, source)


def evaluate_problems(
    contest: Contest, problems: list[Problems], others: list[Problems], source: dict[str, Any]
) -> Report:
    """The report on `problems`; `others` are scored by size only."""
    judged = contest.judge(problems, "evaluating")
    further = contest.judge(others, "evaluating larger maps") if others else None
    timed = [part for part in (judged, further) if part]
    speed = speed_report(problems + others, timed, contest.navigator.embed.weight.device)
    return report(contest, judged, further, steps_curve(contest.navigator, problems), speed, source)


def make_evaluation(
    checkpoint: Path,
    data: Path,
    folder: Path,
    key: str = "nav_evaluation",
    checkpoint_key: str = "checkpoint",
    data_key: str = "data",
    split: str = "test",
    device: str = "auto",
    is_forced: bool = False,
    max_steps: int = 0,
) -> Manifest:
    """Evaluate and seal `report.json`, `table.txt` and `figures/` in `folder`; reuse an equal one."""
    from nsmodels.systems.nav.figures import draw_all

    inputs = {checkpoint_key: checkpoint, data_key: data}
    recipe = {"split": split, "max_steps": max_steps}
    found = artifact.current(folder, artifact.make_fingerprint(recipe, CODE_VERSION, inputs, None))
    if found and not is_forced:
        return found
    with artifact.build(
        folder, key=key, maker=MAKER, config=recipe, code_version=CODE_VERSION, inputs=inputs, is_resumable=False
    ) as part:
        result = evaluate_checkpoint(checkpoint, data, split, device, max_steps)
        artifact.write_json(part.path / "report.json", result)
        artifact.write_atomic(part.path / "table.txt", table(result) + "\n")
        draw_all(result, checkpoint, data, part.path / "figures", split, device)
        part.metrics |= headline(result)
    return artifact.read_manifest(folder)


def describe(checkpoint: Path) -> dict[str, Any]:
    """What is to be said of a checkpoint beside its scores."""
    trained = artifact.read_manifest(checkpoint)
    return {"trained_on": trained.source, "checkpoint": trained.fingerprint, "seed": trained.seed}


def check_connectivity(contest: Contest, problems: list[Problems], data: Path, checkpoint: Path) -> None:
    """`InputError` when maps and network differ in the actions that there are."""
    learnt = contest.navigator.config.connectivity
    for part in problems:
        if part.maps.connectivity != learnt:
            raise InputError(
                f"{data}: {part.maps.connectivity}-connected maps, but {checkpoint} has learnt {learnt} actions; "
                f"train on these data, or make data with connectivity {learnt}"
            )


def _taken(contest: Contest, problems: list[Problems]) -> list[Problems]:
    return [part for part in problems if not contest.objection(part.maps)]
