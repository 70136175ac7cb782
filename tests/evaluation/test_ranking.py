"""The leaderboard as an artifact: kept until the ledger grows, pairs compared, what cannot be compared refused."""

import json

import numpy as np
import pandas as pd
import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.evaluation import ranking
from nsmodels.evaluation.outcomes import Outcomes, write_outcomes
from nsmodels.evaluation.ranking import RankingConfig


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data root with two bags of coins."""
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "data"))
    for name in ("pennies", "dimes"):
        recipe = {"config": {"name": name}, "code_version": "1", "source": name}
        with artifact.build(tmp_path / "data" / name, key=name, maker="tests", **recipe):
            pass
    return tmp_path / "data"


def seal(root, name, hits, data="pennies", first=0, **about):
    """A model and its evaluation with so many hits of ten."""
    recipe = {"config": {"name": name}, "code_version": "1", "inputs": {data: root / data}}
    with artifact.build(root / f"{name}_model", key=f"{name}_model", maker="tests.coins", **recipe):
        pass
    recipe |= {"inputs": {f"{name}_model": root / f"{name}_model", data: root / data}}
    with artifact.build(root / f"{name}_evaluation", key=f"{name}_evaluation", maker="tests.coins", **recipe) as part:
        items = [str(number) for number in range(first, first + 10)]
        scores = (np.arange(10) < hits).astype(float)
        write_outcomes(
            part.path,
            Outcomes(about.pop("metric", "accuracy"), "val", items, items, scores, **about),
            root / f"{name}_model",
        )


def make(root, *compare):
    return ranking.make_ranking(RankingConfig(compare=list(compare)), root / "leaderboard")


def test_every_evaluation_stands_in_it_and_the_best_two_of_each_data_set_are_compared(root):
    for name, hits in (("one", 3), ("two", 9), ("three", 6)):
        seal(root, name, hits)
    seal(root, "four", 5, "dimes")
    made = make(root)
    assert made.metrics == {"num_evaluations": 4, "best/dimes/val": 0.5, "best/pennies/val": 0.9}
    table = pd.read_parquet(root / "leaderboard" / ranking.TABLE)
    assert list(table[table.dataset == "pennies"].name) == ["two_model", "three_model", "one_model"]
    (pair,) = json.loads((root / "leaderboard" / "comparisons.json").read_text())
    assert pair["difference"] == pytest.approx(0.3)
    assert (pair["only_first"], pair["only_second"]) == (3, 0)
    shown = ranking.cells(root / "leaderboard")
    measure = shown[0]["data"].removeprefix("dimes val")
    assert [row["data"] for row in shown] == [f"dimes val{measure}", *[f"pennies val{measure}"] * 3]
    assert (shown[1]["#"], shown[1]["score"], shown[1]["model"]) == ("1", "90.0 %", "two")
    assert all(list(row) == list(ranking.ABOUT) for row in shown)
    assert set(table.columns) == ranking.COLUMNS.keys()


@pytest.mark.parametrize("bounds", [(0.0, None), (None, None)])
def test_scores_without_bounds_are_shown(root, bounds):
    seal(root, "one", 3, metric="nmse", unit="", bounds=bounds, direction="lower")
    seal(root, "two", 9, "dimes")
    make(root)
    assert [row["score"] for row in ranking.cells(root / "leaderboard")] == ["90.0 %", "0.3"]


def test_evaluations_without_a_common_item_are_not_compared(root):
    seal(root, "one", 3)
    seal(root, "two", 9, first=10)
    make(root)
    assert json.loads((root / "leaderboard" / "comparisons.json").read_text()) == []
    with pytest.raises(InputError, match="no item was scored in both"):
        make(root, "one_evaluation", "two_evaluation")


def test_it_is_kept_until_there_is_another_evaluation_or_comparison(root):
    seal(root, "one", 3)
    seal(root, "two", 9)
    first = make(root)
    assert make(root) == first
    asked = make(root, "one_model", "two_model")
    assert asked.fingerprint != first.fingerprint
    assert json.loads((root / "leaderboard" / "comparisons.json").read_text())[0]["difference"] == pytest.approx(-0.6)
    seal(root, "three", 5)
    assert make(root).metrics["num_evaluations"] == 3


def test_what_cannot_be_compared_is_refused_and_the_last_leaderboard_stays(root):
    with pytest.raises(InputError, match="no evaluation yet"):
        make(root)
    seal(root, "one", 3)
    seal(root, "two", 9, "dimes")
    first = make(root)
    for words, said in (
        (["one_model"], "expected two"),
        (["one_model", "x"], "x: no evaluation"),
        (["one_model", "two_model"], "of different data"),
    ):
        with pytest.raises(InputError, match=said):
            make(root, *words)
    assert artifact.read_manifest(root / "leaderboard") == first
