"""What a run would do: assets that would be reused or built, inputs that are built first, the time where it is known.

Printed where `dagster asset materialize` begins, and all that it prints with `--dry-run`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core.artifact import read_manifest
from nsmodels.core.config import flat
from nsmodels.core.errors import InputError
from nsmodels.core.progress import clock, readable_seconds
from pipeline.internals import BaseAssetGraph
from pipeline.lib import launchpad, reuse, store

SPEED = "nsmodels.systems.visual.perception.speed"
DATA, PERCEPTION, REST = "data", "perception", "start, export"
REFERENCE_RATE = 50.0
LOADED = 1.3  # seconds of an epoch over those of its training steps alone: loading, validation
# Seconds on two cores; the larger of what two machines took. What is no perception runs on one core and gains nothing
# from bfloat16, so that only perception follows the measured rate: 42,000 images in `quick`, 12,000 in `small`.
REFERENCES = {
    "quick": {DATA: 150.0, PERCEPTION: 42_000 * LOADED / REFERENCE_RATE, "parser, baseline": 480.0, REST: 50.0},
    "small": {DATA: 100.0, PERCEPTION: 12_000 * LOADED / REFERENCE_RATE, "parser, baseline": 170.0, REST: 50.0},
}
TIMED = "clevr_mini_model"
GO_ON = "stop: Ctrl-C; the same command resumes it"
MORE = {
    "small": "better, in about three times the time: --config-json "
    """'{"ops": {"clevr_mini_model": {"config": {"preset": "quick"}}}}'; `base` is for a GPU"""
}


def lines(graph: BaseAssetGraph, keys: Iterable[dg.AssetKey], run_config: Mapping[str, Any]) -> Iterator[str]:
    """A line for each selected asset and each input that is built first, in the order in which they are built.

    Raises InputError for a configuration that the step would refuse.
    """
    wanted = set(keys)
    known = {key.to_user_string() for key in wanted}  # and what a line was printed for
    for key in [each for level in graph.toposorted_asset_keys_by_level for each in sorted(level) if each in wanted]:
        name = key.to_user_string()
        if graph.get(key).partitions_def is not None:
            yield f"{name}: in partitions; those that are sealed and unchanged would be reused"
            continue
        parents = sorted(parent.to_user_string() for parent in graph.get(key).parent_keys)
        yield from _asset(name, given_for(name, run_config), parents, known)


def given_for(name: str, run_config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of an asset in that of a run, by dotted name."""
    op = (run_config.get("ops") or {}).get(name) or {}
    return flat(op.get("config") or {})


def _asset(name: str, given: Mapping[str, Any], parents: list[str], known: set[str]) -> Iterator[str]:
    plan = launchpad.REGISTERED.get(name)
    chosen = plan[0].resolve(given) if plan else None
    preset = chosen.preset if chosen else None
    for parent in [each for each in parents if plan and each not in known]:
        known.add(parent)
        if line := input_line(parent, preset):
            yield line
    about = f"preset {chosen.preset} ({chosen.reason}); " if chosen else ""
    is_forced = chosen.force if chosen else bool(given.get("force"))
    yield f"{name}: {about}{_fate(name, chosen, plan[1] if plan else '', parents, is_forced)}"


def input_line(name: str, preset: str | None) -> str:
    """A line about an input that is not selected and would be built first, or is missing; empty where it is there."""
    folder = store.folder(name)
    maker = store.maker(name) if store.is_made_on_demand(name) else None
    try:
        manifest = read_manifest(folder, name)
    except InputError as error:
        if maker is None:
            return f"{name}: {error}"
        return f"{name}: missing; would be built first{maker.about(preset)} in {_shown(folder)}"
    if maker and preset and maker.is_too_small(manifest, preset):
        return f"{name}: too small for preset {preset}; would be built again{maker.about(preset)}"
    return ""


def _fate(name: str, chosen: Any, version: str, parents: list[str], is_forced: bool) -> str:
    folder = store.folder(name)
    try:
        before = read_manifest(folder)
    except InputError:
        return f"would be built in {_shown(folder)}" if chosen else "would be made"
    if is_forced:
        return f"would be built again in {_shown(folder)}: force"
    if chosen is None:
        return f"sealed {before.created}; would be reused if nothing has changed"
    inputs = {parent: store.folder(parent) for parent in parents}
    try:
        changes = reuse.changes(before, reuse.Recipe(chosen.config.relevant(), version, inputs))
    except InputError:  # an input that is built first
        changes = ["its inputs are missing"]
    if changes:
        return f"would be built again in {_shown(folder)}: {'; '.join(changes[:4])}{'; …' if changes[4:] else ''}"
    return f"would be reused: sealed {before.created}, same configuration, code, inputs and seed"


def _shown(folder: Path) -> str:
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)


# --- time -----------------------------------------------------------------------------------------------------------


def time_line(run_config: Mapping[str, Any], keys: Iterable[dg.AssetKey]) -> str:
    """The expected time of the visual reasoner where it would be trained with a preset that has a reference, else ''.

    Measured on this machine, in some seconds.
    """
    if TIMED not in {key.to_user_string() for key in keys} or store.folder(TIMED).exists():
        return ""
    plan = launchpad.REGISTERED.get(TIMED)
    chosen = plan[0].resolve(given_for(TIMED, run_config)) if plan else None
    if chosen is None or chosen.changed or chosen.preset not in REFERENCES or not (rate := step_rate()):
        return ""
    seconds = REFERENCES[chosen.preset]
    line = expected_time(rate, seconds, has_data=not input_line("clevr_mini", chosen.preset))
    return "\n".join([line, *([MORE[chosen.preset]] if chosen.preset in MORE else [])])


def step_rate() -> float | None:
    """Images per second of a few training steps, in a process that gives its memory back; None if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", SPEED], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    return float(done.stdout) if done.returncode == 0 else None


def expected_time(rate: float, reference: Mapping[str, float], has_data: bool) -> str:
    """A line with the time of each part that is still to do; perception at `rate` training images per second."""
    seconds = dict(reference) | {PERCEPTION: reference[PERCEPTION] * REFERENCE_RATE / rate}
    if has_data:
        del seconds[DATA]
    parts = ", ".join(f"{name} {clock(each)}" for name, each in seconds.items())
    return (
        f"expected time on this machine, as it is now: about {readable_seconds(sum(seconds.values()))} ({parts}), "
        f"by its {rate:.0f} training images per second of perception"
    )
