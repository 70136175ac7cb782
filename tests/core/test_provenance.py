"""The commit that a result names is that of this project, never of a checkout around it."""

import subprocess
from pathlib import Path

from nsmodels.core.provenance import commit_of


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_commit_and_whether_the_tree_differs(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("1")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-q", "-m", "one")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert commit_of(tmp_path) == head
    (tmp_path / "a.py").write_text("2")
    assert commit_of(tmp_path) == f"{head}+changes"
    (tmp_path / "site-packages").mkdir()
    assert commit_of(tmp_path / "site-packages") == "unknown"


def test_outside_a_checkout_it_is_unknown(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == "unknown"
    git(tmp_path, "init", "-q")
    assert commit_of(tmp_path) == "unknown"  # nothing committed yet
