"""Debug data and models that tests share: built once in a run, by whichever of its processes needs them first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.__main__ import main
from nsmodels.core import artifact, discover, disk, locks
from nsmodels.core.artifact import FileRecord
from nsmodels.core.orders import Inputs
from nsmodels.core.sealed.contents import foreign_files
from nsmodels.engine.system import Stage, System


@dataclass(frozen=True)
class Trained:
    """The debug checkpoints of a system, a folder per stage, and the data they were trained on."""

    system: System[Any, Any]
    dataset: str
    data: Path
    root: Path

    @property
    def name(self) -> str:
        return self.system.name

    @property
    def folder(self) -> Path:
        """Of the last stage: the whole model."""
        return self.folder_of(self.system.stages[-1])

    def folder_of(self, stage: Stage) -> Path:
        return self.root / f"model_{stage.name}"

    def config_of(self, stage: Stage) -> Any:
        """The configuration of a checkpoint."""
        manifest = artifact.read_manifest(self.folder_of(stage))
        return next(iter(stage.presets.values()))().from_mapping(manifest.config, str(self.folder_of(stage)))

    def inputs(self, stage: Stage) -> Inputs:
        """What a stage is trained from."""
        parent = stage.starts_from and ("parent", self.folder_of(self.system.stage(stage.starts_from)))
        return Inputs.of(self.data, parent=parent or None)

    def command(self, stage: Stage) -> list[str]:
        """Arguments of `nsmodels` that train a stage."""
        words = [stage.name] if len(self.system.stages) > 1 else []
        words += ["--preset", "debug", "--data", str(self.data), "--out", str(self.folder_of(stage))]
        if stage.starts_from is not None:
            words += ["--parent", str(self.folder_of(self.system.stage(stage.starts_from)))]
        settings = self.system.settings.get(self.dataset, {})
        words += [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        return [self.name, "train", *words, "--device", "cpu"]

    def again(self, *flags: str) -> None:
        for stage in self.system.stages:
            assert main([*self.command(stage), *flags]) == 0

    @property
    def seal(self) -> list[tuple[int, int]]:
        """Different whenever a checkpoint was built again."""
        states = [(self.folder_of(stage) / artifact.MANIFEST).stat() for stage in self.system.stages]
        return [(state.st_ino, state.st_mtime_ns) for state in states]


def resealed(folder: Path, **changes: Any) -> Path:
    """An artifact sealed again with the files that it has now, and with `changes` of its manifest."""
    manifest = artifact.read_manifest(folder)
    names = [name for name in manifest.files if (folder / name).is_file()]
    names += [path.relative_to(folder).as_posix() for path in foreign_files(folder)]
    files = {
        name: FileRecord(bytes=(folder / name).stat().st_size, sha256=disk.sha256_of(folder / name)) for name in names
    }
    disk.write_atomic(
        folder / artifact.MANIFEST, manifest.model_copy(update={"files": files, **changes}).model_dump_json()
    )
    return folder


class Shared:
    """Sealed artifacts below one root. A test that changes one works on a copy: `verify` finds changed files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._given: set[Path] = set()

    def data(self, dataset: str) -> Path:
        """The debug() data of a dataset."""
        config = discover.module("datasets", dataset, "config").debug()
        prepare = discover.module("datasets", dataset, "prepare").prepare
        return self._once(self.root / dataset, lambda folder: prepare(config, dataset, folder))

    def trained(self, system: str, dataset: str) -> Trained:
        """The debug() checkpoints of a system on a dataset, trained on a CPU."""
        found = Trained(discover.system(system), dataset, self.data(dataset), self.root / f"{system}_on_{dataset}")
        for stage in found.system.stages:
            self._once(found.folder_of(stage), lambda folder, stage=stage: main(found.command(stage)))
        return found

    def model(self, system: str) -> Path:
        """The whole model on the usual dataset of a system."""
        return self.trained(system, discover.system(system).datasets[0]).folder

    def _once(self, folder: Path, build: Callable[[Path], object]) -> Path:
        folder.parent.mkdir(exist_ok=True)
        with locks.waiting(folder.with_name(f"{folder.name}.once")):
            if not (folder / artifact.MANIFEST).exists():
                _in_one_thread(lambda: build(folder))
        assert (folder / artifact.MANIFEST).exists()
        self._given.add(folder)
        return folder

    def verify(self) -> None:
        """Raise `InputError` when a file that was given to a test has changed."""
        for folder in self._given:
            artifact.verify(folder)


def _in_one_thread(build: Callable[[], object]) -> None:
    """The last digit of a loss depends on the number of threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    build()
    torch.set_num_threads(before)
