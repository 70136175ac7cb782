"""torchrun as a child: `python -m nsmodels.engine.processes.torchrun PLACE flags...`; it ends with its parent.

Only process 0 writes to the console. The output of the others goes to files in PLACE; when one fails, its last lines
are printed.
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
    """Exit status: 0, 1 when a process failed, 128 + signal after a signal."""
    place, *flags = argv
    lifeline.end_with_parent()
    os.environ[lifeline.PARENT] = str(os.getpid())
    try:
        run.run(run.parse_args(flags))
    except ChildFailedError as failed:
        rank, failure = root_cause(failed.failures)
        lines = stderr_lines(Path(place), failure.local_rank)
        print(*lines[-NUM_LINES:], sep="\n", file=sys.stderr, flush=True)
        (Path(place) / FAILURE).write_text(describe_failure(rank, failure, lines), encoding="utf-8")
        return 1
    except SignalException as stopped:
        return 128 + stopped.sigval
    return 0


def root_cause(failures: dict[int, ProcessFailure]) -> tuple[int, ProcessFailure]:
    """The failure that caused the others: when a process is killed, its peers lose their connection and fail too.

    SIGTERM is never the cause: torchrun itself sends it to the peers.
    """
    return min(failures.items(), key=lambda one: (one[1].exitcode == -SIGTERM, one[1].exitcode >= 0, one[1].timestamp))


def stderr_lines(place: Path, local_rank: int) -> list[str]:
    """Lines on the standard error of a process other than the first, which prints to the console itself."""
    files = place.glob(f"*/attempt_*/{local_rank}/stderr.log") if local_rank else ()
    return [line for file in files for line in file.read_text(errors="replace", encoding="utf-8").splitlines()]


def describe_failure(rank: int, failure: ProcessFailure, lines: Sequence[str]) -> str:
    """A failure in one line."""
    if failure.exitcode < 0:
        return f"process {rank} was killed ({failure.signal_name()}; out of memory?)"
    recorded = failure.error_file_data["message"]
    if isinstance(recorded, dict):
        return f"process {rank}: {recorded['message'].splitlines()[0].removeprefix('InputError: ')}"
    return f"process {rank} exited with status {failure.exitcode}" + (f": {lines[-1]}" if lines else "; see above")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
