"""What is to be trained, on what, and where it will lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, discover
from nsmodels.core.config import Config, fingerprint
from nsmodels.core.errors import InputError
from nsmodels.engine.system import System

PLACE = "notebook"  # below the data root: what notebooks make never replaces an asset of the pipeline


@dataclass(frozen=True)
class Choice:
    """A system with its configuration and its data.

    Attributes:
        system: one of `discover.systems()`; `preset` is one of its presets, which `config` may change.
        data_key: the asset key of the data, or the path of a folder.
        name: names the run: "notebook/<name>/model" and "notebook/<name>/evaluation" are its artifacts.
    """

    system: str
    preset: str
    config: Config
    data_key: str
    name: str

    @property
    def data(self) -> Path:
        """The folder of the data."""
        below = artifact.folder_of(self.data_key)
        return Path(self.data_key).resolve() if not below.exists() and Path(self.data_key).exists() else below

    @property
    def model_key(self) -> str:
        """What `nsmodels.load` takes."""
        return f"{PLACE}/{self.name}/model"

    @property
    def evaluation_key(self) -> str:
        """What `nsmodels.report` takes."""
        return f"{PLACE}/{self.name}/evaluation"

    @property
    def model(self) -> Path:
        """The folder of the trained model."""
        return artifact.folder_of(self.model_key)

    @property
    def evaluation(self) -> Path:
        """The folder of its evaluation."""
        return artifact.folder_of(self.evaluation_key)

    @property
    def unfinished(self) -> Path:
        """The folder of a training under way or stopped."""
        return self.model.with_name(f".{self.model.name}.partial")

    @property
    def trained(self) -> System[Any, Any]:
        """The system itself."""
        return discover.system(self.system)


def choose(
    system: str,
    preset: str = "quick",
    seed: int = 42,
    changes: Mapping[str, Any] | None = None,
    data: str = "",
    name: str = "",
) -> Choice:
    """A choice from the registry of systems, told in a few lines.

    `changes` are fields of the configuration by dotted name; `data` is an asset key or a folder (default: what the
    system is usually trained on). Without a `name`, what any of them makes another model has a folder of its own.
    Raises `InputError` for a system, preset or field that there is not.
    """
    presets = discover.system(system).presets
    if preset not in presets:
        raise InputError(f"preset '{preset}': not one of {system}; known are {', '.join(presets)}")
    config = presets[preset]().with_values({"training.seed": seed, **(changes or {})}, "changes")
    usual = discover.system(system).data_key
    plain = presets[preset]().with_values({"training.seed": config.training.seed})
    recipe, key = config.relevant(), data or usual
    mark = "" if (recipe, key) == (plain.relevant(), usual) else f"-{fingerprint([recipe, key])[:8]}"
    name = name or f"{system}-{preset}-{config.training.seed}{mark}"
    chosen = Choice(system, preset, config, key, name)
    print(f"{system}, preset {preset}: {(presets[preset].__doc__ or '').strip()}")
    print(f"data {chosen.data_key}; model {chosen.model_key} (other systems: {', '.join(discover.systems())})")
    return chosen
