"""A study of variants: every part left out once, over the same seeds and items, sealed as one table.

Seals `report.json`, `table.txt`, `variants.csv`, `variants.parquet`, `figures/` and a folder per trial.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.config import fingerprint
from nsmodels.core.disk import writing
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.evaluation.sealing import StudyResult, seal_study
from nsmodels.studies import figure, processes, trials, working
from nsmodels.studies.comparison import Cost, Row, compare
from nsmodels.studies.config import TRIALS, VariantStudyConfig
from nsmodels.studies.report import CSV, PARQUET, frame, headline, table
from nsmodels.studies.trials import CLAIM, Arm, Trial
from nsmodels.studies.variant import FULL
from nsmodels.studies.working import FILE, Arms, Job, groups_of, work

CODE_VERSION = "2"


def run_study(order: Order[Any], make: Arms, maker: str, kind: str = "variants") -> Manifest:
    """Train and score every variant of every arm over all seeds of `order.config`, and seal the table.

    `make` returns the arms of an order; with `num_workers` it is called in every process, and so a function of a
    module. A stopped study resumes: trials that are over are kept. The trackers receive each as if it were an epoch.
    Raises `InputError` for arms without variants, values that no configuration can have, bad data, and an interrupt.
    """
    config: VariantStudyConfig = order.config
    # A part may be named after its folder, which has to be the same name in every process.
    absolute = {key: path.absolute() for key, path in order.inputs.folders.items()}
    order = replace(order, inputs=replace(order.inputs, folders=absolute))
    arms = make(order)
    _require_variants(arms)
    for arm in arms:
        for stage in arm.chain:
            arm.system.check_config(arm.section(arm.config, stage), stage or None)
    chosen = {arm.name: {name: variant.recipe() for name, variant in arm.variants.items()} for arm in arms}
    versions = [f"{arm.system.name} {arm.system.code_version} {arm.system.evaluation_version}" for arm in arms]
    version = "; ".join([CODE_VERSION, *dict.fromkeys(versions), fingerprint(chosen)])

    def run(part: Part) -> StudyResult:
        groups = groups_of(arms, config.seeds, part.path / TRIALS)
        _work(groups, Job(make, order), part.path)
        parts, sources, seconds = _results(arms, groups, config.margin)
        _write(part.path, parts)
        report = {
            "seeds": list(config.seeds),
            "margin": config.margin,
            "cpu_seconds": round(seconds, 1),
            "parts": {
                name: {"source": sources[name], "rows": [r.to_dict() for r in rows]} for name, rows in parts.items()
            },
        }
        caption = f"Gain by each part, paired by item and seed, with 95 % intervals; {len(config.seeds)} seeds"
        metrics = headline(parts) | {"trials/cpu_seconds": round(seconds, 1)}
        return StudyResult(report, table(parts, sources, config.margin), figure.draw(parts), caption, metrics)

    return seal_study(order, maker, kind, version, config.seeds[0], run)


def _work(groups: Sequence[Sequence[Trial]], job: Job, folder: Path) -> None:
    """Train and score all trials, with as many processes as are asked for and find something to do."""
    every = [trial for several in groups for trial in several]
    num = min(job.order.config.num_workers, sum(not trial.is_over for trial in every))
    watch = Progress(groups, job.order.trackers)
    job.write(folder)
    with processes.helpers(working.__name__, folder, max(0, num - 1)):
        work(every, watch.look)
        (folder / FILE).unlink()
    for trial in every:  # when nobody claims one any more
        (trial.place / CLAIM).unlink(missing_ok=True)
    watch.close()


def _results(
    arms: Sequence[Arm], groups: Sequence[Sequence[Trial]], margin: float
) -> tuple[dict[str, list[Row]], dict[str, str], float]:
    """Rows and source of each arm, and the processor seconds of all trainings."""
    parts, sources, seconds = {}, {}, 0.0
    for arm in arms:
        done = [(trial, trials.record_of(trial)) for several in groups for trial in several if trial.arm is arm]
        scored: dict[str, dict[int, list[Outcomes]]] = {name: {} for name in arm.all_variants}
        costs: dict[str, list[Cost]] = {name: [] for name in arm.all_variants}
        for trial, record in done:
            scored[trial.variant][trial.seed] = trials.outcomes_of(trial)
            costs[trial.variant].append(trials.cost_of(record))
        parts[arm.name] = compare(arm.variants, scored, costs, margin, arm.counts())
        sources[arm.name] = done[0][1]["source"]
        seconds += sum(trials.spent_of(*each) for each in done)
    return parts, sources, seconds


class Progress:
    """Prints a line for each trial that is over, wherever, and gives it to the trackers; clears up after each seed.

    Args:
        groups: trials by arm and seed.
        trackers: receive each as if it were an epoch.
    """

    def __init__(self, groups: Sequence[Sequence[Trial]], trackers: Sequence[Any] = ()) -> None:
        self._groups = {trial.name: several for several in groups for trial in several}
        self._were_over = {trial.name for several in groups for trial in several if trial.is_over}
        self._seen: set[str] = set()
        self._trackers = trackers

    def look(self, trial: Trial) -> None:
        """Report a trial that is over. Raises `InputError` for a variant that is judged by what it is not scored by."""
        record = trials.record_of(trial)
        _require_metrics(trial.arm, record)
        self._seen.add(trial.name)
        number, total = len(self._seen), len(self._groups)
        _report(trial, record, f"{number}/{total}", trial.name in self._were_over, self._trackers, number)
        several = self._groups[trial.name]
        if all(each.name in self._seen for each in several):
            for each in several:
                trials.shorten(each)

    def close(self) -> None:
        """Close the trackers."""
        for tracker in self._trackers:
            tracker.close()


def _require_metrics(arm: Arm, record: Mapping[str, Any]) -> None:
    """Raise `InputError` for a variant that is judged by what no trial is scored by, before all are trained."""
    for name, variant in arm.variants.items():
        variant.judged_by(list(record["scores"]), name)


def _report(
    trial: Trial, record: Mapping[str, Any], count: str, was_over: bool, trackers: Sequence[Any], number: int
) -> None:
    """Print a line about a finished trial, and give it to the trackers."""
    shown = "  ".join(f"{name} {value:.4g}" for name, value in record["scores"].items())
    spent = "finished before" if was_over else f"{record['cpu_seconds']:.0f} CPU-s"
    print(f"trial {count}  {trial.name}  {shown}  {spent}", file=sys.stderr, flush=True)
    for tracker in trackers:
        tracker.epoch({"epoch": number, **{f"{trial.variant}/{k}": v for k, v in record["scores"].items()}})


def _write(folder: Path, parts: Mapping[str, Sequence[Row]]) -> None:
    found = frame(parts)
    with writing(folder / CSV):
        found.to_csv(folder / CSV, index=False)
        found.to_parquet(folder / PARQUET)


def _require_variants(arms: Sequence[Arm]) -> None:
    """Raise `InputError` unless there is something to compare, and all of it can be configured."""
    if not arms or not all(arm.variants for arm in arms):
        raise InputError("variants: expected at least one beside the full model")
    for arm in arms:
        for name, variant in arm.variants.items():
            unknown = [phase for phase in variant.phases if phase not in arm.system.phases]
            if name == FULL or unknown or not (variant.values or variant.evaluation):
                raise InputError(
                    f"variant '{name}': expected a name other than '{FULL}', values that differ, and phases among "
                    f"{', '.join(arm.system.phases)}"
                )
            one, full = ((arm.config_of(each, 0), arm.evaluation_of(each)) for each in (name, FULL))
            if one == full:
                raise InputError(f"variant '{name}': the full model has these values already; leave the variant out")
        _require_counts(arm)


def _require_counts(arm: Arm) -> None:
    """Raise `InputError` for a variant of whose quantity the full model has as much."""
    counts = arm.counts()
    for name, variant in arm.variants.items():
        if variant.removes in counts.get(FULL, {}) and counts[name][variant.removes] == counts[FULL][variant.removes]:
            raise InputError(
                f"variant '{name}': has as many {variant.removes} as the full model; leave the variant out"
            )
