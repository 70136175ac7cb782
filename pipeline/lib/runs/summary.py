"""Last lines of a command that ran assets: what was made, where and how good it is, failed checks, how to go on."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nsmodels.core import artifact, interrupts
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from pipeline.lib.runs.bare_command import has_reported, is_run

MODEL = "training"  # kind of a checkpoint's manifest; a stage has its name after it


@dataclass
class Summary:
    """What the steps of this process made, and what their checks found."""

    made: dict[str, tuple[Manifest, Path, bool]] = field(default_factory=dict)
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    has_asset: Callable[[str], bool] = lambda key: False

    def lines(self) -> list[str]:
        """A line per artifact, the checks, and how to look at and load the result; empty without an artifact."""
        if not self.made:
            return []
        width = max(map(len, self.made))
        found = ["", *(f"{key:<{width}}  {_about(*made)}" for key, made in self.made.items())]
        if self.passed or self.failed:
            found += [
                f"checks: {self.passed} passed, {len(self.failed)} failed",
                *(f"  {line}" for line in self.failed),
            ]
        found += [f"left out: {line}" for line in self.left_out]
        models = [key for key, (manifest, _, _) in self.made.items() if manifest.kind.startswith(MODEL)]
        evaluations = [key.removesuffix("_model") + "_evaluation" for key in models]
        found += [f"score: dagster asset materialize --select {key}" for key in evaluations if self._is_missing(key)]
        found += [f"load: model = nsmodels.load('{key}')" for key in models[-1:]]
        return [*found, "look: make ui; all evaluations, ranked: nsmodels leaderboard"]

    def _is_missing(self, evaluation: str) -> bool:
        """Whether an evaluation that exists as an asset was not made by this command."""
        return evaluation not in self.made and self.has_asset(evaluation)


_summary = Summary()


def record(folder: Path, manifest: Manifest, is_reused: bool, has_asset: Callable[[str], bool]) -> None:
    """Add an artifact of a step; the lines are printed when the process of a command that runs assets ends.

    `has_asset`: whether a key is one of an asset with a configuration.
    """
    if not is_run(sys.orig_argv):
        return
    if not _summary.made:
        atexit.register(_print)
    _summary.has_asset = has_asset
    _summary.made[manifest.key] = manifest, folder, is_reused


def record_left_out(name: str, reason: str) -> None:
    """Add an asset without which the command went on."""
    _summary.left_out.append(f"{name}: {reason}")


def record_check(name: str, is_passed: bool, finding: str) -> None:
    """Add the verdict of a check, `name` with its asset."""
    if is_passed:
        _summary.passed += 1
    else:
        _summary.failed.append(f"{name}: {finding or 'failed'}")


def _print() -> None:
    if has_reported() or interrupts.requested():
        return
    print("\n".join(_summary.lines()), file=sys.stderr, flush=True)


def _about(manifest: Manifest, folder: Path, is_reused: bool) -> str:
    parts = ["reused" if is_reused else f"built in {manifest.wall_seconds:,.0f} s", _place(folder)]
    parts += [manifest.source] if manifest.source else []
    return ", ".join([*parts, *_scores(folder)])


def _scores(folder: Path) -> list[str]:
    """The headline of an evaluation with its interval, and the best of what was scored beside it."""
    from nsmodels.evaluation import entry

    try:
        found, _ = entry.entries_of(folder, artifact.data_root())[0]
    except (InputError, OSError, IndexError):
        return []
    measure, interval = found.measure, ""
    if found.low is not None and found.high is not None:
        interval = f" ({measure.text(found.low)}–{measure.text(found.high)})"
    scores = [f"{found.metric} {measure.with_unit(found.score)}{interval}"]
    if found.baselines:
        best = max(found.baselines, key=lambda name: measure.sign * found.baselines[name])
        scores.append(f"best baseline {best} {measure.with_unit(found.baselines[best])}")
    return scores


def _place(folder: Path) -> str:
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)
