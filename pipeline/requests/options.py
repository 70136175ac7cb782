"""Options of Dagster's commands, checked strictly: what is empty, malformed or given twice is an error."""

from __future__ import annotations

import glob
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core.config import parse_json, read_yaml
from nsmodels.core.errors import InputError, near

EXAMPLE = """{"ops": {"nav_model": {"config": {"preset": "quick"}}}}"""
RANGE = "expected FIRST...LAST, as in 0...4"


def json_object(text: str, where: str, example: str = EXAMPLE) -> dict[str, Any]:
    """The object in a JSON text; raises `InputError` naming `where` for anything else, and for a key given twice."""
    expected = f"expected a JSON object as in {example}"
    if not text.strip():
        raise InputError(f"{where}: it is empty; {expected}, or leave the option out")
    found = parse_json(text, where)
    if not isinstance(found, dict):
        raise InputError(f"{where}: {expected}, got {_short(text)}")
    if not _is_finite(found):
        raise InputError(f"{where}: NaN and Infinity are no numbers of JSON; give a number")
    return found


def config_files(patterns: Sequence[str]) -> None:
    """Raise `InputError` for a configuration file that is missing, empty, unreadable or not a mapping."""
    for pattern in patterns:
        files = sorted(glob.glob(pattern))  # noqa: PTH207  (as Dagster expands it)
        if not files:
            raise InputError(f"--config {pattern}: no such file")
        for name in files:
            if not read_yaml(Path(name)):
                raise InputError(f"--config {name}: it is empty; expected ops: with the configuration of assets")


def not_empty(options: Mapping[str, Any], *names: str) -> None:
    """Raise `InputError` for an option that was given as an empty text, which Dagster takes for one not given."""
    for name in names:
        value = options.get(name)
        if isinstance(value, str) and not [part for part in value.split(",") if part.strip()]:
            raise InputError(f"--{name.replace('_', '-')} '{value}': it is empty; give a name, or leave the option out")


def op_names(config: Mapping[str, Any], job: dg.JobDefinition, every: Sequence[str], where: str, chosen: str) -> None:
    """Raise `InputError` for a configuration of assets that do not exist or are not part of the run.

    Dagster ignores both, and the run takes place with the defaults. `job` is what the run is to execute, `every` all
    names that exist.
    """
    unknown_names(config, every, where)
    here = {node.name for node in job.nodes}
    for name in _ops(config):
        if name not in here:
            raise InputError(f"{where}: ops: '{name}' is not selected by {chosen}; select it too, or leave it out")
    for name in config.get("resources") or ():
        if name not in job.resource_defs:
            raise InputError(f"{where}: resources: no resource '{name}'{near(str(name), job.resource_defs)}")


def unknown_names(config: Mapping[str, Any], every: Sequence[str], where: str) -> None:
    """Raise `InputError` for a configuration of an asset that is none of `every`."""
    for name in _ops(config):
        if name not in every:
            raise InputError(f"{where}: ops: no asset '{name}'{near(name, every)}")


def _ops(config: Mapping[str, Any]) -> list[str]:
    ops = config.get("ops")
    return [str(name) for name in ops] if isinstance(ops, Mapping) else []


def partition(name: str, known: Sequence[str], where: str) -> int:
    """Place of a partition among the known ones; raises `InputError` for an unknown one."""
    if name not in known:
        shown = ", ".join(known) if len(known) <= 12 else f"{known[0]} to {known[-1]}, {len(known)} in all"
        raise InputError(f"{where}: no partition '{name}'{near(name, known)}; known: {shown or 'none yet'}")
    return list(known).index(name)


def partition_range(text: str, known: Sequence[str]) -> None:
    """Raise `InputError` for a range of partitions that is malformed, unknown or empty."""
    where = f"--partition-range {text or repr(text)}"
    ends = text.split("...")
    if len(ends) != 2 or not all(ends):
        raise InputError(f"{where}: {RANGE}")
    first, last = (partition(end, known, where) for end in ends)
    if first > last:
        raise InputError(f"{where}: it is empty; give the smaller one first")


def _is_finite(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(_is_finite, inner)) and not (isinstance(value, float) and not math.isfinite(value))


def _short(text: str, length: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 3]}..."
