"""Orders: what to build, from which folders in which roles, where. Torch-free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from nsmodels.core.config import Config
from nsmodels.core.errors import InputError

DATA, MODEL, PARENT = "data", "model", "parent"
C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Inputs(Mapping[str, Path]):
    """The folders that an artifact is built from, a mapping by asset key, each with its role.

    Attributes:
        folders: folder by asset key, in the order in which the manifest lists them.
        roles: "data" (where nothing is given), "model" (what is scored) or "parent" (what a training starts from).
        earlier: the folder, a folder per phase, of what was trained before for the same artifact; None: nothing was.
    """

    folders: Mapping[str, Path]
    roles: Mapping[str, str] = field(default_factory=dict)
    earlier: Path | None = None

    @classmethod
    def of(
        cls,
        data: Mapping[str, Path] | Path,
        model: tuple[str, Path] | None = None,
        parent: tuple[str, Path] | None = None,
    ) -> Self:
        """Inputs by role; a plain folder of data gets the key "data"."""
        given = {MODEL: model, PARENT: parent}
        named = {key[0]: role for role, key in given.items() if key}
        folders = {key[0]: Path(key[1]) for key in given.values() if key}
        named_data = dict(data) if isinstance(data, Mapping) else {DATA: Path(data)}
        if twice := [key for key in named_data if key in folders]:
            raise InputError(f"inputs: '{twice[0]}' is the name of data and of a {named[twice[0]]}; rename the folder")
        return cls(folders | named_data, named)

    def __getitem__(self, key: str) -> Path:
        return self.folders[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.folders)

    def __len__(self) -> int:
        return len(self.folders)

    def role(self, key: str) -> str:
        """Role of the input `key`."""
        return self.roles.get(key, DATA)

    @property
    def datasets(self) -> dict[str, Path]:
        """Folders of the data, by key."""
        return {key: path for key, path in self.folders.items() if self.role(key) == DATA}

    @property
    def data(self) -> Path:
        """The one folder of data. Raises InputError where there are none or several: use `datasets` then."""
        found = self.datasets
        if len(found) != 1:
            raise InputError(f"inputs: expected one folder of data, got {len(found)} ({', '.join(found) or 'none'})")
        return next(iter(found.values()))

    @property
    def model(self) -> Path:
        """The model that is scored. Raises InputError where there is none."""
        return self._only(MODEL)

    @property
    def parent(self) -> Path:
        """The model that a training starts from. Raises InputError where there is none."""
        return self._only(PARENT)

    def has(self, role: str) -> bool:
        """Whether some input has this role."""
        return any(self.role(key) == role for key in self.folders)

    def _only(self, role: str) -> Path:
        found = [path for key, path in self.folders.items() if self.role(key) == role]
        if len(found) != 1:
            raise InputError(f"inputs: expected one {role}, got {len(found)}; inputs are {', '.join(self) or 'none'}")
        return found[0]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, paths absolute: what a process started elsewhere reads with `from_dict`."""
        return {"folders": {k: str(p.absolute()) for k, p in self.folders.items()}, "roles": dict(self.roles)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Inputs from what `to_dict` returned."""
        return cls({key: Path(path) for key, path in values["folders"].items()}, values["roles"])


@dataclass(frozen=True)
class Order(Generic[C]):
    """One artifact to build.

    Attributes:
        key: its asset key, recorded in the manifest.
        config: its configuration.
        inputs: what it is built from, by role.
        folder: where it will be sealed.
        force: build it though an equal one is there.
        trackers: receive the record of each epoch, for trainings.
    """

    key: str
    config: C
    inputs: Inputs
    folder: Path
    force: bool = False
    trackers: Sequence[Any] = ()

    @property
    def data(self) -> Path:
        """The one folder of data; see `Inputs.data`."""
        return self.inputs.data

    @property
    def model(self) -> Path:
        """The model that is scored; see `Inputs.model`."""
        return self.inputs.model

    @property
    def parent(self) -> Path:
        """The model that a training starts from; see `Inputs.parent`."""
        return self.inputs.parent
