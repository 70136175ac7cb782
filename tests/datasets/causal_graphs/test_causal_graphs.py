import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.disk import sha256_of
from nsmodels.core.errors import InputError
from nsmodels.datasets.causal_graphs import checks, locality, worlds
from nsmodels.datasets.causal_graphs.config import CausalGraphsConfig, debug
from nsmodels.datasets.causal_graphs.labelling import labelled
from nsmodels.datasets.causal_graphs.look import graph_text
from nsmodels.datasets.causal_graphs.prepare import prepare
from nsmodels.datasets.causal_graphs.vocabulary import BACKDOOR, COUNTERFACTUAL, INTERVENTIONAL, VALUE, VOCABULARY
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.tables import Graph, graph

ROOT, AND, VARIABLE = 0, 1, 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "causal_graphs"
    prepare(debug(), "causal_graphs", path)
    return path


def chain(kind: int, features: list[int], marks: list[int]) -> Graph:
    """v0 → v1 → v2, the last edge negative."""
    types = [VARIABLE] * 3 if kind == BACKDOOR else [ROOT, AND, AND]
    return labelled(kind, np.array([types, features, marks]), np.array([[0, 1], [1, 2], [0, 1]]), 2)


def test_the_checks_pass_on_drawn_graphs(folder: Path) -> None:
    for name in set(checks.__all__) - {"no_shortcut"}:
        assert getattr(checks, name)(folder) == [], name


def test_values_spread_by_one_edge_a_round_and_answers_are_those_of_all_worlds() -> None:
    done = chain(INTERVENTIONAL, [1, 0, 0], [2, 0, 4])  # do(v0 = true)
    assert done.label == 0
    assert done.since[:, VALUE].tolist() == [0, 1, 2]
    # Facts v0 = v1 = 0, v2 = 0 against not v1 = 1: the noise of v2 is 1. Under v0 = 1, v2 = not 1 xor 1 = 1.
    would = chain(COUNTERFACTUAL, [1, 1, 1], [2, 0, 4])
    assert would.label == 1
    assert would.truth[-1, :, :3].astype(int).tolist() == [[1, 0, 1], [1, 0, 1], [1, 1, 1]]
    for one in (done, would):
        assert worlds.answers(one) == {bool(one.label)}
        assert locality.faults([one]) == []
    assert "would v2 have been different under v0 = true? yes" in graph_text(would)


def test_backdoor_sets_with_a_collider_a_fork_and_a_descendant() -> None:
    # 0 → 1 → 2, with 3 → 1 and 3 → 2 (fork), 1 → 4.
    edges = np.array([[0, 1, 3, 3, 1], [1, 2, 1, 2, 4], [2] * 5])
    for marks, label in (([0, 3, 4, 5, 0], 1), ([5, 3, 4, 0, 0], 0), ([0, 3, 4, 5, 5], 0)):
        one = labelled(BACKDOOR, np.array([[VARIABLE] * 5, [0] * 5, marks]), edges, 1)
        assert (one.label, worlds.answers(one)) == (label, {bool(label)})
    # An adjusted collider opens 0 → 3 ← 1 → 4.
    edges = np.array([[0, 1, 0, 1, 2], [3, 3, 2, 4, 4], [2] * 5])
    for marks, label in (([0, 0, 3, 5, 4], 0), ([0, 5, 3, 5, 4], 1), ([5, 0, 3, 5, 4], 1), ([5, 0, 3, 0, 4], 1)):
        one = labelled(BACKDOOR, np.array([[VARIABLE] * 5, [0] * 5, marks]), edges, 1)
        assert (one.label, worlds.answers(one)) == (label, {bool(label)})


def test_a_truth_that_comes_from_afar_is_not_local(folder: Path) -> None:
    graphs = files.read_split(folder, "test")
    some = [graph(graphs, row) for row in range(len(graphs))]
    assert locality.faults(some) == []
    for one in some:
        # The answer everywhere from the first round on: no network could have it.
        one.since = np.zeros_like(one.since)
        one.truth[:, :, VALUE] = one.label
    assert locality.faults(some)


def test_files_do_not_depend_on_threads_nor_on_the_hash_seed(folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from nsmodels.datasets.causal_graphs import config, prepare\n"
        "prepare.prepare(config.debug().with_values({'num_workers': 2}), 'causal_graphs', Path(sys.argv[1]))"
    )
    other = tmp_path / "causal_graphs"
    subprocess.run([sys.executable, "-c", code, str(other)], check=True, env={"PYTHONHASHSEED": "7", "PATH": ""})
    for split in files.splits(folder):
        assert sha256_of(files.path_of(folder, split)) == sha256_of(files.path_of(other, split)), split


def test_dials_without_any_twins_are_one_line(tmp_path: Path) -> None:
    config = debug().with_values({"nodes": [6, 6], "distances": [5, 5], "max_parents": 1, "window": 1})
    with pytest.raises(InputError, match=r"no twins among .* distance 5; ask for more nodes"):
        prepare(config, "causal_graphs", tmp_path / "data")
    with pytest.raises(ValueError, match=r"nodes \[9, 8\]"):
        CausalGraphsConfig(nodes=[9, 8])
    assert VOCABULARY.aggregation == "both"
