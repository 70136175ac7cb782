"""The trials of a sweep: partitions whose configuration was written down beside them before they were queued."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nsmodels.core.config import Config, fingerprint
from nsmodels.core.disk import write_json
from nsmodels.core.errors import InputError
from pipeline.lib import policy, store
from pipeline.lib.launchpad import Chosen, Launchpad
from pipeline.lib.partitions.keys import trials_of
from pipeline.lib.partitions.partitioned import Given, Partitioned
from pipeline.lib.training import Training

NOTE = "trial.json"
PAD = Launchpad({"as queued": Config}, default="as queued")
ABOUT = """{keys} for each configuration of a grid that `nsmodels sweep` queued, the partition: there is none before.

`nsmodels sweep {model} --preset quick training.lr=1e-3,3e-3 --seeds 0...2` adds six. `leaderboard` ranks them."""
LONGEST = 100  # characters of a name, which is also that of a folder


@dataclass(frozen=True)
class Trial:
    """A preset and the fields that differ from it, by dotted name."""

    preset: str
    values: Mapping[str, Any]

    def name(self, short: Mapping[str, str]) -> str:
        """The partition, as "quick_lr=0.003_seed=1"; `short` has shorter names of fields."""
        fields = [f"{short.get(field, field)}={_plain(value)}" for field, value in self.values.items()]
        whole = "_".join([self.preset, *fields])
        name = re.sub(r"[^\w.+=-]|\.{2,}", "-", whole)
        is_whole = name == whole and len(name) <= LONGEST
        return name if is_whole else f"{name[:LONGEST]}_{fingerprint(self.to_dict())[:8]}"

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {"preset": self.preset, "values": dict(self.values)}


def trials(trainings: list[Training[Any, Any]]) -> list[Partitioned]:
    """One per training, named after it."""
    return [_partitioned(f"{training.name}_trials", training) for training in trainings]


def write(key: str, name: str, trial: Trial) -> None:
    """Write down what the partition `name` is to be."""
    write_json(_place(key, name, make=True), trial.to_dict())


def read(key: str, name: str) -> Trial:
    """What was written down for the partition `name`; InputError when nothing was."""
    path = _place(key, name)
    try:
        return Trial(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise InputError(f"{path}: missing or broken; queue the trial with: nsmodels sweep") from None


def chosen(training: Training[Any, Any], trial: Trial, force: bool = False) -> Chosen[Any]:
    """The configuration of a trial; InputError for values out of bounds."""
    found = training.model.resolve({"preset": trial.preset, **trial.values, "force": force})
    return replace(found, reason=", ".join(f"{field}={value}" for field, value in trial.values.items()) or "as it is")


def _partitioned(key: str, training: Training[Any, Any]) -> Partitioned:
    def choose(partition: str, given: Given) -> Chosen[Any]:
        return chosen(training, read(key, partition), bool(given.get("force")))

    return Partitioned(
        key=key,
        training=training,
        partitions=trials_of(key),
        choose=choose,
        pad=PAD,
        policy=policy.trials(),
        description=ABOUT.format(keys=training.keys, model=training.model_key),
    )


def _place(key: str, name: str, make: bool = False) -> Path:
    folder = store.folder(key, name)
    if make:
        folder.mkdir(parents=True, exist_ok=True)
    return folder / NOTE


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "-".join(_plain(part) for part in value)
    return value if isinstance(value, str) else json.dumps(value)
