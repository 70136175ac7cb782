"""Choice of what to train: system, configuration, data, and the folders of its artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels import loading
from nsmodels.core import artifact, discover
from nsmodels.core.config import Config, Given, as_yaml, fingerprint
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
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
        stage: name of the stage that is trained.
        parent: what it starts from, where the system trains a chain.
        taken: key or folder of a trained model that stands in place of one that is trained here; see `taking.take`.
    """

    system: str
    preset: str
    config: Config
    data_key: str
    name: str
    stage: str = ""
    parent: Choice | None = None
    taken: str = ""

    @property
    def data(self) -> Path:
        """Folder of the data: that of the asset key, or `data_key` as a path where only that exists."""
        below = artifact.folder_of(self.data_key)
        return Path(self.data_key).resolve() if not below.exists() and Path(self.data_key).exists() else below

    @property
    def model_key(self) -> str:
        """Key of the model, as `nsmodels.load` takes it."""
        return self.taken or f"{PLACE}/{self.name}/model"

    @property
    def evaluation_key(self) -> str:
        """Key of the evaluation, as `nsmodels.report` takes it."""
        return f"{PLACE}/{self.name}/evaluation"

    @property
    def model(self) -> Path:
        """Folder of the trained model."""
        below = artifact.folder_of(self.model_key)
        return loading.place_of(self.taken, None, loading.MODEL) if self.taken else below

    @property
    def evaluation(self) -> Path:
        """Folder of its evaluation."""
        return artifact.folder_of(self.evaluation_key)

    @property
    def yaml(self) -> str:
        """The configuration as a file that `--config` of a training takes."""
        return as_yaml(self.config.model_dump(mode="json"))

    @property
    def unfinished(self) -> Path:
        """Folder of a running or stopped training."""
        return self.model.with_name(f".{self.model.name}.partial")

    @property
    def phases(self) -> tuple[str, ...]:
        """Networks of the model."""
        return self.trained.stage(self.stage or None).phases

    @property
    def chain(self) -> tuple[Choice, ...]:
        """What is trained for it, one after the other; itself last."""
        return (*(self.parent.chain if self.parent else ()), self)

    @property
    def inputs(self) -> Inputs:
        """Data, and the parent where there is one."""
        parent = (self.parent.model_key, self.parent.model) if self.parent else None
        return Inputs.of({self.data_key: self.data}, parent=parent)

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

    Of a system that trains a chain, the last stage; those before it are chosen with the same preset, seed and data.

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
    stage = discover.system(system).stages[-1]
    chosen = Choice(
        system, preset, config, key, name, stage.name, _parent(system, stage.starts_from, preset, config, key)
    )
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


def _parent(system: str, stage: str | None, preset: str, config: Config, data: str) -> Choice | None:
    """The stage that a stage starts from, with its own preset of that name, and the seed and device of `config`."""
    if stage is None:
        return None
    found = discover.system(system).stage(stage)
    training: Any = config.training  # type: ignore[attr-defined]
    own = found.presets[preset]().with_values({"training.seed": training.seed, "training.device": training.device})
    mark = "" if data == discover.system(system).data_key else f"-{fingerprint(data)[:8]}"
    name = f"{system}-{stage}-{preset}-{training.seed}{mark}"
    return Choice(system, preset, own, data, name, stage, _parent(system, found.starts_from, preset, own, data))
