"""The demonstration: the demo job, a guard against replacing other data, then its results and their locations."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from nsmodels.core.artifact import data_root, folder_of, read_manifest, recover
from nsmodels.core.cli import run
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr import config as clevr
from nsmodels.engine.processes import lifeline
from nsmodels.systems.visual import config as visual
from pipeline.lib import reuse
from pipeline.lib.runs import child, forecast

REFERENCE_SECONDS = {**forecast.REFERENCES["quick"], "evaluation, figures": 60.0}
COMMAND = ("-m", "dagster", "job", "execute", "--module-name", "pipeline.definitions", "--job", "demo")


def main() -> int:
    """Run the demo; returns the exit status of the job, 2 if it would replace artifacts that it did not build."""
    return run(guard) or run(announce) or execute() or run(lambda: print(summary()))


def announce() -> None:
    """Print the expected time of a demo that has its training still to do."""
    if not folder_of("clevr_mini_model").exists() and (rate := forecast.step_rate()):
        has_data = folder_of("clevr_mini").exists()
        print(forecast.expected_time(rate, REFERENCE_SECONDS, has_data), file=sys.stderr, flush=True)
        print(forecast.GO_ON, file=sys.stderr, flush=True)


def expected_configs() -> dict[str, Mapping[str, Any]]:
    """Configuration in the manifests of the demo's data and model, by asset key."""
    from nsmodels.datasets.clevr.prepare import recipe_of

    return {"clevr_mini": recipe_of(clevr.quick()), "clevr_mini_model": visual.quick().relevant()}


def guard() -> None:
    """Raise `InputError` if the demo would replace data or a model of a different configuration."""
    for key, config in expected_configs().items():
        folder = folder_of(key)
        recover(folder)
        if not folder.exists():
            continue
        sealed = read_manifest(folder)
        changes = reuse.differences(sealed.config, config)
        if changes:
            raise InputError(
                f"{folder}: contains {sealed.source or 'data'} built {sealed.created} that the demo would replace "
                f"({', '.join(changes[:2])}{', ...' if changes[2:] else ''}); "
                "run: NSMODELS_DATA=data/demo make demo (or move that folder away)"
            )


def execute() -> int:
    """Run the job and return its exit status."""
    return child.wait([sys.executable, *COMMAND])


def summary() -> str:
    """The accuracy table, and the folders of the results."""
    root, table = data_root(), folder_of("clevr_mini_evaluation") / "table.txt"
    locations = {
        "checkpoint": f"{root}/clevr_mini_model",
        "evaluation": f"{root}/clevr_mini_evaluation (report.json, table.txt, proofs/, figures/)",
        "figures": f"{root}/training_curves {root}/reasoning_depth (PDF and PNG)",
        "web UI": "make ui",
    }
    return (
        table.read_text(encoding="utf-8") + "\n" + "\n".join(f"{name:<13}{where}" for name, where in locations.items())
    )


if __name__ == "__main__":
    lifeline.end_with_named_parent()
    sys.exit(main())
