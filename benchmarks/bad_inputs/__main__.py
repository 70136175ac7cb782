"""Bad inputs by the hundred: each must end in one line, a non-zero status, and no loss.

    python -m benchmarks.bad_inputs [--only GROUP] [--list] [--keep FOLDER]

Every case runs one command in a process and folder of its own. The answer is right when the last line on stderr is
the one "error: ..." line, the status is the expected one, there is no traceback, no file that was there has changed
or gone, and nothing visible was left behind. Legitimate inputs that are easily refused are among the cases: they must
succeed.
Ends with status 1 unless every answer is right.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.bad_inputs import archives, clevr, commands, configuration, mazes, orchestration, sealed
from benchmarks.bad_inputs.case import Case, Place, snapshot

GROUPS = (configuration, commands, mazes, clevr, archives, sealed, orchestration)
LIMIT = 120  # seconds of wall time, on a busy machine
# Made by every command, and no result.
UNIMPORTANT = (".lock", ".cache", ".dagster", "ledger", "__pycache__")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and end")
    parser.add_argument("--keep", type=Path, help="folder to work in, which stays; its shared data are used again")
    arguments = parser.parse_args()
    cases = [case for group in GROUPS for case in group.cases() if arguments.only in case.name]
    if arguments.list:
        print("\n".join(case.name for case in cases))
        return 0
    folder = (arguments.keep or Path(tempfile.mkdtemp(prefix="bad-inputs-"))).resolve()
    try:
        return run_all(cases, folder)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)


def run_all(cases: list[Case], folder: Path) -> int:
    world = folder / "world"
    make_world(world)
    counts: Counter[str] = Counter()
    for case in cases:
        verdict, text = judge(case, Place(fresh(folder / "case"), world))
        counts[verdict] += 1
        if verdict != "right":
            print(f"{verdict:<10} {case.name}: nsmodels {' '.join(case.command)[:200]}\n{indented(text)}", flush=True)
    print(f"{len(cases)} cases: " + ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common()))
    return 0 if set(counts) <= {"right"} else 1


def make_world(world: Path) -> None:
    """Debug data and models of every kind, which the cases read or copy."""
    made = {
        "mazes": ("mazes", "generate"),
        "clevr": ("clevr", "prepare"),
        "nav": ("nav", "train", "--data", "mazes", "--device", "cpu"),
        "visual": ("visual", "train", "--data", "clevr", "--device", "cpu"),
    }
    world.mkdir(parents=True, exist_ok=True)
    for name, (system, verb, *more) in made.items():
        if not (world / name / "manifest.json").exists():
            status, output = execute(
                Case(name, (system, verb, "--preset", "debug", "--out", name, *more)), world, world
            )
            if status:
                raise SystemExit(f"the shared data could not be made: {output}")


def judge(case: Case, place: Place) -> tuple[str, str]:
    """What is right or wrong with the answer to a case, and the answer."""
    case.setup(place)
    before, visible = snapshot(place.path), entries(place.path)
    status, output = execute(case, place.path, place.world)
    after = snapshot(place.path)
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:")]
    if status is None:
        return "late", output
    if "Traceback" in output:
        return "traceback", output
    if lost := [name for name, mark in before.items() if after.get(name) != mark and ".lock" not in name]:
        return "lost", f"{lost[:3]}\n{output}"
    if case.is_good:
        return ("right" if status == 0 else "refused"), output
    if status == 0:
        return "accepted", output
    if status != case.status or (case.status == 2 and (len(errors) != 1 or lines[-1] != errors[0])):
        return "unclear", f"status {status}\n{output}"
    if unnamed := [word for word in case.mentions if word not in output]:
        return "unnamed", f"does not mention {unnamed}\n{output}"
    if left := sorted(entries(place.path) - visible):
        return "left", f"{left[:3]}\n{output}"
    return "right", output


def entries(folder: Path) -> set[str]:
    """Every visible entry below `folder`, but those that no one takes for a result."""
    found = (path.relative_to(folder) for path in folder.rglob("*"))
    return {str(path) for path in found if not any(p.startswith(".") or p.endswith(UNIMPORTANT) for p in path.parts)}


def execute(case: Case, folder: Path, world: Path) -> tuple[int | None, str]:
    """Status and output of a command in a forked process; None when it took too long."""
    command = [word.replace("{world}", str(world)) for word in case.command]
    log = folder.parent / "output.txt"
    sys.stdout.flush()
    child = os.fork()
    if not child:
        run_child(command, folder, log)
    status = wait(child)
    return status, log.read_text(errors="replace")


def run_child(command: list[str], folder: Path, log: Path) -> None:
    """Become the command; never returns."""
    os.setsid()
    with log.open("wb") as stream, Path(os.devnull).open("rb") as none:
        for number, source in ((0, none), (1, stream), (2, stream)):
            os.dup2(source.fileno(), number)
    os.chdir(folder)
    os.environ |= {"NSMODELS_DATA": str(folder / "data"), "COLUMNS": "120"}
    if command[0] == "dagster":
        os.environ["DAGSTER_HOME"] = ""
        os.execv(Path(sys.executable).with_name("dagster"), command)
    from nsmodels.__main__ import main as nsmodels

    status = 1
    try:
        status = nsmodels(command)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status or 0)


def wait(child: int) -> int | None:
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def indented(text: str, most: int = 8) -> str:
    return "\n".join(f"    {line[:220]}" for line in text.splitlines()[-most:])


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch  # noqa: F401  before the forks, so that it is loaded once

    sys.exit(main())
