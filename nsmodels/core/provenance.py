"""Provenance of a result: commit of the code, library versions, machine, processor time."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECORDED_PACKAGES = ("torch", "timm", "numpy", "numba", "pandas", "dagster", "nsmodels")


@cache
def git_commit() -> str:
    """Commit of the running code, with "+changes" when the working tree differs; "unknown" outside its own checkout.

    Cached: the code of a process does not change after its import.
    """
    return commit_of(ROOT)


def commit_of(root: Path) -> str:
    """Commit checked out at `root`, with "+changes"; "unknown" when `root` is not the top of a checkout."""
    try:
        # a package installed inside the checkout of a different project must not report that project's commit
        if Path(_git(root, "rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return "unknown"
        state = _git(root, "--no-optional-locks", "status", "--porcelain", "-uno")
        return _git(root, "rev-parse", "HEAD") + ("+changes" if state else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True, encoding="utf-8")
    return done.stdout.strip()


@cache
def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that affect results, by name; not to be changed by the caller.

    Cached: every checkpoint contains them, and reading them takes as long as a step of a small network.
    """
    found = {"python": platform.python_version()}
    for name in RECORDED_PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """Processor, number of cores and operating system."""
    return f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}"


def cpu_seconds() -> float:
    """Processor time in seconds of this process and of its children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
