"""A search under way: what its workers share, as a file in the folder of the unfinished artifact."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from nsmodels.core import artifact, disk
from nsmodels.core.config import read_json, reference, referred
from nsmodels.core.config.spaces import Space
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.studies.search.config import config_class
from nsmodels.studies.search.target import Target

FILE = "search.json"  # there as long as the search can be joined


@dataclass(frozen=True)
class Job:
    """A search in a folder: what is trained, how it is searched, from which data, and where."""

    target: Target
    config: Any
    inputs: Inputs
    folder: Path

    def write(self) -> None:
        """Write it for the workers that join."""
        values = {
            "system": self.target.system.package,
            "stage": self.target.stage,
            "space": asdict(self.target.space),
            "model": reference(type(self.config.model)),
            "config": self.config.model_dump(),
            "inputs": self.inputs.to_dict(),
        }
        disk.write_json(self.folder / FILE, values)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The search that `write` wrote into a folder. Raises `InputError` where there is none."""
        if not (folder / FILE).is_file():
            raise InputError(f"{folder}: no search is under way here; begin one without --join")
        values: Mapping[str, Any] = read_json(folder / FILE)
        config = config_class(referred(values["model"])).from_mapping(dict(values["config"]))
        system = importlib.import_module(values["system"]).SYSTEM
        target = Target(system, values["stage"], Space(**values["space"]))
        return cls(target, config, Inputs.from_dict(values["inputs"]), folder)


def folder_of(artifact_folder: Path) -> Path:
    """Where the unfinished search of an artifact lies."""
    return artifact.beside(artifact_folder.resolve(), "partial")
