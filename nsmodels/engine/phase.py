"""One process of a phase: `python -m nsmodels.engine.phase JOB.json`, started by torchrun."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from nsmodels.core.cli import run
from nsmodels.core.errors import InputError
from nsmodels.engine.phases import Phases
from nsmodels.engine.processes import worker


def main(argv: Sequence[str]) -> int:
    """Train the phase that the JSON file describes (`Phases.to_dict`), together with the other processes."""
    job = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    phases, phase = Phases.from_dict(job), job["phase"]
    try:
        phases.trial(phase).fit(phases.folder / phase)
    except InputError as error:
        worker.record_error(error)
        raise
    return 0


if __name__ == "__main__":
    sys.exit(run(lambda: main(sys.argv[1:])))
