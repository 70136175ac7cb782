"""Checks of graph data find what they are for; the meter finds a cue, in one kind of query alone too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsmodels.formats.graphs import checks, files, shortcuts
from nsmodels.formats.graphs.colours import certificates, counts
from nsmodels.formats.graphs.tables import Graphs
from tests.formats.twins import twinned

GRAPHS = twinned(12)
ALL = (
    checks.schema,
    checks.twins_are_equal,
    checks.twins_are_told_apart,
    checks.splits_are_disjoint,
    checks.labels_are_balanced,
)


def changed(graphs: Graphs, name: str, place: Any, value: Any) -> Graphs:
    values = getattr(graphs, name).copy()
    values[place] = value
    return graphs.replaced(**{name: values})


FAULTS: list[tuple[Callable[[Path], list[str]], Callable[[Graphs], Graphs], str]] = [
    (checks.schema, lambda g: changed(g, "relations", 6, 2), "test 0/0/1: relations: expected ids below 2"),
    (checks.schema, lambda g: changed(g, "targets", 7, 6), "test 0/0/1: targets: expected nodes of the graph"),
    (checks.schema, lambda g: changed(g, "labels", 3, 2), "test 0/1/1: labels: expected 0 or 1"),
    (checks.schema, lambda g: changed(g, "since", 13, 3), "test 0/1/0: since: expected -1, or a round of the trace"),
    (checks.schema, lambda g: changed(g, "rounds", 5, 0), "test 0/2/1: rounds: expected 1 or more"),
    (checks.schema, lambda g: changed(g, "confidence", 0, np.nan), "test 0/0/0: confidence: expected numbers"),
    (checks.schema, lambda g: changed(g, "ids", 2, "0/0/1"), "test 0/0/1: ids: expected names that differ"),
    (checks.schema, lambda g: changed(g, "trace_rounds", 1, 9), "test 0/0/1: trace: expected a bit per round"),
    (checks.twins_are_equal, lambda g: changed(g, "features", 0, 1 - g.features[0]), "different pooled counts"),
    (checks.twins_are_equal, lambda g: changed(g, "relations", 0, 1 - g.relations[0]), "different pooled counts"),
    (checks.twins_are_equal, lambda g: changed(g, "confidence", 0, 0.5), "the twins have different confidences"),
    (checks.twins_are_equal, lambda g: changed(g, "clusters", 0, 0), "the twins have different sizes of clusters"),
    (checks.twins_are_equal, lambda g: changed(g, "lengths", 0, 5), "test 0/0/0: the twins have different lengths"),
    (checks.twins_are_equal, lambda g: changed(g, "labels", 0, 1 - g.labels[0]), "0/0/0: has the label of its twin"),
    (checks.twins_are_equal, lambda g: changed(g, "pairs", 2, 0), "test: 3 graphs share one pair"),
    (checks.twins_are_told_apart, lambda g: g.take([0, 0]), "test 0/0/0: message passing cannot tell it"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "change", "fault"), FAULTS)
def test_a_fault_is_named(check: Callable, change: Callable, fault: str, tmp_path: Path) -> None:
    files.write(tmp_path / "test.parquet", change(GRAPHS.take(range(10))))
    assert any(fault in line for line in check(tmp_path))


def test_data_without_fault_pass(tmp_path: Path) -> None:
    files.write(tmp_path / "test.parquet", GRAPHS.take(range(12)))
    files.write(tmp_path / "train.parquet", GRAPHS.take(range(12, 24)))
    files.write(tmp_path / "alone.parquet", twinned(1, seed=7).take([0]))
    assert [line for check in ALL for line in check(tmp_path)] == []


def test_a_graph_in_two_splits_is_found_however_it_is_numbered(tmp_path: Path) -> None:
    files.write(tmp_path / "test.parquet", GRAPHS.take(range(8)))
    files.write(tmp_path / "train.parquet", checks.permuted(GRAPHS.take([3, 8]), np.random.default_rng(0)))
    assert checks.splits_are_disjoint(tmp_path) == ["train 0/1/1: the same graph as test 0/1/1"]


def test_the_place_of_a_twin_must_not_tell_its_label(tmp_path: Path) -> None:
    some = twinned(60)
    files.write(tmp_path / "test.parquet", some.take(np.lexsort([some.labels, some.pairs])))
    assert checks.labels_are_balanced(tmp_path) == [
        f"test: 0.0% of the first twins of {kinds} have label 1"
        for kinds in ("kind 'ring'", "kind 'ladder'", "all kinds")
    ]


def test_the_rounds_of_a_twin_must_not_tell_its_label(tmp_path: Path) -> None:
    some = twinned(60)
    files.write(tmp_path / "test.parquet", some.replaced(rounds=some.rounds + some.labels))
    assert "test: 100.0% of the twins of label 1 of all kinds demand more rounds" in checks.labels_are_balanced(
        tmp_path
    )


def test_a_permuted_graph_is_the_same_graph() -> None:
    other = checks.permuted(GRAPHS, np.random.default_rng(1))
    assert not np.array_equal(other.features, GRAPHS.features)
    np.testing.assert_array_equal(certificates(other), certificates(GRAPHS))
    np.testing.assert_array_equal(counts(other), counts(GRAPHS))
    for k in range(len(GRAPHS)):
        one, same = GRAPHS.nodes(k), other.nodes(k)
        rows = [sorted(map(tuple, g.truth(k)[:, i].tolist())) for g in (GRAPHS, other) for i in range(6)]
        assert sorted(rows[:6]) == sorted(rows[6:])
        assert sorted(GRAPHS.since[one].tolist()) == sorted(other.since[same].tolist())


@pytest.fixture(scope="module")
def metered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[shortcuts.Reading]]:
    """Rings, which two rounds of colours tell apart, and ladders whose labels are drawn: nothing tells them."""
    folder = tmp_path_factory.mktemp("data")
    for split, seed in (("train", 0), ("test", 1)):
        graphs = twinned(240, seed)
        flips = np.random.default_rng(seed).random(240)[graphs.pairs] < 0.5
        is_flipped = flips & (graphs.kinds == 1)
        files.write(folder / f"{split}.parquet", graphs.replaced(labels=graphs.labels ^ is_flipped.astype(np.int8)))
    return folder, shortcuts.readings(folder)


def test_the_meter_finds_a_cue_in_one_kind(metered: tuple[Path, list[shortcuts.Reading]]) -> None:
    by_name = {(each.kind, each.classifier): each for each in metered[1]}
    assert by_name["ring", "WL-3"].accuracy > 0.9
    assert by_name["ring", "WL-2"].rank > 0.9
    assert {line.split(":")[0] for line in shortcuts.faults(metered[1])} == {"ring"}
    assert "ladder" in shortcuts.table(metered[1])


def test_counts_rank_no_pair(metered: tuple[Path, list[shortcuts.Reading]]) -> None:
    assert [each.rank for each in metered[1] if each.classifier == "WL-0"] == [0.5, 0.5]
    assert [each.accuracy for each in metered[1] if each.classifier == "WL-0"] == [0.5, 0.5]


def test_few_graphs_prove_nothing(tmp_path: Path) -> None:
    files.write(tmp_path / "train.parquet", twinned(9))
    assert shortcuts.no_shortcut(tmp_path) == []
