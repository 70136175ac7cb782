"""Every command of README and docs/, run as written and in order, in a fresh clone with debug presets.

`make documents`, or `python -m tests.documented [PAGE ...]`: a line per command with its seconds and exit status, and
the output of those that fail. It takes 16 minutes on two quiet cores and is no part of the suite, which parses the same
commands (`test_documents.py`). What needs a second machine, a download of gigabytes or a password is left out with a
line; the reader's own files and places have stand-ins (`reader_files.py`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from nsmodels.engine.processes import lifeline
from tests.reader_files import Surroundings, place_files, place_files_of

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Commands that are not run, by the reason. What sets up a machine, or serves until it is stopped, has its own tests.
LEFT_OUT = {
    "make": "sets up, tests or serves; run by itself",
    "dagster dev": "serves until it is stopped",
    "sudo": "sets up a machine",
    "ssh": "needs a second machine",
    "cd ": "of a different machine",
    "docker": "needs a container engine",
    "pip install": "installs gigabytes; tests/test_wheel.py has the same without them",
    "python3 -m venv": "an environment for what is left out",
    "--source archive": "downloads gigabytes",
    "clevr inspect": "asks the host of the archive",
    "--num-processes 4": "needs four GPUs",
    "nsmodels search nav --join": "joins a search that runs in another terminal; tests/studies/test_search.py",
}
# An answer is refused, or there is no plan: status 1, which a network near chance may well give. A paper of two seeds,
# to which `small` shortens the trainings, lacks parts: status 2 where that is an error.
MAY_REFUSE = dict.fromkeys(
    ("nsmodels visual answer", "nsmodels natural answer", "nsmodels rules ask", "nsmodels nav plan"), 1
) | {"nsmodels paper --out paper --strict": 2}
# Kills a process group when its pipe is closed, which the kernel does for a process that is killed.
WATCH = (
    "import contextlib, os, sys; sys.stdin.read()\nwith contextlib.suppress(OSError): os.killpg(int(sys.argv[1]), 9)"
)
LONG = 1800  # seconds after which a command is stopped


def pages(names: list[str]) -> list[Path]:
    """The pages named, or README and docs/ in order."""
    return [ROOT / name for name in names] or [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(page: Path) -> Iterator[str]:
    """The shell lines of a page, without comments."""
    for language, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if language in ("bash", "console", "sh"):
            for line in text.replace("\\\n", " ").splitlines():
                if command := re.sub(r"\s+#\s.*$|^#.*$|^\$ ", "", line).strip():
                    yield re.sub(r" +", " ", command)


def small(command: str) -> str:
    """The command with debug presets, and few trainings of many."""
    command = command.replace("search nav --preset latent", "search nav --preset debug --model.model.core conv")
    command = re.sub(r"--preset \w+", "--preset debug", command)
    command = command.replace("pipeline.publication", "pipeline.publication --preset debug")
    command = re.sub(r'"preset": "\w+"', '"preset": "debug"', command)
    command = re.sub(r"--num-scenes \d+ --width \d+ --height \d+", "--num-scenes 12 --width 96 --height 64", command)
    command = command.replace("person 55", "person 25")  # of the thirty people there are then
    return re.sub(r"(--epochs|\"epochs\":) \d+", r"\1 2", command).replace("0...4", "0...1")


def reason(command: str) -> str:
    """Why a command is not run; empty where it is."""
    return next((why for part, why in LEFT_OUT.items() if command.startswith(part) or f" {part}" in command), "")


def evaluation_of(folder: Path, dataset: str) -> str:
    """The first characters of the latest evaluation on a dataset in the ledger; empty where there is none."""
    found = sorted((folder / "data/ledger").glob("*/entry.json"), key=lambda path: path.stat().st_mtime)
    ids = [path.parent.name for path in found if json.loads(path.read_text(encoding="utf-8"))["dataset"] == dataset]
    return ids[-1][:8] if ids else ""


def main(names: list[str]) -> int:
    """Run the commands of the pages; the number of those that fail, at most 100."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="documented-") as place, Surroundings(Path(place) / "group") as around:
        clone = Path(place) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        for name in ("nsmodels", "pipeline"):  # with the compiled functions of the installation
            shutil.copytree(ROOT / name, clone / name, dirs_exist_ok=True)
        place_files(clone, pages([]))
        for page in pages(names):
            for command in commands(page):
                failed += not _run(clone, f"{page.relative_to(ROOT)}: ", command, around)
    print(f"{failed} commands failed")
    return min(failed, 100)


def run(command: str, folder: Path, environment: Mapping[str, str], seconds: float = LONG) -> tuple[int, str]:
    """Exit status and output of a shell command; what it has started ends with it, and with this process."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        given = {"cwd": folder, "env": environment, "stdin": subprocess.DEVNULL, "stdout": output}
        job = subprocess.Popen(command, shell=True, start_new_session=True, stderr=subprocess.STDOUT, **given)
        watching = [sys.executable, "-c", WATCH, str(job.pid)]
        with subprocess.Popen(watching, stdin=subprocess.PIPE, start_new_session=True) as watcher:
            try:
                status = job.wait(seconds)
            except subprocess.TimeoutExpired:
                status = 124
            finally:
                watcher.communicate()  # closes the pipe
        job.wait()
        output.seek(0)
        return status, output.read()


def _run(clone: Path, page: str, command: str, around: Surroundings) -> bool:
    if why := reason(command):
        print(f"{page}{command}\n    left out: {why}", flush=True)
        return True
    place_files_of(command, clone)
    given, begun = small(command), time.time()
    for word, here in {**around.words, "9b10": evaluation_of(clone, "mazes")}.items():
        given = given.replace(word, here)
    environment = {**os.environ, "NSMODELS_PRESET": "debug", "PYTHONPATH": str(clone), **around.environment}
    status, output = run(given, clone, environment)
    refused = next((number for start, number in MAY_REFUSE.items() if given.startswith(start)), 0)
    is_refusal = status == refused and "Traceback" not in output
    print(f"{page}{command}\n    {time.time() - begun:.0f} s, exit status {status}", flush=True)
    if status:
        print("".join(f"    | {line}\n" for line in output.splitlines()[-15:]), flush=True)
    return status == 0 or is_refusal


if __name__ == "__main__":
    lifeline.end_with_named_parent()
    sys.exit(main(sys.argv[1:]))
