"""What holds of every dataset, whatever it is: parametrised over the folders."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from nsmodels.core import artifact, discover
from nsmodels.core.config import Config
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from tests.shared import Shared

NAMES = discover.datasets()


def part(name: str, module: str) -> ModuleType:
    return discover.module("datasets", name, module)


@dataclass(frozen=True)
class Prepared:
    """The debug data of a dataset."""

    name: str
    config: Config
    folder: Path

    def again(self, **options) -> artifact.Manifest:
        return part(self.name, "prepare").prepare(self.config, self.name, self.folder, **options)

    @property
    def seal(self) -> tuple[int, int]:
        """Another one whenever the artifact was made again."""
        state = (self.folder / artifact.MANIFEST).stat()
        return state.st_ino, state.st_mtime_ns


@pytest.fixture(scope="module", params=NAMES)
def prepared(request, tmp_path_factory, shared: Shared) -> Prepared:
    """A copy: some tests make it again in its place."""
    folder = shutil.copytree(shared.data(request.param), tmp_path_factory.mktemp("data") / request.param)
    return Prepared(request.param, part(request.param, "config").debug(), folder)


def checks(name: str) -> list[Callable[[Path], list[str]]]:
    """The public functions of a dataset's `checks` that list the problems of a folder."""
    found = inspect.getmembers(part(name, "checks"), inspect.isfunction)
    own = [f for label, f in found if f.__module__ == f"nsmodels.datasets.{name}.checks" and label[0] != "_"]
    return [f for f in own if inspect.signature(f).return_annotation in ("list[str]", list[str])]


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str) -> None:
    config = part(name, "config")
    assert (discover.folder("datasets", name) / "README.md").is_file()
    assert isinstance(config.CODE_VERSION, str)
    assert config.PRESETS["debug"] is config.debug
    for label, preset in config.PRESETS.items():
        assert isinstance(preset(), Config)
        assert preset.__doc__, f"preset {label} says nothing of data, time and score"


def test_debug_is_sealed_and_whole(prepared: Prepared) -> None:
    manifest = artifact.verify(prepared.folder)
    assert (manifest.key, manifest.maker) == (prepared.name, f"nsmodels.datasets.{prepared.name}")
    assert manifest.code_version == part(prepared.name, "config").CODE_VERSION
    assert manifest.source
    assert manifest.files
    assert manifest.cpu_seconds < 60


def test_debug_passes_its_own_checks(prepared: Prepared) -> None:
    assert checks(prepared.name)
    for check in checks(prepared.name):
        assert check(prepared.folder) == [], check.__name__


def harmed(folder: Path, name: str) -> str:
    """Change one byte of a file, with its size and times; returns the file's path as messages show it."""
    path = folder / name
    state, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    return str(path)


def test_one_changed_byte_of_any_kind_of_file_is_found_before_it_is_used(prepared: Prepared, tmp_path: Path) -> None:
    kinds = {Path(name).suffix: name for name in artifact.read_manifest(prepared.folder).files}
    for number, name in enumerate(kinds.values()):
        copy = Path(shutil.copytree(prepared.folder, tmp_path / str(number) / prepared.name))
        path = harmed(copy, name)
        with pytest.raises(InputError, match=re.escape(f"{path}: content differs from its checksum")):
            artifact.require_inputs(Inputs.of(copy))
        with pytest.raises(InputError, match="content differs"):
            artifact.verify(copy)


def test_a_file_that_was_added_to_it_is_found(prepared: Prepared, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(prepared.folder, tmp_path / prepared.name))
    like = copy / next(iter(artifact.read_manifest(copy).files))
    shutil.copyfile(like, like.with_name(f"extra{like.suffix}"))
    with pytest.raises(InputError, match=rf"holds files that are not of the artifact: .*extra{like.suffix}; move them"):
        artifact.require_inputs(Inputs.of(copy))


def test_its_data_replace_neither_a_model_nor_files_of_a_person(prepared: Prepared, tmp_path: Path) -> None:
    with artifact.build(tmp_path / "model", key="model", maker="nsmodels.systems.x", config={}, code_version="1"):
        pass
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text("{}")
    (tmp_path / "web" / "thesis.tex").write_text("mine")
    for place, words in {"model": "would be replaced by", "web": "would be lost: thesis.tex"}.items():
        with pytest.raises(InputError, match=words):
            part(prepared.name, "prepare").prepare(prepared.config, place, tmp_path / place, is_forced=True)
    assert artifact.verify(tmp_path / "model")
    assert (tmp_path / "web" / "thesis.tex").read_text() == "mine"


def test_unchanged_it_is_reused(prepared: Prepared) -> None:
    before = prepared.seal
    manifest = prepared.again()
    assert prepared.seal == before
    assert manifest == artifact.read_manifest(prepared.folder)


def test_forced_it_is_made_again_with_the_same_content(prepared: Prepared) -> None:
    seal, before = prepared.seal, artifact.read_manifest(prepared.folder)
    after = prepared.again(is_forced=True)
    assert prepared.seal != seal
    assert after.files == before.files
    assert after.fingerprint == before.fingerprint


def test_another_seed_gives_other_content(prepared: Prepared, tmp_path: Path) -> None:
    if "seed" not in type(prepared.config).model_fields:
        pytest.skip("this dataset draws nothing")
    other = prepared.config.with_values({"seed": 1234})
    made = part(prepared.name, "prepare").prepare(other, prepared.name, tmp_path / prepared.name)
    before = artifact.read_manifest(prepared.folder)
    assert made.fingerprint != before.fingerprint
    same = [name for name in made.files if made.files[name] == before.files.get(name)]
    assert set(same) <= {"vocabulary.json"}  # of scenes: the words that there are, whatever is drawn


def test_configurations_import_without_torch() -> None:
    places = [("datasets", name) for name in NAMES] + [("systems", name) for name in discover.systems()]
    modules = [f"nsmodels.{kind}.{name}.config" for kind, name in places]
    code = f"import sys; {'; '.join(f'import {name}' for name in modules)}\n"
    code += "print([name for name in ('torch', 'timm', 'pandas', 'matplotlib', 'dagster') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
