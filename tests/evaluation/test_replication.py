"""Mean and interval over seeds, what is missing, what was made otherwise: on tiny sealed evaluations."""

import json
import shutil

import numpy as np
import pytest
from scipy import stats

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.evaluation import replication
from nsmodels.evaluation.outcomes import OUTCOMES, Outcomes, write_outcomes

SEEDS = {"coins_replicates": ["0", "1", "2", "3"]}
(KEY,) = SEEDS


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data root with the coins."""
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "data"))
    recipe = {"config": {}, "code_version": "1", "source": "coins"}
    with artifact.build(tmp_path / "data" / "coins", key="coins", maker="tests", **recipe):
        pass
    return tmp_path / "data"


def seal(root, seed, hits, key=KEY, code="1", **config):
    """A replicate with so many hits of ten."""
    place = root / key / seed
    recipe = {"config": {"training": {"seed": int(seed)}, **config}, "code_version": code, "seed": int(seed)}
    recipe["inputs"] = {"coins": root / "coins"}
    with artifact.build(place / "model", key=f"{key}/{seed}/model", maker="tests", **recipe):
        pass
    recipe = {"config": {}, "code_version": "1", "inputs": {f"{key}/{seed}/model": place / "model", **recipe["inputs"]}}
    name = f"{key}/{seed}/evaluation"
    with artifact.build(place / "evaluation", key=name, maker="tests", source="coins", **recipe) as part:
        items = [str(number) for number in range(10)]
        scores = (np.arange(10) < hits).astype(float)
        write_outcomes(part.path, Outcomes("accuracy", "val", items, items, scores), place / "model")
    return place


@pytest.mark.parametrize(("n", "quantile"), [(2, 12.7062), (3, 4.30265), (5, 2.77645), (10, 2.26216)])
def test_the_interval_is_that_of_students_table(n, quantile):
    values = [0.5 + 0.01 * k for k in range(n)]
    half = quantile * np.std(values, ddof=1) / np.sqrt(n)
    assert replication.student_interval(values) == pytest.approx(
        (np.mean(values) - half, np.mean(values) + half), rel=1e-5
    )


def test_the_interval_is_that_of_scipy_and_needs_two_seeds():
    values = [0.71, 0.74, 0.7, 0.78]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert replication.student_interval(values) == pytest.approx((low, high))
    assert replication.student_interval([0.9]) is None
    assert replication.student_interval([0.9, 0.9, 0.9]) is None  # they leave no doubt to measure, and that is too few
    assert replication.student_interval([0.99, 0.5]) == (pytest.approx(0.0), 1.0)


def test_what_is_missing_is_named_and_counts_for_nothing(root):
    for seed, hits in (("0", 8), ("2", 6)):
        seal(root, seed, hits)
    found = replication.replication(KEY, SEEDS[KEY])
    told = found.to_dict()
    assert told["mean"] == pytest.approx(0.7)
    assert (told["num_seeds"], told["best"]["seed"], told["worst"]["seed"]) == (2, "0", "2")
    assert told["missing"] == {"1": "", "3": ""}
    assert "missing: seeds 1, 3" in replication.table([found])


def test_equal_scores_have_no_interval(root, tmp_path):
    for seed in "01":
        seal(root, seed, 10)
    sealed = replication.make_report(tmp_path / "report", SEEDS)
    assert f"{KEY}/low" not in sealed.metrics
    assert json.loads((tmp_path / "report" / "report.json").read_text())[KEY]["interval"] is None
    text = (tmp_path / "report" / "table.txt").read_text()
    assert "100.0  all equal" in text
    assert "100.0–" not in text


def test_an_evaluation_that_cannot_be_read_is_missing_with_its_reason(root):
    for seed in "01":
        seal(root, seed, 5)
    (root / KEY / "1" / "evaluation" / OUTCOMES).write_bytes(b"no parquet")
    found = replication.replication(KEY, SEEDS[KEY])
    assert list(found.alike) == ["0"]
    assert found.missing["1"].startswith(f"{root / KEY / '1' / 'evaluation' / OUTCOMES}: ")


@pytest.mark.parametrize(("change", "said"), [({"dim": 64}, "dim=64"), ({"code": "2"}, "code=2")])
def test_another_configuration_or_code_is_told_apart_and_left_out(root, change, said):
    for seed in "01":
        seal(root, seed, 5, **({"dim": 32} if "dim" in change else {}))
    seal(root, "2", 9, **change)
    found = replication.replication(KEY, SEEDS[KEY])
    assert list(found.alike) == ["0", "1"]
    assert found.mean == 0.5
    assert {seed: why for seed, (_, why) in found.others.items()} == {"2": said}
    assert f"left out: seed 2, 90.0: {said}" in replication.table([found])


def test_other_data_are_told_apart(root):
    for seed in "01":
        seal(root, seed, 5)
    shutil.rmtree(root / "coins")
    with artifact.build(root / "coins", key="coins", maker="tests", config={"n": 2}, code_version="1"):
        pass
    seal(root, "2", 9)
    assert replication.replication(KEY, SEEDS[KEY]).others["2"][1].startswith("data=")


def test_a_model_of_other_data_is_told_apart(root):
    for seed in "01":
        seal(root, seed, 5)
    known = replication.replication(KEY, SEEDS[KEY]).alike
    known = {**known, "2": known["1"].model_copy(update={"trained_on": "dice"})}
    assert replication._together(KEY, known, {}).others["2"][1] == "trained_on=dice"


def test_among_equally_many_the_newest_are_taken_together(root):
    seal(root, "0", 5, dim=1)
    newer = seal(root, "1", 6, dim=2)
    path = newer / "evaluation" / artifact.MANIFEST
    sealed = json.loads(path.read_text())
    path.write_text(json.dumps({**sealed, "created": "2999-01-01T00:00:00+00:00"}))
    assert list(replication.replication(KEY, SEEDS[KEY]).alike) == ["1"]


def test_a_report_is_kept_until_what_lies_there_changes(root, tmp_path):
    seeds = {**SEEDS, "dice_replicates": ["0"]}
    for seed in "01":
        seal(root, seed, 5)
    first = replication.make_report(tmp_path / "report", seeds)
    assert replication.make_report(tmp_path / "report", seeds) == first
    told = json.loads((tmp_path / "report" / "report.json").read_text())
    assert told["dice_replicates"] is None
    assert told[KEY]["missing"].keys() == {"2", "3"}
    assert "dice_replicates   no seed was trained yet" in (tmp_path / "report" / "table.txt").read_text()
    assert {"figures/replication.png", "figures/replication.pdf"} <= first.files.keys()
    assert first.metrics[f"{KEY}/num_missing"] == 2
    shutil.rmtree(root / KEY / "1")
    assert replication.make_report(tmp_path / "report", seeds).metrics[f"{KEY}/num_seeds"] == 1


def test_without_any_seed_there_is_no_report(root, tmp_path):
    with pytest.raises(InputError, match=f"--select {KEY} --partition-range 0...4"):
        replication.make_report(tmp_path / "report", SEEDS)
    assert not (tmp_path / "report").exists()
