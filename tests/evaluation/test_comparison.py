"""Baselines and a model on the same items: rows, what is refused, the sealed table and its figure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsmodels.__main__ import main
from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.evaluation.comparison import figure, joining
from nsmodels.evaluation.comparison.rows import NO_SEED, Row, read_rows, require_alike, write_rows
from nsmodels.evaluation.comparison.table import Compared, text
from nsmodels.evaluation.replication import student_interval
from nsmodels.evaluation.sources import listed
from tests.evaluation.compared import N, compared, evaluation, guess, network, scores, study

# --- rows ------------------------------------------------------------------------------------------------------------


def test_a_row_has_both_intervals_and_they_are_those_of_its_seeds_and_images() -> None:
    row = network()
    assert row.by_seed == student_interval([each.mean for each in row.scored.values()])
    low, high = row.by_cluster or (0.0, 0.0)
    assert low < row.mean < high
    assert network(seeds=1).by_seed is None
    assert guess().seeds == []
    few = {"0": replace(scores(0, 0.5), clusters=[str(k % 5) for k in range(N)])}
    assert Row("few", "few", "network", few).by_cluster is None, "five images are too few to resample"


def test_how_far_one_row_is_ahead_is_paired_by_item() -> None:
    """The same answers but for ten items more: the interval is far narrower than that of two independent rows."""
    first = network(seeds=1).scored["0"]
    wrong = np.flatnonzero(first.scores == 0)[:10]
    better = replace(first, scores=np.where(np.isin(np.arange(N), wrong), 1.0, first.scores))
    ours, other = Row("ours", "ours", "ours", {"0": better}), Row("blind", "blind", "network", {"0": first})
    gap, ends = ours.ahead_of(other)
    assert gap == pytest.approx(10 / N)
    assert ends is not None
    assert 0 < ends[0] < gap < ends[1] < 0.1


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    rows = [guess(), network()]
    described = json.loads(json.dumps(write_rows(tmp_path, rows)))
    again = read_rows(tmp_path, described)
    assert [row.to_dict() for row in again] == [row.to_dict() for row in rows]
    assert [list(row.items) for row in again] == [list(row.items) for row in rows]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (network(split="ood"), "row 'blind', seed 0: is of split 'ood', 'majority' of 'val'"),
        (network(n=N - 1), "other items than 'majority'"),
        (Row("x", "x", "guess", {NO_SEED: replace(scores(0, 0.5), metric="vqa_score")}), "is scored by vqa_score"),
    ],
)
def test_rows_of_different_items_are_refused_in_one_line(other: Row, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        require_alike([guess(), other], "table")
    assert "\n" not in str(caught.value)


# --- the figure ------------------------------------------------------------------------------------------------------


def with_ours(num: int, name: str = "gqa_mini") -> Compared:
    """Baselines of three seeds, and a model of so many."""
    part = compared(name)
    ours = Row("ours", "ours, image and question only", "ours", {str(k): scores(k, 0.8) for k in range(num)})
    return replace(part, rows=[*part.rows, ours])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([compared(), compared("vqa_mini", "VQA v2")], "mixed sources"),
        ([compared(), Compared("vqa_mini", "synthetic VQA", [guess(split="ood")])], "unequal splits"),
        ([compared(seeds=1)], "row 'blind' has 1 seed, and an interval over seeds needs 3"),
        ([with_ours(2)], "row 'ours' has 2 seeds, and an interval over seeds needs 3; make more of its replicates"),
    ],
)
def test_a_figure_that_would_mislead_is_refused_in_one_line(parts: list[Compared], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        figure.require_sound(parts, "here")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("parts", "seeds"),
    [
        ([compared()], "3 seeds of each network"),
        ([with_ours(3)], "3 seeds of each network"),
        ([with_ours(5)], "5 seeds of each network; 3 of blind"),
        ([compared("vqa_mini"), with_ours(1)], "3 seeds of each network; 1 of ours on gqa_mini"),
    ],
)
def test_a_caption_counts_the_seeds_of_all_that_has_some(parts: list[Compared], seeds: str) -> None:
    figure.require_sound(parts, "here")
    assert f"thick line: {seeds} and their 95 % interval; " in figure.caption(parts)


def test_rows_have_different_labels_in_short_lines() -> None:
    one, other, third = (replace(network(name), about=about) for name, about in ABOUT.items())
    found = figure.labels([guess(), one, other, third, replace(third, name="again")])
    plain = [label.replace("\n", " ") for label in found]
    assert plain[:3] == ["most frequent answer", "CNN+LSTM, from scratch", "CNN+LSTM, with weights of ImageNet"]
    assert plain[3:] == ["a transformer that has read much (long)", "a transformer that has read much (again)"]
    assert max(len(line) for label in found for line in label.splitlines()) <= figure.LETTERS


ABOUT = {
    "scratch": "CNN+LSTM, from scratch",
    "weights": "CNN+LSTM, with weights of ImageNet",
    "long": "a transformer that has read much",
}


def test_the_table_says_what_is_missing_and_sets_published_rows_apart() -> None:
    found = text([replace(compared(seeds=1), published=[("BUTD", 53.38, "Anderson et al. 2018")])])
    assert "left out: vilt: no checkpoint is configured" in found
    assert found.index("published, real data") < found.index("53.38")
    assert "one seed" in found


# --- sealed ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "questions.json").write_text("[]")
    return tmp_path / "data"


def test_the_command_seals_table_and_figure_with_ours_and_its_levels(tmp_path: Path, data: Path, capsys: Any) -> None:
    baselines = study(tmp_path / "gqa_mini_baselines", data)
    ours = evaluation(tmp_path / "gqa_mini_evaluation", data, scores(3, 0.9))
    out, drawn = tmp_path / "visual_baselines", tmp_path / "performance_comparison"
    command = ["performance", "--baselines", str(baselines), "--evaluation", str(ours), "--out", str(out)]
    assert main([*command, "--figure", str(drawn)]) == 0
    printed = capsys.readouterr().out
    assert "ours, true scene: 100.0 [99.0, 100.0]" in printed
    assert {path.suffix for path in drawn.glob("performance_comparison.*")} == {".pdf", ".png"}
    report = json.loads((out / "report.json").read_text())["parts"]["gqa_mini"]
    assert report["rows"]["ours"]["mean"] == pytest.approx(scores(3, 0.9).mean)
    assert report["rows"]["ours"]["interval_over_seeds"] is None, "one seed: no interval over seeds"
    gap = report["ours_ahead_of"]["blind"]
    assert gap["interval"][0] < gap["difference"] < gap["interval"][1]
    assert gap["difference"] == pytest.approx(report["rows"]["ours"]["mean"] - report["rows"]["blind"]["mean"])
    numbers = json.loads((drawn / "numbers.json").read_text())
    assert numbers["gqa_mini"]["rows"] == report["rows"]
    artifact.verify(out)


def test_what_does_not_belong_together_is_refused_in_one_line(tmp_path: Path, data: Path, capsys: Any) -> None:
    baselines = study(tmp_path / "b", data)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "questions.json").write_text('["other"]')
    cases = {
        "data of none of the studies": evaluation(tmp_path / "e1", elsewhere, scores(3, 0.9)),
        "is of split 'ood'": evaluation(tmp_path / "e2", data, scores(3, 0.9, split="ood")),
        "is no evaluation": baselines,
    }
    for message, place in cases.items():
        arguments = ["performance", "--baselines", str(baselines), "--out", str(tmp_path / "out")]
        given = study(tmp_path / "b2", data) if place == baselines else place
        assert main([*arguments, "--evaluation", str(given)]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
        assert not (tmp_path / "out").exists()


def test_seeds_of_ours_are_joined_and_a_second_of_the_same_is_refused(tmp_path: Path, data: Path) -> None:
    studies = {"b": study(tmp_path / "b", data)}
    evaluations = {f"e{seed}": evaluation(tmp_path / f"e{seed}", data, scores(seed, 0.9), seed) for seed in (0, 1, 2)}
    (found,) = joining.joined(studies, evaluations)
    assert found.ours is not None
    assert found.ours.seeds == ["0", "1", "2"]
    assert found.ours.by_seed is not None
    again = {**evaluations, "again": evaluation(tmp_path / "again", data, scores(5, 0.9), 1)}
    with pytest.raises(InputError, match="a second evaluation of seed 1"):
        joining.joined(studies, again)


def test_the_order_of_evaluations_does_not_matter_and_levels_are_means(tmp_path: Path, data: Path) -> None:
    studies = {"b": study(tmp_path / "b", data)}
    about: dict[str, Any] = {"e10": (10, 0.6, 5), "e2": (2, 0.9, 7)}
    found = {
        key: evaluation(tmp_path / key, data, scores(seed, 0.9), seed, level=level, size=size)
        for key, (seed, level, size) in about.items()
    }
    one = joining.make_comparison(tmp_path / "one", studies, found, "table", False)
    other = joining.make_comparison(tmp_path / "other", studies, dict(reversed(found.items())), "table", False)
    assert one.fingerprint == other.fingerprint
    texts = [(tmp_path / name / file).read_text() for file in ("report.json", "table.txt") for name in ("one", "other")]
    assert (texts[0], texts[2]) == (texts[1], texts[3])
    report = json.loads(texts[0])["parts"]["gqa_mini"]
    assert report["levels"]["true_scene"] == {"score": pytest.approx(0.75), "interval": pytest.approx([0.74, 0.75])}
    assert list(report["rows"]["ours"]["scores"]) == ["2", "10"]
    assert report["rows"]["ours"]["cost"] == {"parameters": 6.0}


def test_the_order_of_studies_is_part_of_what_a_table_is_made_from(tmp_path: Path, data: Path) -> None:
    studies = {name: study(tmp_path / name, data) for name in ("a", "b")}
    assert joining.config_of(studies, {}) != joining.config_of(dict(reversed(studies.items())), {})
    with pytest.raises(InputError, match="a second study of data named gqa_mini"):
        joining.joined(studies, {})


def test_the_caption_of_a_figure_names_each_source_once(tmp_path: Path, data: Path) -> None:
    from PIL import Image

    other = tmp_path / "vqa"
    other.mkdir()
    (other / "questions.json").write_text('["other"]')
    studies = {"a": study(tmp_path / "a", data), "b": study(tmp_path / "b", other, name_of_data="vqa_mini")}
    joining.make_comparison(tmp_path / "table", studies, {}, "table", False)
    joining.performance_comparison(tmp_path / "table", tmp_path / "drawn", "table")
    with Image.open(tmp_path / "drawn" / "drawn.png") as picture:
        assert picture.info["Description"].endswith("Data: synthetic GQA, split val.")


def test_sources_of_mixtures_are_listed_once():
    assert listed(["synthetic GQA", "synthetic GQA, synthetic VQA", "VQA v2"]) == "synthetic GQA, synthetic VQA, VQA v2"
