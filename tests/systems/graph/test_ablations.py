"""The ablations of the graph reasoner: which variants a dataset has, what each has less of, two splits in one table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.task import Shard
from nsmodels.engine.trial import Trial
from nsmodels.formats.graphs import files
from nsmodels.studies.trials import Arm
from nsmodels.studies.variant import FULL, PARAMETERS, REPLACED
from nsmodels.systems.graph.config import GraphConfig
from nsmodels.systems.graph.phases import make_trial
from nsmodels.systems.graph.studies import ablations
from nsmodels.systems.graph.studies.variants import ONE_LEVEL, ROUNDS, SHORT, TERMS, TWO_LEVELS, AblationConfig, debug
from nsmodels.systems.graph.training.task import GraphTask
from tests.shared import Shared
from tests.systems.graph.reach import graphs

pytestmark = pytest.mark.usefixtures("one_thread")
FEWEST = debug().with_values({"seeds": [0], "level_variants": ["one_level"], "training.device": "cpu"})
WHOLE = debug().with_values({"variants": list(ONE_LEVEL), "level_variants": list(TWO_LEVELS)})
LEVELS = "long_chains"
DATASETS = ("causal_graphs", LEVELS)
EVERY = [(DATASETS[0], name) for name in ONE_LEVEL] + [(LEVELS, name) for name in TWO_LEVELS]


@pytest.fixture(scope="module")
def arms(shared: Shared) -> dict[str, Arm]:
    return {key: ablations.arm_of(WHOLE, key, shared.data(key)) for key in DATASETS}


def test_variants_depend_on_whether_clusters_are_declared() -> None:
    found = ablations.variants_of(AblationConfig(), graphs(4), ["short", "test", "ood"])
    assert list(found)[:2] == ["source", "flat"]
    assert found["other_aggregation"].values == {"model.aggregation": "max"}
    assert {variant.also for variant in found.values()} == {("ood_paired_accuracy",)}
    assert "no_short" not in ablations.variants_of(AblationConfig(), graphs(4), ["test"])
    declared = graphs(4)
    clusters = declared.clusters.copy()
    clusters[0] = 0
    found = ablations.variants_of(AblationConfig(), declared.replaced(clusters=clusters), ["test"])
    assert list(found) == ["one_level", "no_cycle", "no_trace"]
    assert found["one_level"].values["model.max_rounds"] == AblationConfig().baselines.budget_rounds


def trial_of(config: GraphConfig, data: Path) -> tuple[Trial, GraphTask]:
    trial = make_trial("reasoner", config, data)
    assert isinstance(trial.task, GraphTask)
    return trial, trial.task


def measured(quantity: str, config: GraphConfig, data: Path) -> int:
    """What `ablations` derives from configurations, from networks and batches themselves."""
    _, task = trial_of(config, data)
    if quantity == PARAMETERS:
        return sum(p.numel() for p in task.build().parameters())
    if quantity == SHORT:
        return len(task.graphs.short)
    batch = next(iter(task.batches("train", 0, Shard())))
    if quantity == ROUNDS:
        longest = files.read_split(data, "ood")
        task.graphs.val = longest
        network = task.build()
        return max(int(b.rounds.max()) for b, _ in task.graphs.validation(network, config.model.slack_rounds))
    assert quantity == TERMS
    total, terms = task.loss(task.build(), batch)
    named = [terms[name] for name in ("label", "trace", "cycle") if name in terms]
    return sum(bool(slope) for slope in torch.autograd.grad(total, named))


@pytest.mark.parametrize(("key", "name"), EVERY)
def test_every_variant_has_less_of_what_it_removes(key: str, name: str, arms: dict[str, Arm], shared: Shared) -> None:
    arm, data = arms[key], shared.data(key)
    quantity, full, own = arm.variants[name].removes, arm.config_of(FULL, 0), arm.config_of(name, 0)
    if quantity == REPLACED:  # a different network of whatever size
        networks = [trial_of(config, data)[1].build() for config in (full, own)]
        shapes = [{k: tuple(v.shape) for k, v in network.state_dict().items()} for network in networks]
        assert shapes[0] != shapes[1] or full.model.aggregation != own.model.aggregation
        return
    found = {each: measured(quantity, config, data) for each, config in ((FULL, full), (name, own))}
    assert found[FULL] > found[name]
    if quantity in (TERMS, ROUNDS):
        assert found == {each: arm.counts()[each][quantity] for each in found}


def test_a_study_has_a_trial_per_variant_and_seed_and_is_kept(shared: Shared, tmp_path: Path) -> None:
    data = Inputs.of({LEVELS: shared.data(LEVELS)})
    manifest = ablations.ablate(Order("graph_ablations", FEWEST, data, tmp_path / "graph_ablations"))
    folder = tmp_path / "graph_ablations"
    trials = folder / "trials" / LEVELS
    assert sorted(path.parent.name for path in trials.glob("*/*/model")) == ["0", "0"]
    assert [path.name for path in trials.glob("*/0/model/*/best.pt")] == ["best.pt"] * 2  # the reasoner alone
    found = pd.read_parquet(folder / "variants.parquet").set_index(["variant", "metric"])
    assert {"paired_accuracy", "accuracy"} <= set(found.index.get_level_values("metric"))
    assert found.loc[("one_level", "paired_accuracy"), "parameters_removed"] > 0
    assert found["chance"].tolist() == [0.25 if "paired" in metric else 0.5 for _, metric in found.index]
    assert manifest.metrics[f"{LEVELS}/full/paired_accuracy"] == found.loc[("full", "paired_accuracy"), "mean"]
    splits = dict(zip(found.index.get_level_values("metric"), found["split"], strict=True))
    held_out = [split for split in ("test", "ood") if split in files.splits(shared.data(LEVELS))]
    assert set(splits.values()) == set(held_out)
    assert "the level of clusters" in (folder / "table.txt").read_text(encoding="utf-8")
    assert {path.suffix for path in (folder / "figures").iterdir()} == {".pdf", ".png"}
    again = ablations.ablate(Order("graph_ablations", FEWEST, data, folder))
    assert again.fingerprint == manifest.fingerprint
