"""Outcomes, their entries in the ledger and paired comparisons, on scores that are known in advance."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.evaluation import leaderboard, ledger
from nsmodels.evaluation.entry import Entry, entries_of
from nsmodels.evaluation.metrics import mean_interval
from nsmodels.evaluation.outcomes import MODEL, OUTCOMES, Outcomes, distinct, read_outcomes, write_outcomes

IMAGES, QUESTIONS = 50, 10


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def outcomes(scores: np.ndarray, metric: str = "accuracy", split: str = "val") -> Outcomes:
    """Ten questions on each image."""
    images = [f"image_{k // QUESTIONS:03d}" for k in range(len(scores))]
    return Outcomes(metric, split, [f"{image}/{k}" for k, image in enumerate(images)], images, scores.astype(float))


def right(num_wrong: int, num: int = IMAGES * QUESTIONS) -> np.ndarray:
    """All right, but the first question of each of the first `num_wrong` images."""
    scores = np.ones(num)
    scores[: num_wrong * QUESTIONS : QUESTIONS] = 0
    return scores


def data(root: Path, key: str = "pictures", number: int = 1) -> Path:
    recipe = {"key": key, "maker": "tests", "config": {"number": number}, "code_version": "1", "source": "made up"}
    with artifact.build(root / key, **recipe) as part:
        (part.path / "numbers.json").write_text(str(number))
    return root / key


def evaluated(place: Path, pictures: Path, scored: Outcomes, seed: int = 1, **metrics: float) -> Path:
    """An evaluation in `place/evaluation` of a model in `place/model`; evaluating again keeps the model."""
    recipe = {"config": {"training": {"seed": seed}}, "code_version": "1", "inputs": {"pictures": pictures}}
    if not artifact.kept(place / "model", False, **recipe, seed=seed):
        with artifact.build(place / "model", key="model", maker="nsmodels.systems.toy", seed=seed, **recipe) as part:
            part.metrics |= {"net/cpu_seconds": 7.0, "other/cpu_seconds": 2.0, "net/seconds": 5.0, **metrics}
    about = {"key": "toy_evaluation", "maker": "nsmodels.systems.toy", "config": {}, "code_version": "1.1"}
    inputs = {"model": place / "model", pictures.name: pictures}
    with artifact.build(place / "evaluation", inputs=inputs, is_resumable=False, **about) as part:
        write_outcomes(part.path, scored, place / "model")
        part.metrics |= {"accuracy": scored.mean, "baseline/chance": 0.25, "baseline/prior": 0.5, "ceiling/truth": 1.0}
    return place / "evaluation"


def entered(root: Path, name: str, scored: Outcomes, **more: float) -> Entry:
    return ledger.read_entry(ledger.enter(evaluated(root / "toys" / name, data(root), scored, **more)))


# --- outcomes --------------------------------------------------------------------------------------------------------


def test_outcomes_are_read_as_they_were_written(root: Path) -> None:
    made = outcomes(right(20))
    found = read_outcomes(evaluated(root / "toys" / "1", data(root), made))
    assert (found.metric, found.split) == ("accuracy", "val")
    assert (list(found.items), list(found.clusters)) == (list(made.items), list(made.clusters))
    assert (found.scores == made.scores).all()
    assert (found.mean, found.num_clusters) == (0.96, IMAGES)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"metric": ""}, "must be named"),
        ({"items": ["a"]}, "as many items"),
        ({"items": [], "clusters": [], "scores": np.zeros(0)}, "at least one"),
        ({"items": ["a", "a"]}, "item 'a' appears more than once"),
        ({"scores": np.array([0.5, 1.5])}, r"\[0, 1\], got 1.5 for item 'b'"),
        ({"scores": np.array([np.nan, 1.0])}, "got nan for item 'a'"),
    ],
)
def test_outcomes_that_are_none_are_one_line(values: dict, said: str) -> None:
    fair = {"metric": "success", "split": "test", "items": ["a", "b"], "clusters": ["a", "b"], "scores": np.ones(2)}
    with pytest.raises(InputError, match=said):
        Outcomes(**{**fair, **values})


def test_broken_files_are_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"outcomes\.parquet: missing; make the evaluation again"):
        read_outcomes(tmp_path)
    (tmp_path / OUTCOMES).write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"outcomes\.parquet: not a readable parquet file"):
        read_outcomes(tmp_path)
    place = evaluated(root / "toys" / "1", data(root), outcomes(right(3)))
    write_outcomes(place, outcomes(right(0)), root / "toys" / "1" / "model")
    with pytest.raises(InputError, match=r"outcomes\.parquet: differs from its checksum"):
        ledger.enter(place)


def test_equal_names_are_told_apart() -> None:
    assert distinct(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]


def test_a_mean_of_one_cluster_has_no_interval_and_perfect_scores_are_doubted() -> None:
    assert mean_interval([1, 0, 1], ["a", "a", "a"]) is None
    low, high = mean_interval(np.ones(500), np.repeat(np.arange(50), 10)) or (0, 0)
    assert (low, high) == (pytest.approx(0.9287, abs=1e-4), pytest.approx(1.0))  # Wilson, 50 of 50


# --- entries ---------------------------------------------------------------------------------------------------------


def test_an_entry_says_what_was_scored_on_what_and_what_it_took(root: Path) -> None:
    entry = entered(root, "3", outcomes(right(20)), seed=3, num_parameters=1234)
    scored = artifact.read_manifest(root / "toys" / "3" / "evaluation")
    assert (entry.name, entry.key, entry.system) == ("toys/3", "toy_evaluation", "toy")
    assert (entry.dataset, entry.source, entry.trained_on) == ("pictures", "made up", "made up")
    assert entry.data_fingerprint == artifact.read_manifest(root / "pictures").fingerprint
    assert (entry.split, entry.metric, entry.score, entry.n, entry.num_clusters) == ("val", "accuracy", 0.96, 500, 50)
    assert entry.low is not None
    assert entry.high is not None
    assert 0.92 < entry.low < entry.score < entry.high < 1
    assert entry.baselines == {"chance": 0.25, "prior": 0.5}  # what cannot be beaten is none
    assert (entry.seed, entry.configuration) == (3, {"training": {"seed": 3}})
    assert (entry.num_parameters, entry.train_cpu_seconds, entry.train_wall_seconds) == (1234, 9.0, 5.0)
    assert (entry.created, entry.evaluation_cpu_seconds) == (scored.created, scored.cpu_seconds)


def test_what_the_model_says_of_itself_goes_before_the_sum_of_its_phases(root: Path) -> None:
    entry = entered(root, "1", outcomes(right(1)), train_cpu_seconds=7.0, train_wall_seconds=5.0)
    assert (entry.train_cpu_seconds, entry.train_wall_seconds, entry.num_parameters) == (7.0, 5.0, None)


def test_entries_stay_when_artifacts_are_replaced(root: Path) -> None:
    before = entered(root, "1", outcomes(right(20)))
    after = entered(root, "1", outcomes(right(10)))
    assert [entry.id for entry in ledger.entries()] == [before.id, after.id]
    assert ledger.find("toys/1", ledger.entries()) == after
    shutil.rmtree(root / "toys")
    assert ledger.compare(after, before).difference == pytest.approx(0.02)


def test_entering_again_changes_nothing(root: Path) -> None:
    place = ledger.enter(evaluated(root / "toys" / "1", data(root), outcomes(right(20))))
    state = (place / ledger.ENTRY).stat().st_ino
    assert ledger.enter(root / "toys" / "1" / "evaluation") == place
    assert (place / ledger.ENTRY).stat().st_ino == state
    assert ledger.scan() == []


def test_processes_that_enter_the_same_at_once_do_no_harm(root: Path) -> None:
    pictures = data(root)
    for number in range(12):
        evaluated(root / "toys" / str(number), pictures, outcomes(right(number)), seed=number)
    # each waits for a byte, so that they begin together
    code = (
        "import sys; from nsmodels.evaluation import ledger; import pyarrow.parquet; sys.stdin.read(1); ledger.scan()"
    )
    others = [subprocess.Popen([sys.executable, "-Werror", "-c", code], stdin=subprocess.PIPE) for _ in range(3)]
    for other in others:
        assert other.stdin is not None
        other.stdin.write(b"x")
        other.stdin.close()
    assert [other.wait() for other in others] == [0, 0, 0]
    listed = ledger.entries()
    assert [entry.seed for entry in sorted(listed, key=lambda entry: -entry.score)] == list(range(12))
    assert {path.name for path in (root / ledger.LEDGER).iterdir()} == {entry.id for entry in listed}


def test_an_evaluation_elsewhere_belongs_to_no_ledger(root: Path, tmp_path: Path) -> None:
    assert ledger.enter_own(evaluated(tmp_path / "elsewhere", data(root), outcomes(right(20)))) is None
    assert ledger.entries() == []
    assert ledger.enter_own(evaluated(root / "toys" / "1", data(root), outcomes(right(20)))) is not None
    assert len(ledger.entries()) == 1


def test_what_is_no_evaluation_is_one_line(root: Path) -> None:
    with pytest.raises(InputError, match="does not exist or was never finished"):
        ledger.enter(root / "nothing")
    with pytest.raises(InputError, match=r"outcomes\.parquet: missing"):
        ledger.enter(data(root))
    (root / ledger.LEDGER).write_text("not a folder")
    with pytest.raises(InputError, match="cannot be written"):
        ledger.enter(evaluated(root / "toys" / "1", data(root), outcomes(right(20))))


def test_a_broken_entry_is_named_left_out_and_mended(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken, whole = entered(root, "1", outcomes(right(20))), entered(root, "2", outcomes(right(10)))
    (root / ledger.LEDGER / broken.id / ledger.ENTRY).write_text('{"id": "half of')
    assert ledger.entries() == [whole]
    (line,) = caplog.messages
    assert f"{broken.id}/{ledger.ENTRY}: missing or broken" in line
    assert "\n" not in line
    assert ledger.scan() == [root / ledger.LEDGER / broken.id]
    assert {entry.id for entry in ledger.entries()} == {broken.id, whole.id}


def test_a_data_root_of_somebody_else_is_entered(root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Assets, replicates and trials alike; without the models, which are large, and whatever else lies about."""
    pictures = data(root)
    evaluated(root / "toys_replicates" / "0", pictures, outcomes(right(20)))
    evaluated(root / "toys_trials" / "lr=0.1", pictures, outcomes(right(10)))
    shutil.move(evaluated(tmp_path / "work", pictures, outcomes(right(5))), root / "toys_evaluation")
    shutil.copytree(root / "toys_evaluation", root / ".toys_evaluation.previous")
    shutil.copytree(root / "toys_evaluation", root / "never_finished")
    (root / "never_finished" / artifact.MANIFEST).unlink()
    shutil.copytree(root / "toys_evaluation", root / "torn")
    (root / "torn" / artifact.MANIFEST).write_text("{}")
    other = tmp_path / "other"
    shutil.copytree(root, other, ignore=shutil.ignore_patterns("model"))
    assert len(ledger.scan(other)) == 3
    assert {entry.name for entry in ledger.entries(other)} == {"toys_replicates/0", "toys_trials/lr=0.1", "model"}
    assert ledger.scan(other) == []
    assert ledger.entries() == []
    assert all("torn" in line for line in caplog.messages)
    assert caplog.messages


def test_a_model_that_changed_while_it_was_scored_is_refused(root: Path) -> None:
    place = evaluated(root / "toys" / "1", data(root), outcomes(right(20)))
    manifest = json.loads((place / MODEL).read_text())
    (place / MODEL).write_text(json.dumps(manifest | {"seed": 99}))
    with pytest.raises(InputError, match="its model was made again while it was scored"):
        ledger.enter(place)


# --- comparison ------------------------------------------------------------------------------------------------------


def test_a_paired_difference_known_in_advance(root: Path) -> None:
    """Wrong on 20 images' first questions and on 5 of them: 15 discordant pairs, all one way."""
    better, worse = entered(root, "1", outcomes(right(5)), seed=1), entered(root, "2", outcomes(right(20)), seed=2)
    found = ledger.compare(better, worse)
    assert found.difference == pytest.approx(0.03)
    assert (found.only_first, found.only_second, found.n, found.unpaired) == (15, 0, 500, 0)
    assert found.p_value == pytest.approx(2 / 2**15)
    # 15 of 50 images differ by a tenth each: standard error 0.1 * sqrt(0.3 * 0.7 / 50)
    spread = 1.96 * 0.1 * np.sqrt(0.3 * 0.7 / 50)
    assert (found.low, found.high) == (pytest.approx(0.03 - spread, abs=2e-3), pytest.approx(0.03 + spread, abs=2e-3))
    turned = ledger.compare(worse, better)
    assert (turned.difference, turned.only_second) == (pytest.approx(-0.03), 15)
    assert "a difference is shown" in found.text()
    assert found.to_dict()["first"] == better.id


def test_the_interval_of_a_difference_covers_the_truth_at_its_level(root: Path) -> None:
    """Two equally good models; what makes an image hard for one makes it hard for the other."""
    rng, covered = np.random.default_rng(0), 0
    for number in range(24):
        ease = rng.beta(6, 3, (IMAGES, 1))
        pair = [outcomes((rng.random((IMAGES, QUESTIONS)) < ease).ravel()) for _ in range(2)]
        first, second = (entered(root, f"{number}_{side}", scored) for side, scored in enumerate(pair))
        found = ledger.compare(first, second)
        covered += found.low <= 0 <= found.high
    assert 20 <= covered <= 24


def test_equal_outcomes_leave_room_for_doubt(root: Path) -> None:
    found = ledger.compare(
        entered(root, "1", outcomes(right(5)), seed=1), entered(root, "2", outcomes(right(5)), seed=2)
    )
    assert (found.difference, found.p_value) == (0, 1)
    assert found.high == -found.low == pytest.approx(0.0713, abs=1e-4)  # Wilson, 0 of 50 images
    assert "no difference is shown" in found.text()


@pytest.mark.parametrize("num_right", [0, QUESTIONS // 2])
def test_a_single_cluster_shows_no_difference(root: Path, num_right: int) -> None:
    scores = (np.arange(QUESTIONS) < num_right).astype(float)
    found = ledger.compare(entered(root, "1", outcomes(np.ones(QUESTIONS))), entered(root, "2", outcomes(scores)))
    assert (found.low, found.high) == (-1, 1)
    assert "no difference is shown" in found.text()


def test_items_of_one_alone_are_left_out_and_counted(root: Path) -> None:
    whole, fewer = entered(root, "1", outcomes(right(20))), entered(root, "2", outcomes(right(20, 300)))
    found = ledger.compare(whole, fewer)
    assert (found.n, found.unpaired, found.difference) == (300, 200, 0)
    assert "200 items that only one of them was scored on are left out" in found.text()


def test_what_cannot_be_compared_is_refused_in_one_line(root: Path) -> None:
    first = entered(root, "1", outcomes(right(20)))
    with pytest.raises(InputError, match=r"of different splits \(val, train\)"):
        ledger.compare(first, entered(root, "2", outcomes(right(20), split="train")))
    with pytest.raises(InputError, match=r"of different metrics \(accuracy, success\)"):
        ledger.compare(first, entered(root, "3", outcomes(right(20), metric="success")))
    other = evaluated(root / "toys" / "4", data(root, "pictures", number=2), outcomes(right(20)))
    fourth = ledger.find(ledger.enter(other).name, ledger.entries())
    with pytest.raises(InputError, match=rf"of different data \(pictures {first.data_fingerprint}, pictures "):
        ledger.compare(first, fourth)


def test_an_evaluation_is_found_by_the_beginning_of_its_id_or_by_its_key(root: Path) -> None:
    listed = [entered(root, str(number), outcomes(right(number)), seed=number) for number in range(1, 4)]
    assert ledger.find(listed[0].id[:6], listed) == listed[0]
    assert ledger.find("toys/2", listed) == listed[1]
    assert ledger.find("toy_evaluation", listed) == listed[2]  # the latest
    alike = [entry.model_copy(update={"id": f"abc{number}"}) for number, entry in enumerate(listed)]
    with pytest.raises(InputError, match=r"ab: 3 evaluations begin so \(abc0, abc1, abc2\)"):
        ledger.find("ab", alike)
    with pytest.raises(InputError, match=r"no evaluation in the ledger has this id or key \(keys: toys/1, "):
        ledger.find("clevr_model", listed)


# --- several metrics, several datasets -------------------------------------------------------------------------------


def errors(values: np.ndarray, metric: str = "nmse", **about: Any) -> Outcomes:
    """An error per image, lower is better."""
    items = [f"image_{k:03d}" for k in range(len(values))]
    how = {"unit": "", "bounds": (0.0, None), "direction": "lower"} | about
    return Outcomes(metric, "val", items, items, values.astype(float), **how)


def scored_twice(root: Path, name: str, level: float) -> dict[str, Entry]:
    """The entries of an evaluation by accuracy and by an error of about `level`, which may be above 1."""
    place, pictures = root / "toys" / name, data(root)
    evaluated(place, pictures, outcomes(right(3)), seed=hash(name) % 97)
    rng = np.random.default_rng(0)
    about = {"key": "toy_evaluation", "maker": "nsmodels.systems.toy", "config": {}, "code_version": "1.2"}
    inputs = Inputs.of({"pictures": pictures}, model=("model", place / "model"))
    with artifact.build(place / "evaluation", inputs=inputs, is_resumable=False, **about) as part:
        write_outcomes(part.path, [outcomes(right(3)), errors(level + rng.random(40))], place / "model")
        part.metrics |= {"baseline/chance": 0.25, "baseline/nmse/zero": 9.0}
    ledger.enter(place / "evaluation")
    return {e.metric: e for e in ledger.entries() if e.id in {x.id for x, _ in entries_of(place / "evaluation", root)}}


def test_every_metric_of_an_evaluation_is_an_entry_with_unit_bounds_and_direction(root: Path) -> None:
    found = scored_twice(root, "one", 2.0)
    assert found["accuracy"].is_headline
    assert (found["nmse"].direction, found["nmse"].bounds, found["nmse"].unit) == ("lower", (0.0, None), "")
    assert 2.0 < found["nmse"].low < found["nmse"].score < found["nmse"].high < 3.0
    assert found["nmse"].baselines == {"zero": 9.0}
    assert found["accuracy"].baselines == {"chance": 0.25}
    assert ledger.find("toy_evaluation", ledger.entries()).metric == "accuracy"
    assert ledger.find("toy_evaluation:nmse", ledger.entries()).id == found["nmse"].id


def test_a_lower_error_is_better_in_comparison_and_rank(root: Path) -> None:
    low, high = scored_twice(root, "low", 1.0)["nmse"], scored_twice(root, "high", 4.0)["nmse"]
    found = ledger.compare(low, high)
    assert found.difference == pytest.approx(-3.0)
    assert (found.only_first, found.only_second) == (40, 0)
    assert found.gain[0] > 0
    assert "nmse (lower is better), first minus second: -3, 95 % interval" in found.text()
    ranks = {row["id"]: row["rank"] for row in leaderboard.rows(ledger.entries()) if row["metric"] == "nmse"}
    assert ranks == {low.id: 1, high.id: 2}


@pytest.mark.parametrize(
    ("about", "what"),
    [
        ({"metric": "mse"}, "metrics"),
        ({"unit": "nats"}, "units"),
        ({"direction": "higher"}, "directions"),
        ({"bounds": (0.0, 9.0)}, "bounds of nmse"),
    ],
)
def test_unlike_metrics_are_not_compared(root: Path, about: dict, what: str) -> None:
    first = scored_twice(root, "one", 1.0)["nmse"]
    with pytest.raises(InputError, match=f"of different {what}"):
        ledger.compare(first, first.with_values(about))


@pytest.mark.parametrize("values", [{"unit": "", "bounds": (1.0, 0.0)}, {"direction": "up"}, {"unit": "share"}])
def test_a_metric_that_is_none_is_one_line(values: dict) -> None:
    with pytest.raises(InputError, match=r"^metric 'nmse': "):
        errors(np.ones(3), **values)


def test_equal_scores_of_an_unbounded_metric_have_no_interval(root: Path) -> None:
    assert errors(np.full(9, 2.5)).interval is None
    assert errors(np.zeros(9), bounds=(0.0, 2.0)).interval == (0.0, pytest.approx(0.598, abs=0.01))


def test_an_evaluation_over_two_datasets_is_entered(root: Path) -> None:
    place, both = root / "toys" / "both", {"pictures": data(root), "texts": data(root, "texts", 2)}
    evaluated(place, both["pictures"], outcomes(right(1)))
    about = {"key": "toy_evaluation", "maker": "nsmodels.systems.toy", "config": {}, "code_version": "1.3"}
    inputs = Inputs.of(both, model=("model", place / "model"))
    with artifact.build(place / "evaluation", inputs=inputs, is_resumable=False, **about) as part:
        write_outcomes(part.path, outcomes(right(2)), place / "model")
    entry = ledger.read_entry(ledger.enter(place / "evaluation"))
    assert entry.dataset == "pictures+texts"
    alone = {artifact.read_manifest(folder).fingerprint for folder in both.values()}
    assert entry.data_fingerprint not in alone
