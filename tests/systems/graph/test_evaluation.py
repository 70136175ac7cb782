"""Evaluation: scores against hand counts, graphs of any form, controls at chance, and what training used is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph import SYSTEM
from nsmodels.systems.graph.config import REASONER, EvaluationConfig, debug
from nsmodels.systems.graph.evaluation import scoring
from nsmodels.systems.graph.evaluation.charts import CHARTS
from nsmodels.systems.graph.evaluation.supervision import bits
from nsmodels.systems.graph.reasoner import Reasoner
from tests.formats.twins import twinned

NUM_TRAIN = 300
CHANGES = {
    **dict.fromkeys(("baselines.flat", "baselines.source", "baselines.labels_only"), False),
    **{"model.dim": 16, "training.epochs": 8, "training.batch_size": 32, "training.lr": 0.01},
    "objective.trace_weight": 0.01,  # the traces of these twins are drawn
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Data with splits for training, and a reasoner trained on them."""
    root = tmp_path_factory.mktemp("graph")
    (root / "data").mkdir()
    sizes = {"train": NUM_TRAIN, "val": 20, "test": 150, "ood": 10, "lengths": 4}
    for seed, (split, num) in enumerate(sizes.items()):
        files.write(root / "data" / f"{split}.parquet", twinned(num, seed))
    SYSTEM.train(Order("model", debug().with_values(CHANGES), Inputs.of(root / "data"), root / "model"))
    return root / "data", root / "model"


def scored(data: Path, checkpoint: Path, **values: object) -> EvaluationResult:
    config = EvaluationConfig().with_values({"device": "cpu", **values})
    inputs = Inputs.of(data, model=("model", checkpoint))
    return SYSTEM.score(Order("evaluation", config, inputs, checkpoint.with_name("evaluation")))


def alone(folder: Path, graphs: Graphs, split: str = "mine") -> Path:
    folder.mkdir()
    files.write(folder / f"{split}.parquet", graphs)
    return folder


def test_scores_are_those_counted_by_hand() -> None:
    graphs = twinned(3).replaced(
        labels=np.array([0, 1, 1, 0, 0, 1], np.int8), lengths=np.array([4, 4, 5, 5, 5, 5], np.int16)
    )
    table = scoring.table_of(graphs, np.array([0.2, 0.9, 0.4, 0.3, 0.8, 0.7]))
    found = scoring.entry(table, ("no", "yes"))
    assert (found["n"], found["num_pairs"], found["accuracy"]) == (6, 3, pytest.approx(4 / 6))
    assert (found["paired_accuracy"], found["rank"]) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert found["confusion"] == [[2, 1], [1, 2]]
    assert found["classes"]["yes"] == {"precision": 2 / 3, "recall": 2 / 3, "f1": pytest.approx(2 / 3), "n": 3}
    # 9 comparisons of a yes with a no: 0.9 and 0.7 each above 0.2 and 0.3, 0.9 above 0.8, 0.4 above 0.2 and 0.3.
    assert found["auc"] == pytest.approx(7 / 9)
    assert found["ece"] == pytest.approx(np.mean([0.2, 0.1, 0.6, 0.3, 0.8, 0.3]), abs=0.15)
    assert {k: (v["n"], v["paired_accuracy"]) for k, v in scoring.buckets(table, "length").items()} == {
        "4": (2, 1.0),
        "5": (4, 0.0),
    }


@pytest.mark.parametrize(
    ("probability", "labels", "is_collapsed"),
    [([0.9] * 10, [0, 1] * 5, True), ([0.9] * 10, [1] * 10, False), ([0.1] + [0.9] * 9, [0, 1] * 5, False)],
)
def test_a_class_that_is_never_predicted_has_collapsed(probability: list, labels: list, is_collapsed: bool) -> None:
    graphs = twinned(5).replaced(labels=np.array(labels, np.int8))
    assert scoring.entry(scoring.table_of(graphs, np.array(probability)), ("no", "yes"))["is_collapsed"] is is_collapsed


@pytest.fixture(scope="module")
def result(model: tuple[Path, Path]) -> EvaluationResult:
    return scored(*model)


def test_the_report_holds_every_split_kind_and_length_and_what_it_is_compared_with(
    model: tuple[Path, Path], result: EvaluationResult
) -> None:
    report = result.report
    assert list(report["splits"]) == ["test", "ood", "lengths"]
    assert {"counts", "WL-1", "WL-3", "boosting", "untrained", "majority", "chance"} <= set(report["baselines"])
    assert set(report["kinds"]) == {"ring", "ladder"}
    assert [each.metric for each in result.outcomes] == [
        "paired_accuracy", "accuracy", "ood_paired_accuracy", "ood_accuracy",
    ]  # fmt: skip
    assert result.outcomes[0].mean == report["rows"][REASONER]["paired_accuracy"]
    assert result.metrics["baseline/chance"] == 0.25
    # Every score has chance and the same baselines beside it, those of its own split.
    beside = {key.rpartition("/")[2] for key in result.metrics if key.count("/") == 1 and key.startswith("baseline/")}
    for metric, chance in (("accuracy", 0.5), ("ood_paired_accuracy", 0.25), ("ood_accuracy", 0.5)):
        prefix = f"baseline/{metric}/"
        assert {key.removeprefix(prefix) for key in result.metrics if key.startswith(prefix)} == beside
        assert result.metrics[f"{prefix}chance"] == chance
    rows = result.report["splits"]["ood"]["baselines"]
    assert result.metrics["baseline/ood_paired_accuracy/majority"] == rows["majority"]["paired_accuracy"]
    assert report["data"]["trained_lengths"] == [6, 6]
    per_graph = bits(files.read_split(model[0], "train")) / (2 * NUM_TRAIN)
    text = "Training: the reasoner was taught with the oracle's execution traces in 2 channels (far, near)"
    assert f"{text}, {per_graph:,.0f} bits a graph" in result.table
    assert report["stability"]["splits"]["test"]["difference"] is not None


def test_what_sees_counts_ranks_no_pair_and_what_is_untrained_few(result: EvaluationResult) -> None:
    rows = result.report["baselines"]
    assert [rows[name]["rank"] for name in ("counts", "WL-0", "majority")] == [0.5, 0.5, 0.5]
    assert rows["untrained"]["rank"] == pytest.approx(0.5, abs=4 * 0.5 / 150**0.5)


def test_graphs_of_any_form_are_scored(model: tuple[Path, Path], tmp_path: Path) -> None:
    some = twinned(6, seed=9)
    singles = some.take(range(0, 12, 2)).replaced(pairs=np.arange(6))
    forms = {
        "one split": (some, "paired_accuracy"),
        "no twins": (singles, "accuracy"),
        "one class": (singles.take(np.flatnonzero(singles.labels == singles.labels[0])), "accuracy"),
        "one graph": (some.take([3]), "accuracy"),
    }
    for name, (graphs, metric) in forms.items():
        result = scored(alone(tmp_path / name, graphs), model[1], use_classifiers=name == "no twins")
        assert (result.report["metric"], result.outcomes[0].metric) == (metric, metric), name
        assert "majority" in result.report["baselines"], name  # taught by the data of the checkpoint
        assert list(result.report["splits"]) == ["mine"]
        for chart, (draw, _) in CHARTS.items():
            assert chart == "cycle" or draw(result.report).axes


def test_graphs_without_label_and_a_missing_split_are_refused(model: tuple[Path, Path], tmp_path: Path) -> None:
    unlabelled = twinned(2).replaced(labels=np.full(4, -1, np.int8))
    with pytest.raises(InputError, match=r"mine\.parquet: graph 0/0/0: labels: none"):
        scored(alone(tmp_path / "data", unlabelled), model[1])
    with pytest.raises(InputError, match=r"transfer\.parquet: missing; the splits here are lengths, ood, test"):
        scored(*model, split="transfer")


def test_few_graphs_are_the_first_pairs(model: tuple[Path, Path]) -> None:
    result = scored(*model, max_graphs=7, use_classifiers=False)
    assert (result.report["rows"][REASONER]["n"], result.report["splits"]["ood"]["num_graphs"]) == (8, 8)
    assert "boosting" not in result.report["baselines"]


def test_random_labels_teach_nothing_where_the_true_ones_do(
    model: tuple[Path, Path], result: EvaluationResult, tmp_path: Path
) -> None:
    config = debug().with_values({**CHANGES, "schedule.use_random_labels": True})
    SYSTEM.train(Order("model", config, Inputs.of(model[0]), tmp_path / "model"))
    test = files.read_split(model[0], "test")
    table = scoring.table_of(test, Reasoner.load(tmp_path / "model", "cpu").predict(test).probability)
    found = scoring.entry(table, ("no", "yes"))
    assert result.report["rows"][REASONER]["accuracy"] > 0.7
    assert found["accuracy"] == pytest.approx(0.5, abs=0.05)
    assert found["rank"] == pytest.approx(0.5, abs=4 * 0.5 / 150**0.5)
