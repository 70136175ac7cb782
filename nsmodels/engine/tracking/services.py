"""Trackers that are services: Weights & Biases and MLflow. Each run is remembered in the folder of its training."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import requests
from requests.utils import get_netrc_auth

from nsmodels.core.artifact import data_root
from nsmodels.core.errors import InputError
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.tracking.tracker import Record, numbers

SECONDS = 5.0  # to wait for the host of a tracker
WANDB_ID, MLFLOW_ID = "wandb_id.txt", "mlflow_id.txt"
LONGEST_PARAMETER = 6000  # characters of a value that MLflow keeps


def require_wandb() -> None:
    """Raise `InputError` unless Weights & Biases can be used: package, key and host are there, or it is offline."""
    if not find_spec("wandb"):
        raise InputError("use_wandb: the package is not installed; pip install 'nsmodels[wandb]'")
    if os.environ.get("WANDB_MODE", "online") != "online":
        return
    host = os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai"
    offline = "or set WANDB_MODE=offline, which writes the run to a folder for `wandb sync` later"
    if not os.environ.get("WANDB_API_KEY") and not get_netrc_auth(host):
        raise InputError(f"use_wandb: no key for {host}; run `wandb login`, set WANDB_API_KEY, {offline}")
    try:
        requests.head(host, timeout=SECONDS)
    except requests.RequestException as error:
        reason = type(error).__name__
        raise InputError(f"use_wandb: {host} does not answer ({reason}); connect to the network, {offline}") from None


class WeightsAndBiases:
    """A Weights & Biases run, continued under the same id when the training resumes."""

    def __init__(self, config: TrainingConfig, folder: Path, settings: Mapping[str, Any]) -> None:
        require_wandb()
        import wandb  # an extra

        known = _read(folder / WANDB_ID)
        about: dict[str, Any] = {"project": config.wandb_project, "entity": config.wandb_entity or None}
        about |= {"name": config.wandb_name or name_of(folder), "group": config.wandb_group or key_of(folder)}
        about |= {"tags": config.wandb_tags, "job_type": folder.name, "config": dict(settings)}
        try:
            self._run = wandb.init(dir=str(folder), id=known or None, resume="allow", **about)
        except wandb.Error as error:
            raise InputError(f"use_wandb: {error}; or set WANDB_MODE=offline to log to a folder") from None
        (folder / WANDB_ID).write_text(self._run.id, encoding="utf-8")

    def epoch(self, record: Record) -> None:
        """Write the record of a finished epoch."""
        self._run.log(numbers(record), step=record["epoch"])

    def end(self, figures: Mapping[str, float], pictures: Mapping[str, Path]) -> None:
        """Write the figures of the finished training as a summary and a table, and its pictures."""
        import wandb  # an extra

        self._run.summary.update(dict(figures))
        table = wandb.Table(columns=["figure", "value"], data=[[name, value] for name, value in figures.items()])
        self._run.log({"figures": table, **{name: wandb.Image(str(path)) for name, path in pictures.items()}})

    def close(self) -> None:
        """Flush and close."""
        self._run.finish()


def require_mlflow() -> None:
    """Raise `InputError` unless MLflow is installed."""
    if not find_spec("mlflow"):
        raise InputError("use_mlflow: the package is not installed; pip install 'nsmodels[mlflow]'")


class MLflow:
    """A run of MLflow, continued under the same id when the training resumes."""

    def __init__(self, config: TrainingConfig, folder: Path, settings: Mapping[str, Any]) -> None:
        require_mlflow()
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient

        uri = config.mlflow_uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{data_root() / 'mlflow.db'}"
        data_root().mkdir(parents=True, exist_ok=True)
        try:
            self._client = MlflowClient(uri)
            known = _read(folder / MLFLOW_ID)
            self._id = known or self._begun(config, folder, settings)
        except (MlflowException, OSError) as error:
            line = " ".join(str(error).split())[:200]
            raise InputError(f"use_mlflow: {uri}: {line}; check mlflow_uri, or leave use_mlflow out") from None
        self._client.update_run(self._id, "RUNNING")
        self._has_epochs = bool(known)

    def _begun(self, config: TrainingConfig, folder: Path, settings: Mapping[str, Any]) -> str:
        """The id of a run that is made now, in the experiment of that name."""
        found = self._client.get_experiment_by_name(config.mlflow_experiment)
        experiment = found.experiment_id if found else self._client.create_experiment(config.mlflow_experiment)
        tags = {"asset": key_of(folder), "network": folder.name}
        run = self._client.create_run(experiment, tags=tags, run_name=name_of(folder)).info.run_id
        for name, value in flat(settings).items():
            self._client.log_param(run, name, str(value)[:LONGEST_PARAMETER])
        (folder / MLFLOW_ID).write_text(run, encoding="utf-8")
        return run

    def epoch(self, record: Record) -> None:
        """Write the record of a finished epoch."""
        for name, value in numbers(record).items():
            self._client.log_metric(self._id, _allowed(name), value, step=record["epoch"])
        self._has_epochs = True

    def end(self, figures: Mapping[str, float], pictures: Mapping[str, Path]) -> None:
        """Write the figures of the finished training, and its pictures where the store takes files."""
        for name, value in figures.items():
            self._client.log_metric(self._id, _allowed(f"final/{name}"), value)
        for path in pictures.values():
            self._client.log_artifact(self._id, str(path), "figures")

    def close(self) -> None:
        """The run is finished, or, where no epoch was, failed."""
        self._client.set_terminated(self._id, "FINISHED" if self._has_epochs else "FAILED")


def key_of(folder: Path) -> str:
    """The artifact that the training in `folder` belongs to: `.clevr_mini_model.partial/perception` -> its key."""
    return folder.parent.name.removeprefix(".").removesuffix(".partial") or "training"


def name_of(folder: Path) -> str:
    """The name of a run: artifact and network."""
    return f"{key_of(folder)}/{folder.name}"


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings by dotted names."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        inner = flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
        found |= inner
    return found


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def _allowed(name: str) -> str:
    """A name without the signs that the store refuses."""
    return re.sub(r"[^\w\-./ ]", "_", name)
