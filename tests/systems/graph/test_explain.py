"""Explanations: rounds beside the oracle's trace, what carried an answer, and whatever holds a graph as input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import nsmodels
from nsmodels.__main__ import main
from nsmodels.core import disk
from nsmodels.formats.graphs import files, pictures
from nsmodels.formats.graphs.records import to_values
from nsmodels.formats.graphs.tables import Graphs, graph
from nsmodels.systems.graph import SYSTEM
from nsmodels.systems.graph.config import debug
from nsmodels.systems.graph.explanation.explain import explain, times_of
from nsmodels.systems.graph.pictures.look import glance
from tests.shared import Shared, Trained

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def made(shared: Shared) -> Trained:
    return shared.trained("graph", "causal_graphs")


@pytest.fixture(scope="module")
def graphs(made: Trained) -> Graphs:
    return files.read_split(made.data, "test")


def test_what_an_edge_carries_is_what_its_deletion_changes(made: Trained, graphs: Graphs, tmp_path: Path) -> None:
    reasoner = nsmodels.load(made.folder, device="cpu")
    found = explain(reasoner, graphs, 2)
    values = to_values(graphs, 2)
    values.pop("twin")
    whole = reasoner.predict(values).probability
    disk.write_json(tmp_path / "one.json", {"graphs": [values]})
    for given in (graph(graphs, 2), tmp_path / "one.json", graphs.take([2])):
        assert reasoner.predict(given).probability == pytest.approx(whole, abs=1e-7)
    edge = int(found.carrying_edges[0])
    without = {**values, "edges": [each for number, each in enumerate(values["edges"]) if number != edge]}
    for name in ("trace", "since"):
        without.pop(name)
    change = (whole - reasoner.predict(without).probability)[0] * (1 if found.answer else -1)
    assert found.by_edge[edge] == pytest.approx(change, abs=1e-7)
    assert np.abs(found.by_edge).max() == abs(found.by_edge[edge]) > 0


def test_rounds_are_compared_with_the_oracle_where_it_has_decided(made: Trained, graphs: Graphs) -> None:
    reasoner = nsmodels.load(made.folder, device="cpu", checkpoint="reasoner/last")
    found = explain(reasoner, graphs, 0)
    assert len(found.steps) == found.rounds == len(found.believed)
    one, truth = found.graph, graphs.truth(0)
    for time, step in enumerate(found.steps):
        decided = (one.since >= 0) & (one.since <= time)
        is_right = (found.believed[time] > 0.5) == truth[min(time, len(truth) - 1)]
        assert step.num_decidable == decided.sum()
        assert step.agreement == (pytest.approx(is_right[decided].mean()) if decided.any() else None)
    # A network that is asked at its end is compared with the end.
    flat = SYSTEM.load_checkpoint(made.folder / "flat" / "best.pt", "cpu")
    assert times_of(flat, 1, 7) == [6]
    assert [step.round for step in explain(flat, graphs, 0).steps] == [explain(flat, graphs, 0).rounds]


def test_the_verb_prints_draws_and_writes(made: Trained, graphs: Graphs, tmp_path: Path, capsys) -> None:
    place = ["--checkpoint", str(made.folder), "--data", str(made.data), "--device", "cpu"]
    files_ = ["--draw", str(tmp_path / "one.svg"), "--json", str(tmp_path / "one.json")]
    assert main(["graph", "explain", "--graph", str(graphs.ids[0]), *place, *files_]) == 0
    assert "edges that carry it" in capsys.readouterr().out
    (written,) = json.loads((tmp_path / "one.json").read_text())
    assert written["id"] == graphs.ids[0]
    assert len(written["edges"]) == graphs.num_edges[0]
    assert (tmp_path / "one.svg").read_text().lstrip().startswith("<?xml")
    assert main(["graph", "explain", "--graph", "test/0/00", *place]) == 2
    line = capsys.readouterr().err
    assert "--graph test/0/00: not a file, and no graph of" in line
    assert len(line.splitlines()) == 1
    assert main(["graph", "explain", "--graph", "test/0/0", *place, "--draw", str(tmp_path / "one.txt")]) == 2


def test_a_domain_chooses_its_presets_and_data(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    assert main(["graph", "train", "--domain", "chains", "--preset", "debug", "--out", str(tmp_path / "out")]) == 2
    assert "'long_chains' does not exist" in capsys.readouterr().err


def test_a_glance_scores_every_network_and_positions_never_change(made: Trained, graphs: Graphs) -> None:
    seen = glance(made.folder, made.data, num_pairs=4, device="cpu")
    assert list(seen.paired) == [*SYSTEM.enabled(SYSTEM.stages[-1], debug()), "chance"]
    assert seen.picture.startswith(b"\x89PNG")
    one = graph(graphs, 0)
    places = pictures.positions(one)
    assert np.array_equal(places, pictures.positions(one))
    assert len(np.unique(places.round(3), axis=0)) == len(places)
