"""`make setup` with an index of CPU builds: a folder stands for the index, empty packages for torch and torchvision."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SITE = Path(sysconfig.get_path("purelib"))
BUILDS = ("torch", "torchvision")
# Without the settings of this machine's pip, which may know further indexes.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
ENVIRONMENT["PIP_CONFIG_FILE"] = os.devnull


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A package index in a folder, with CPU builds of the pinned versions; empty packages stand for them."""
    for name in BUILDS:
        (version,) = re.findall(rf"^{name}==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
        about, folder = f"{name}-{version}+cpu", tmp_path / "simple" / name
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / f"{about}-py3-none-any.whl", "w") as wheel:
            files = {
                f"{name}/__init__.py": "",
                f"{about}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}+cpu\n",
                f"{about}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            }
            for path, text in files.items():
                wheel.writestr(path, text)
            wheel.writestr(f"{about}.dist-info/RECORD", "".join(f"{path},,\n" for path in files))
        (folder / "index.html").write_text(f'<a href="{about}-py3-none-any.whl">{about}</a>')
    return tmp_path / "simple"


def make_environment(place: Path) -> None:
    """An empty virtual environment with the pip of this one: to install that again takes longer than the test."""
    venv.create(place, with_pip=False)
    (site,) = (place / "lib").glob("python3.*/site-packages")
    for path in (SITE / "pip", *SITE.glob("pip-*.dist-info")):
        (site / path.name).symlink_to(path)
    program = place / "bin" / "pip"
    program.write_text(f'#!/bin/sh\nexec "{place}/bin/python" -m pip "$@"\n')
    program.chmod(0o755)


def test_an_index_of_cpu_builds_gives_torch_and_torchvision_and_no_more(index: Path, tmp_path: Path) -> None:
    place, address = tmp_path / "env", index.as_uri()
    words = ["make", "--dry-run", "setup", f"VENV={place}", f"TORCH_INDEX={address}", f"PYTHON={sys.executable}"]
    lines = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    (install,) = [line for line in lines if address in line]
    make_environment(place)
    subprocess.run(install, shell=True, cwd=ROOT, check=True, capture_output=True, env=ENVIRONMENT)
    # What follows takes them for the pinned versions, and leaves them alone.
    pip, given = str(place / "bin/pip"), {"cwd": ROOT, "env": ENVIRONMENT, "capture_output": True, "text": True}
    later = subprocess.run([pip, "install", "--no-index", "-c", "constraints.txt", *BUILDS], check=True, **given)
    assert later.stdout.count("already satisfied") == len(BUILDS)
    listed = subprocess.run([pip, "freeze"], check=True, **given).stdout.split()
    assert [line.partition("==")[0] for line in listed if line.endswith("+cpu")] == list(BUILDS)
