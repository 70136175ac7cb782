"""What a score is compared with: the networks of a checkpoint, classifiers of counts and colours, majority, chance.

Everything here returns probabilities of label 1 by split, so that all rows of a table are scored alike.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.formats.graphs import files, shortcuts
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.config import METRICS, REASONER
from nsmodels.systems.graph.network import kinds
from nsmodels.systems.graph.reasoner import Reasoner

Splits = Mapping[str, Graphs]
Scores = dict[str, NDArray[np.float64]]  # by split
UNTRAINED, MAJORITY, CHANCE = "untrained", "majority", "chance"
TRAINED_ON = 6_000  # pairs at most that a classifier sees: more change nothing, and take minutes
TITLES = {
    REASONER: "reasoner",
    "labels_only": "the same, labels alone",
    "flat": "flat R-GCN",
    "source": "coupled levels (source)",
    "recurrent": "one level, every round",
    "budget": "one level, few rounds",
    UNTRAINED: "the same, untrained",
    "counts": "network of counts",
    "WL-0": "regression, WL-0",
    "WL-1": "regression, WL-1",
    "WL-2": "regression, WL-2",
    "WL-3": "regression, WL-3",
    "boosting": "boosting, counts and WL",
    MAJORITY: "majority",
    CHANCE: "chance",
}


class Scored(NamedTuple):
    """Probabilities of label 1 by split, and facts of the model for its row (parameters, seconds, graphs a second)."""

    scores: Scores
    facts: dict[str, Any]


def title(name: str) -> str:
    """How tables and figures call a row."""
    return TITLES.get(name, name)


def networks(checkpoint: Path, device: str) -> dict[str, Reasoner]:
    """The networks in a checkpoint by phase, the reasoner first. Raises InputError without the reasoner."""
    found = [phase for phase in METRICS if (checkpoint / phase / "best.pt").is_file()]
    if REASONER not in found:
        raise InputError(f"{checkpoint}: no trained reasoner here; expected the folder of nsmodels graph train")
    return {phase: Reasoner.load(checkpoint, device, phase) for phase in found}


def scored_network(phase: str, reasoner: Reasoner, splits: Splits, extra_rounds: int, checkpoint: Path) -> Scored:
    """A network on each split, timed over all of them."""
    began, cpu = time.perf_counter(), time.process_time()
    found = {name: reasoner.predict(graphs, extra_rounds) for name, graphs in splits.items()}
    took, cpu_took = time.perf_counter() - began, time.process_time() - cpu
    num = sum(map(len, splits.values()))
    metrics = artifact.read_manifest(checkpoint).metrics
    facts = {"num_parameters": reasoner.num_parameters, "train_cpu_seconds": metrics.get(f"{phase}/cpu_seconds")}
    facts |= {"graphs_per_second": num / max(took, 1e-9), "graphs_per_cpu_second": num / max(cpu_took, 1e-9)}
    facts |= {"rounds": {name: float(each.rounds.mean()) for name, each in found.items()}}
    return Scored({name: each.probability for name, each in found.items()}, facts)


def scored_untrained(reasoner: Reasoner, splits: Splits, extra_rounds: int) -> Scored:
    """The network of the reasoner with random weights: what its form alone knows of the answers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = kinds.build(reasoner.kind, reasoner.config, reasoner.vocabulary)
    device = next(reasoner.network.parameters()).device
    blank = replace(reasoner, network=network.to(device).eval(), temperature=1.0)
    return Scored({name: blank.predict(graphs, extra_rounds).probability for name, graphs in splits.items()}, {})


def scored_classifiers(train: Graphs, splits: Splits) -> dict[str, Scored]:
    """The classifiers of counts and colours, one for each kind of query, trained on graphs."""
    kept = train.take(np.flatnonzero(np.isin(train.pairs, np.unique(train.pairs)[:TRAINED_ON])))
    found = {}
    for name in shortcuts.CLASSIFIERS:
        began = time.process_time()
        scorer = shortcuts.fitted_by_kind(name, kept)
        seconds = time.process_time() - began
        scores = {split: scorer(graphs) for split, graphs in splits.items()}
        found[name] = Scored(scores, {"train_cpu_seconds": seconds})
    return found


def scored_majority(train: Graphs, splits: Splits) -> Scored:
    """The commoner label of each kind of query in training."""
    share = {kind: float(train.labels[train.kinds == kind].mean()) for kind in np.unique(train.kinds).tolist()}
    overall = float(train.labels.mean())
    scores = {
        name: np.array([share.get(kind, overall) for kind in graphs.kinds.tolist()]) for name, graphs in splits.items()
    }
    return Scored(scores, {})


def training_graphs(checkpoint: Path, data: Path) -> tuple[Splits, str | None]:
    """The graphs that teach the baselines: splits `train` and `short` of the scored data, else of the checkpoint's.

    None of them where both are missing; then also the reason.
    """
    folder = data if "train" in files.splits(data) else _trained_on(checkpoint)
    if folder is None:
        return (
            {},
            "no classifiers beside it: the data have no split 'train', and the checkpoint's are missing or changed",
        )
    return {name: files.read_split(folder, name) for name in ("train", "short") if name in files.splits(folder)}, None


def _trained_on(checkpoint: Path) -> Path | None:
    for key, record in artifact.read_manifest(checkpoint).inputs.items():
        try:
            folder = artifact.input_folder(key, record)
            if "train" in files.splits(folder) and artifact.describe_input(folder).fingerprint == record.fingerprint:
                return folder
        except InputError:
            continue
    return None
