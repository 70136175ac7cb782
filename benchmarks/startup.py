"""Seconds from typing the short command to the first line of asset code, and from `dagster dev` to its first page.

The asset is `clevr_model` in an empty folder: its body says which preset it takes, then finds its data missing and
ends. The first run of a project also creates the history's stores and is shown on its own. The UI is there when the
server answers, and usable when it has loaded the definitions. Beside both stands `import dagster` alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
COMMAND = ["dagster", "asset", "materialize", "--select", "clevr_model"]
QUIET = subprocess.DEVNULL
FIRST_LINE = "clevr_model - preset "
ENVIRONMENT = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
LOADED = "{repositoriesOrError{...on%20RepositoryConnection{nodes{name}}}}"


def main() -> None:
    """Measure and print."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # inherited as ignored by what a script starts with `&`
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs after the first [5]")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        for name in ("pyproject.toml", "dagster.yaml", "workspace.yaml"):
            shutil.copy(ROOT / name, folder)
        first = seconds_to_asset_code(Path(folder))
        before = os.times()
        warm = [seconds_to_asset_code(Path(folder)) for _ in range(runs)]
        after = os.times()
        shown = [seconds_to_page(Path(folder)) for _ in range(max(1, runs // 2))]
    total = after.children_user + after.children_system - before.children_user - before.children_system
    cpu = total / runs
    alone = statistics.median(seconds_to_import() for _ in range(runs))
    print(
        f"asset code reached: median {statistics.median(warm):.2f} s of {runs} runs, {min(warm):.2f}-{max(warm):.2f} s"
    )
    print(f"CPU time of a whole run: {cpu:.2f} s")
    print(f"first run of a project (creates the history): {first:.2f} s")
    named = ("first page served", "definitions loaded", "CPU time until then")
    for name, seconds in zip(named, medians(shown), strict=True):
        print(f"`dagster dev`, {name}: median {seconds:.2f} s of {len(shown)} starts")
    print(f"`import dagster` alone: median {alone:.2f} s; load average {os.getloadavg()[0]:.1f}")


def seconds_to_asset_code(folder: Path) -> float:
    """From the start of the process until the asset's own first message arrives."""
    started = time.perf_counter()
    with subprocess.Popen(COMMAND, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if FIRST_LINE in line:
                seconds = time.perf_counter() - started
                process.stderr.read()
                return seconds
    raise SystemExit("the asset's code was never reached; is the project installed in this environment?")


def seconds_to_page(folder: Path) -> tuple[float, float, float]:
    """Until `dagster dev` answers, until it has loaded the definitions, and the CPU time of all its processes."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    started = time.perf_counter()
    command = ["dagster", "dev", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=QUIET, stderr=QUIET, start_new_session=True
    ) as process:
        try:
            wait(process, lambda: fetched(f"http://127.0.0.1:{port}/"))
            page = time.perf_counter() - started
            wait(process, lambda: b"__repository__" in fetched(f"http://127.0.0.1:{port}/graphql?query={LOADED}"))
            return page, time.perf_counter() - started, spent(process)
        finally:
            os.killpg(process.pid, signal.SIGINT)


def wait(process: subprocess.Popen[bytes], question: Callable[[], object]) -> None:
    """Until the answer is true; an end of the process ends the measurement."""
    while not question():
        if process.poll() is not None:
            raise SystemExit("dagster dev ended before its first page")
        time.sleep(0.05)


def fetched(url: str) -> bytes:
    """What a server says; nothing while there is none."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read()
    except OSError:
        return b""


def spent(process: subprocess.Popen[bytes]) -> float:
    """CPU seconds of a process and all that it started."""
    first = psutil.Process(process.pid)
    times = [each.cpu_times() for each in (first, *first.children(recursive=True))]
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def medians(rows: Sequence[tuple[float, ...]]) -> list[float]:
    """Of each column."""
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def seconds_to_import() -> float:
    """What no arrangement of ours can save."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import dagster"], check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
