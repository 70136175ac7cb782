"""Choice of what to train: system, configuration, data, and the folders of its artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, discover
from nsmodels.core.config import Config, Given, fingerprint
from nsmodels.core.errors import InputError
from nsmodels.engine.system import System

PLACE = "notebook"  # below the data root: what notebooks make never replaces an asset of the pipeline


@dataclass(frozen=True)
class Choice:
    """A system with its configuration and its data.

    Attributes:
        system: one of `discover.systems()`.
        preset: name of one of its presets.
        config: the configuration, equal to the preset or changed.
        data_key: the asset key of the data, or the path of a folder.
        name: name of the run: its artifacts are "notebook/<name>/model" and "notebook/<name>/evaluation".
    """

    system: str
    preset: str
    config: Config
    data_key: str
    name: str

    @property
    def data(self) -> Path:
        """Folder of the data: that of the asset key, or `data_key` as a path where only that exists."""
        below = artifact.folder_of(self.data_key)
        return Path(self.data_key).resolve() if not below.exists() and Path(self.data_key).exists() else below

    @property
    def model_key(self) -> str:
        """Key of the model, as `nsmodels.load` takes it."""
        return f"{PLACE}/{self.name}/model"

    @property
    def evaluation_key(self) -> str:
        """Key of the evaluation, as `nsmodels.report` takes it."""
        return f"{PLACE}/{self.name}/evaluation"

    @property
    def model(self) -> Path:
        """Folder of the trained model."""
        return artifact.folder_of(self.model_key)

    @property
    def evaluation(self) -> Path:
        """Folder of its evaluation."""
        return artifact.folder_of(self.evaluation_key)

    @property
    def unfinished(self) -> Path:
        """Folder of a running or stopped training."""
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
    domain: str = "",
) -> Choice:
    """A choice from the registry of systems; prints preset, data and model.

    Args:
        system: name of the system.
        preset: name of one of its presets.
        seed: seed of the training.
        changes: fields of the configuration by dotted name.
        data: asset key or folder; default: the system's usual data.
        name: name of the run; default: derived from the other arguments, so that different models have their own
            folders.
        domain: of a system with several, whose presets and data are used; default: the first.

    Raises `InputError` for an unknown system, domain, preset or field.
    """
    usual, presets = _domain(discover.system(system), domain)
    if preset not in presets:
        raise InputError(f"preset '{preset}': not one of {system}; known are {', '.join(presets)}")
    config = presets[preset]().with_given(Given({"training.seed": seed, **(changes or {})}, "changes"))
    plain = presets[preset]().with_values({"training.seed": config.training.seed})
    recipe, key = config.relevant(), data or usual
    mark = "" if (recipe, key) == (plain.relevant(), usual) else f"-{fingerprint([recipe, key])[:8]}"
    name = name or f"{'-'.join(filter(None, (system, domain, preset)))}-{config.training.seed}{mark}"
    chosen = Choice(system, preset, config, key, name)
    print(f"{system}, preset {preset}: {(presets[preset].__doc__ or '').strip()}")
    print(f"data {chosen.data_key}; model {chosen.model_key} (other systems: {', '.join(discover.systems())})")
    return chosen


def _domain(system: System[Any, Any], name: str) -> tuple[str, Mapping[str, Any]]:
    """Key of the data and presets of a domain; those of the system itself without a name."""
    if not name:
        return system.data_key, system.presets
    if name not in system.domains:
        known = f"known are {', '.join(system.domains)}" if system.domains else "it has none"
        raise InputError(f"domain '{name}': not one of {system.name}; {known}")
    return system.domains[name]
