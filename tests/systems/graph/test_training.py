"""Training: which graphs an epoch has, and what is learned from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nsmodels.__main__ import main
from nsmodels.engine.batching import Part
from nsmodels.engine.task import Shard
from nsmodels.formats.graphs import files
from nsmodels.systems.graph.config import debug
from nsmodels.systems.graph.phases import make_trial
from nsmodels.systems.graph.studies.transfer import num_epochs
from nsmodels.systems.graph.train import RANGE, fitted_temperature
from nsmodels.systems.graph.training.graphs import TrainingGraphs
from nsmodels.systems.graph.training.pairs import paired
from tests.shared import Shared
from tests.systems.graph.reach import graphs

pytestmark = pytest.mark.usefixtures("one_thread")
SIZES = {"short": (40, 3), "train": (80, 9), "val": (80, 9)}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reachability: 20 pairs of short graphs, 40 of full ones, 40 to validate."""
    folder = tmp_path_factory.mktemp("reach")
    for seed, (split, (number, most)) in enumerate(SIZES.items()):
        files.write(files.path_of(folder, split), graphs(number, seed, most))
    return folder


def rows(found: TrainingGraphs, epoch: int) -> list[np.ndarray]:
    batches = found.batches("train", epoch, Shard(), Anything(), "none", (0, 0))
    return [part.rows for part in batches.index_batches if isinstance(part, Part)]


class Anything:
    """Stands for a network when only the order of graphs is asked for."""


def test_a_domain_other_than_that_of_the_data_is_refused(shared: Shared, tmp_path: Path, capsys) -> None:
    data, out = shared.data("causal_graphs"), tmp_path / "out"
    words = ["graph", "train", "--preset", "debug", "--data", str(data), "--out", str(out), "--dry-run"]
    assert main([*words, "--domain", "planning"]) == 2
    assert capsys.readouterr().err == (
        f"error: --domain planning: {data} holds data of the domain causal; leave --domain out, or give data of "
        "planning_graphs\n"
    )
    assert main([*words, "--domain", "causal"]) == 0


@pytest.mark.parametrize("num_steps", [1, 7, 40, 400])
@pytest.mark.parametrize("num_short", [0, 1, 3])
def test_a_fine_tuning_takes_as_many_steps_as_are_reported(data: Path, num_steps: int, num_short: int) -> None:
    values = {"training.batch_size": 8, "schedule": {"short_epochs": num_short, "short_share": 0.0}}
    config = debug().with_values(values)
    found = TrainingGraphs(data, config.schedule, config.training)
    full, short = (len(files.read_split(data, split)) // 8 for split in ("train", "short"))
    epochs = num_epochs(num_steps, full, short, num_short)
    assert sum(len(rows(found, epoch)) for epoch in range(epochs)) >= num_steps


def test_short_graphs_come_first_and_twins_together(data: Path) -> None:
    config = debug().with_values({"training.batch_size": 16, "schedule": {"short_epochs": 2, "short_share": 0.2}})
    found = TrainingGraphs(data, config.schedule, config.training)
    for epoch in range(4):
        batches = rows(found, epoch)
        chosen = np.concatenate(batches)
        assert len(np.unique(chosen)) == len(chosen)
        is_short = chosen >= len(found.full)
        assert (is_short.sum(), (~is_short).sum()) == ((40, 0) if epoch < 2 else (20, 80))
        for batch in batches:
            assert (np.unique(found.pairs[batch], return_counts=True)[1] == 2).all()
        spread = [np.ptp(found.rounds[batch]) for batch in batches[:-1]]
        assert np.mean(spread) < np.ptp(found.rounds[chosen]) / 2
    assert not np.array_equal(np.concatenate(rows(found, 2)), np.concatenate(rows(found, 3)))
    plain = TrainingGraphs(data, config.schedule, config.training.with_values({"curriculum": False}))
    assert len(plain.train) == 80


def trained(data: Path, steps: int, **values: Any) -> tuple[Any, list[float]]:
    """A network and the label loss of each step."""
    given = {"model.dim": 16, "training": {"device": "cpu", "curriculum": False, "lr": 0.01}, **values}
    task: Any = make_trial("reasoner", debug().with_values(given), data).task
    torch.manual_seed(0)
    network, losses = task.build(), []
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
    for step in range(steps):
        for batch in task.batches("train", step, Shard()):
            total, terms = task.loss(network, batch)
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            losses.append(terms["label"].item())
    return (task, network.eval()), losses


def test_the_loss_falls_and_the_trace_helps_on_graphs_that_were_not_seen(data: Path) -> None:
    (task, network), losses = trained(data, 12)
    assert np.mean(losses[-5:]) < 0.6 * losses[0]
    with torch.no_grad():
        found = [task.loss(network, batch)[1] for batch in task.batches("val", 0, Shard())]
    assert np.mean([terms["accuracy"].item() for terms in found]) > 0.8
    assert np.mean([terms["trace"].item() for terms in found]) < 0.5  # ln 2 is chance


def test_labels_without_meaning_are_not_learned(data: Path, tmp_path: Path) -> None:
    for split in SIZES:
        given = files.read_split(data, split)
        labels = np.random.default_rng(0).permuted(np.arange(len(given)) % 2).astype(np.int8)
        files.write(files.path_of(tmp_path, split), given.replaced(labels=labels))
    (task, network), _ = trained(tmp_path, 8, **{"objective.trace_weight": 0.0})
    with torch.no_grad():
        found = [task.loss(network, batch)[1]["accuracy"].item() for batch in task.batches("val", 0, Shard())]
    assert np.mean(found) == pytest.approx(0.5, abs=0.17)  # three standard errors of 80 graphs


def test_a_pair_is_right_when_both_twins_are() -> None:
    assert paired(np.array([True, True, True, False, True]), np.array([7, 3, 7, 3, 9])).tolist() == [False, True, True]


def test_the_temperature_is_the_one_that_explains_the_labels_best() -> None:
    rng, logits = np.random.default_rng(0), np.random.default_rng(1).normal(0, 3, 20_000)
    labels = (rng.random(len(logits)) < 1 / (1 + np.exp(-logits / 2.5))).astype(int)
    assert fitted_temperature(logits, labels) == pytest.approx(2.5, rel=0.05)
    assert fitted_temperature(logits, (logits > 0).astype(int)) == pytest.approx(RANGE[0], rel=1e-3)
