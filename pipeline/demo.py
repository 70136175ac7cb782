"""The demonstration: the demo job, kept from replacing other data, then its table and where to look."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from nsmodels.core.artifact import data_root, folder_of, read_manifest, recover
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr import config as clevr
from nsmodels.systems.visual import config as visual
from pipeline.lib import reuse

COMMAND = ("-m", "dagster", "job", "execute", "--module-name", "pipeline.definitions", "--job", "demo")


def main() -> int:
    """Exit status: that of the job, 2 when it would replace what it did not make."""
    try:
        guard()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    status = execute()
    if status == 0:
        print(closing())
    return status


def wanted() -> dict[str, Mapping[str, Any]]:
    """What the manifests of the demo's data and model say of their configuration."""
    from nsmodels.datasets.clevr.prepare import recipe_of

    return {"clevr_mini": recipe_of(clevr.quick()), "clevr_mini_model": visual.quick().relevant()}


def guard() -> None:
    """Raise `InputError` when the demo would replace data or a model of another configuration."""
    for key, config in wanted().items():
        folder = folder_of(key)
        recover(folder)
        if not folder.exists():
            continue
        sealed = read_manifest(folder)
        changes = reuse.differences(sealed.config, config)
        if changes:
            raise InputError(
                f"{folder}: holds {sealed.source or 'data'} made {sealed.created} that the demo would replace "
                f"({', '.join(changes[:2])}{', ...' if changes[2:] else ''}); "
                "run: NSMODELS_DATA=data/demo make demo (or delete that folder)"
            )


def execute() -> int:
    """Run the job to its end; this process waits for its clean stop when it is to end early."""
    job = subprocess.Popen([sys.executable, *COMMAND])
    # Ctrl-C reaches both processes by itself; the word to terminate only this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: job.terminate())
    status = job.wait()
    return status if status >= 0 else 128 - status


def closing() -> str:
    """The accuracy table, and the folders to look into."""
    root, table = data_root(), folder_of("clevr_mini_evaluation") / "table.txt"
    places = {
        "checkpoint": f"{root}/clevr_mini_model",
        "evaluation": f"{root}/clevr_mini_evaluation (report.json, table.txt, proofs/, figures/)",
        "figures": f"{root}/training_curves {root}/reasoning_depth (PDF and PNG)",
        "web UI": "make ui",
    }
    return table.read_text() + "\n" + "\n".join(f"{name:<13}{place}" for name, place in places.items())


if __name__ == "__main__":
    sys.exit(main())
