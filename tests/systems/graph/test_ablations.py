"""The ablations: which variants a dataset has, and differences seed by seed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nsmodels.core.orders import Inputs, Order
from nsmodels.systems.graph.studies import ablations
from nsmodels.systems.graph.studies.config import AblationConfig, debug
from tests.shared import Shared
from tests.systems.graph.reach import graphs

pytestmark = pytest.mark.usefixtures("one_thread")
FEWEST = debug().with_values({"seeds": [0], "level_variants": ["one_level"]})


def record(variant: str, seed: int, score: float) -> dict:
    scores = {"test": {"paired_accuracy": score, "accuracy": score}}
    return {"settings": {"variant": variant}, "seed": seed, "scores": scores, "num_parameters": 5, "cpu_seconds": 2.0}


def test_a_row_has_the_mean_over_seeds_and_the_difference_within_each_seed() -> None:
    records = [record("full", 0, 0.9), record("full", 1, 0.7), record("no_gate", 0, 0.8), record("no_gate", 1, 0.6)]
    found = ablations.row("no_gate", ablations.ONE_LEVEL["no_gate"], records)["splits"]["test"]
    assert found["mean"] == pytest.approx(0.7)
    assert found["interval"] == (0.0, 1.0)  # two seeds that differ by 0.2 leave everything open
    assert found["difference"] == pytest.approx(-0.1)  # in both seeds, though the seeds differ by more
    full = ablations.row("full", ablations.ONE_LEVEL["full"], records)["splits"]["test"]
    assert full["difference"] == 0


def test_variants_depend_on_whether_clusters_are_declared() -> None:
    found = ablations.variants_of(AblationConfig(), graphs(4))
    assert list(found)[:2] == ["full", "source"]
    assert found["other_aggregation"].values == {"model.aggregation": "max"}
    declared = graphs(4)
    clusters = declared.clusters.copy()
    clusters[0] = 0
    found = ablations.variants_of(AblationConfig(), declared.replaced(clusters=clusters))
    assert list(found) == ["full", "one_level", "no_cycle", "no_trace"]


def test_a_study_has_a_trial_per_variant_and_seed_and_is_kept(shared: Shared, tmp_path: Path) -> None:
    data = Inputs.of({"long_chains": shared.data("long_chains")})
    manifest = ablations.ablate(Order("graph_ablations", FEWEST, data, tmp_path / "graph_ablations"))
    folder = tmp_path / "graph_ablations"
    assert sorted(path.parent.name for path in folder.rglob("trial.json")) == ["full_0", "one_level_0"]
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    rows = report["datasets"]["long_chains"]["rows"]
    assert rows["full"]["num_parameters"] > rows["one_level"]["num_parameters"]
    assert manifest.metrics["long_chains/full/test"] == rows["full"]["splits"]["test"]["mean"]
    assert "the level of clusters" in (folder / "table.txt").read_text(encoding="utf-8")
    assert {path.suffix for path in (folder / "figures").iterdir()} == {".pdf", ".png"}
    again = ablations.ablate(Order("graph_ablations", FEWEST, data, folder))
    assert again.fingerprint == manifest.fingerprint
