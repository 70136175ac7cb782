"""Factories of asset checks: a judge looks at the sealed folder, in its own words and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core.artifact import read_manifest
from nsmodels.core.errors import InputError
from pipeline.lib import store


@dataclass(frozen=True)
class Verdict:
    """Whether a check passed, what it saw in one line, and its numbers."""

    passed: bool
    said: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)


Judge = Callable[[Path], Verdict]


def check(key: str, name: str, description: str, judge: Judge, is_warning: bool = False) -> dg.AssetChecksDefinition:
    """The check `name` of an asset; a folder that cannot be read fails it with the one line that says why."""
    severity = dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR

    @dg.asset_check(asset=key, name=name, description=description)
    def run() -> dg.AssetCheckResult:
        try:
            folder = store.folder(key)
            read_manifest(folder, key)
            verdict = judge(folder)
        except InputError as error:
            verdict = Verdict(False, str(error))
        passed, said = verdict.passed, verdict.said or None
        return dg.AssetCheckResult(passed=passed, severity=severity, description=said, metadata=verdict.numbers)

    return run


def from_problems(find: Callable[[Path], list[str]]) -> Judge:
    """A judge from a function that lists problems, one line each."""

    def judge(folder: Path) -> Verdict:
        problems = find(folder)
        said = problems[0] if problems else ""
        more = {"problems": dg.MetadataValue.md("\n".join(f"- {line}" for line in problems[:50]))} if problems else {}
        return Verdict(not problems, said, {"num_problems": len(problems), **more})

    return judge
