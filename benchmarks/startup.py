"""Seconds from typing the short command to the first line of asset code, beside `import dagster` alone.

The asset is `clevr_model` in an empty folder: its body says which preset it takes, then finds its data missing and
ends. The first run of a project also creates the history's stores and is shown on its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = ["dagster", "asset", "materialize", "--select", "clevr_model"]
FIRST_LINE = "clevr_model - preset "


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs after the first [5]")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        for name in ("pyproject.toml", "dagster.yaml"):
            shutil.copy(ROOT / name, folder)
        first = seconds_to_asset_code(Path(folder))
        before = os.times()
        warm = [seconds_to_asset_code(Path(folder)) for _ in range(runs)]
        after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    cpu = spent / runs
    alone = statistics.median(seconds_to_import() for _ in range(runs))
    print(
        f"asset code reached: median {statistics.median(warm):.2f} s of {runs} runs, {min(warm):.2f}-{max(warm):.2f} s"
    )
    print(f"CPU time of a whole run: {cpu:.2f} s")
    print(f"first run of a project (creates the history): {first:.2f} s")
    print(f"`import dagster` alone: median {alone:.2f} s; load average {os.getloadavg()[0]:.1f}")


def seconds_to_asset_code(folder: Path) -> float:
    """From the start of the process until the asset's own first message arrives."""
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    started = time.perf_counter()
    with subprocess.Popen(COMMAND, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if FIRST_LINE in line:
                seconds = time.perf_counter() - started
                process.stderr.read()
                return seconds
    raise SystemExit("the asset's code was never reached; is the project installed in this environment?")


def seconds_to_import() -> float:
    """What no arrangement of ours can save."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import dagster"], check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
