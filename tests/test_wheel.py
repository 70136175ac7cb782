"""The wheel, installed outside of the checkout: command and library without Dagster, definitions with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="it builds the wheel: pip install hatchling")
ROOT = Path(__file__).parents[1]
SITE = Path(sysconfig.get_path("purelib"))
OF_EXTRA = ("dagster", "tensorboard")  # first words of packages that only the extra `pipeline` brings
PREDICT = """
import importlib.util, json
import nsmodels

model = nsmodels.load("my_model", device="cpu")
best = model.predict(model.relations[0], model.entities[0], None)[0]
has_dagster = importlib.util.find_spec("dagster") is not None
print(json.dumps([nsmodels.__version__, nsmodels.__file__, best.entity in model.entities, has_dagster]))
"""


class Place:
    """An environment with the wheel, and an empty folder in which its programs run."""

    def __init__(self, base: Path) -> None:
        self.base, self.folder = base, base / "empty"
        self.folder.mkdir()
        wheel = self.built(base / "wheel")
        venv.create(base / "environment", with_pip=False)
        (self.site,) = (base / "environment/lib").glob("python3.*/site-packages")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self.site)
        self.heavy = base / "heavy"  # torch and the like by links: they are not what is tested
        self.heavy.mkdir()
        self.link(lambda name: not name.startswith(OF_EXTRA))
        (self.site / "heavy.pth").write_text(f"{self.heavy}\n")

    def built(self, folder: Path) -> Path:
        words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = folder.glob("*.whl")
        return wheel

    def link(self, is_wanted) -> None:
        for path in SITE.iterdir():
            is_own = path.suffix == ".pth" or path.name.startswith(("nsmodels", "_editable", "__editable"))
            if is_wanted(path.name) and not is_own:
                (self.heavy / path.name).symlink_to(path)

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.base), "OMP_NUM_THREADS": "1"}
        program = [str(self.base / "environment/bin/python"), *words]
        done = subprocess.run(program, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == code, done.stderr[-3000:]
        return done


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_types_and_data_and_leaves_the_start_of_python_alone(place: Place) -> None:
    assert (place.site / "nsmodels/py.typed").exists()
    assert (place.site / "nsmodels/scenery/graphics/sprites.zip").exists()
    assert [path.name for path in place.site.glob("*.pth")] == ["heavy.pth"]
    required = [
        line
        for line in next(place.site.glob("nsmodels-*.dist-info/METADATA")).read_text().splitlines()
        if line.startswith("Requires-Dist:") and "extra ==" not in line
    ]
    assert not [line for line in required if line.split()[1].startswith(OF_EXTRA)]
    assert any(line.split()[1].startswith("torch") for line in required)


def test_command_and_library_work_without_dagster(place: Place) -> None:
    version = place.run("-m", "nsmodels", "--version").stdout.split()[1]
    refused = place.run("-m", "nsmodels", "sweep", "--help", code=2).stderr
    assert refused == (
        "error: nsmodels sweep: cannot be loaded (No module named 'dagster'); pip install 'nsmodels[pipeline]'\n"
    )
    place.run("-m", "nsmodels", "knowledge_bases", "generate", "--preset", "debug", "--out", "data/bases")
    trained = ("--data", "data/bases", "--out", "data/my_model", "--preset", "debug")
    place.run("-m", "nsmodels", "links", "train", *trained, "--training.device", "cpu")
    found, where, is_entity, has_dagster = json.loads(place.run("-c", PREDICT).stdout)
    assert (found, is_entity, has_dagster) == (version, True, False)
    assert Path(where).is_relative_to(place.site)


def test_the_definitions_run_in_an_empty_folder_with_the_extra(place: Place) -> None:
    place.link(lambda name: name.startswith(OF_EXTRA))
    words = ("asset", "materialize", "-m", "pipeline.definitions", "--select", "knowledge_bases")
    config = json.dumps({"ops": {"knowledge_bases": {"config": {"preset": "debug"}}}})
    done = place.run("-m", "dagster", *words, "--config-json", config)
    assert (place.folder / "data/knowledge_bases/manifest.json").exists(), done.stderr
    assert not os.path.lexists(place.folder / ".dagster")  # a history is that of a folder with a dagster.yaml
