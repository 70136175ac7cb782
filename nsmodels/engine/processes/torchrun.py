"""torchrun as a child: `python -m nsmodels.engine.processes.torchrun PLACE flags...`. It never outlives its parent.

Only process 0 speaks. What the others print goes to files in PLACE, and its end is shown when one of them fails.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from signal import SIGTERM

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from nsmodels.engine.processes import lifeline
from nsmodels.engine.processes.launch import FAILURE

NUM_LINES = 30


def main(argv: Sequence[str]) -> int:
    """Exit status: 0, 1 when a process failed, 128 + signal when it was asked to stop."""
    place, *flags = argv
    lifeline.end_with_parent()
    os.environ[lifeline.PARENT] = str(os.getpid())
    try:
        run.run(run.parse_args(flags))
    except ChildFailedError as failed:
        rank, failure = cause(failed.failures)
        said = silent_words(Path(place), failure.local_rank)
        print(*said[-NUM_LINES:], sep="\n", file=sys.stderr, flush=True)
        (Path(place) / FAILURE).write_text(told(rank, failure, said))
        return 1
    except SignalException as stopped:
        return 128 + stopped.sigval
    return 0


def cause(failures: dict[int, ProcessFailure]) -> tuple[int, ProcessFailure]:
    """The failure behind the others: a killed process leaves its peers with a lost connection.

    SIGTERM is no cause: torchrun itself sends it to the peers.
    """
    return min(failures.items(), key=lambda one: (one[1].exitcode == -SIGTERM, one[1].exitcode >= 0, one[1].timestamp))


def silent_words(place: Path, local_rank: int) -> list[str]:
    """What a process other than the first has printed as errors."""
    files = place.glob(f"*/attempt_*/{local_rank}/stderr.log") if local_rank else ()
    return [line for file in files for line in file.read_text(errors="replace").splitlines()]


def told(rank: int, failure: ProcessFailure, said: Sequence[str]) -> str:
    """A failure in one line."""
    if failure.exitcode < 0:
        return f"process {rank} was killed ({failure.signal_name()}; out of memory?)"
    left = failure.error_file_data["message"]
    if isinstance(left, dict):
        return f"process {rank}: {left['message'].splitlines()[0].removeprefix('InputError: ')}"
    return f"process {rank} ended with status {failure.exitcode}" + (f": {said[-1]}" if said else "; see above")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
