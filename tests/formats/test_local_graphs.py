"""Graphs of one's own: what is read is what was written, and every fault is one line with file, graph and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from nsmodels.core.errors import InputError
from nsmodels.formats.graphs import files, local, records
from nsmodels.formats.graphs.structure import rounds_of
from tests.formats.twins import WORDS, twinned

NODES = [{"type": "a", "name": "x", "mark": "asked"}, {"type": "b", "feature": "true"}]
EDGE = {"source": "x", "relation": "left", "target": 1}


def entry(**changes: Any) -> dict[str, Any]:
    return {"kind": "ring", "label": "yes", "nodes": NODES, "edges": [EDGE], **changes}


def written(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_graphs_survive_the_form_with_names(tmp_path: Path) -> None:
    graphs = twinned(3)
    graphs = graphs.replaced(
        confidence=np.linspace(0, 1, len(graphs.sources)).round(3).astype(np.float32),
        clusters=np.tile(np.array([-1, 0, 0, 1, 1, 2], np.int16), len(graphs)),
    )
    values = {"graphs": [records.to_values(graphs, row) for row in range(len(graphs))]}
    found = local.read_splits(written(tmp_path / "mine.json", values), WORDS)["test"]
    for name, value in vars(graphs).items():
        if name not in ("vocabulary", "pairs"):
            np.testing.assert_array_equal(value, getattr(found, name), name)
    np.testing.assert_array_equal(found.pairs // 2, graphs.pairs)


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.json", {"kind": "ladder", "nodes": NODES, "edges": [EDGE]})
    graphs = records.read_json(path, WORDS, must_have_labels=False)
    assert (graphs.ids[0], graphs.labels[0], graphs.rounds[0], graphs.lengths[0]) == ("mine/0", -1, 3, 3)
    assert (graphs.features.tolist(), graphs.marks.tolist(), graphs.clusters.tolist()) == ([0, 1], [1, 0], [-1, -1])
    assert (graphs.confidence.tolist(), graphs.trace_rounds.tolist()) == ([1.0], [0])


FAULTS: dict[str, tuple[Any, str]] = {
    "no json": ("{", "not JSON"),
    "deep": ("[" * 100_000, "nested too deeply"),
    "nothing": ([], "expected a list of graphs"),
    "a number": (3, "expected a list of graphs"),
    "no graph": ([3], "graph 0: graph: 3; expected an object with id, kind"),
    "field": ([entry(lable=1)], "graph 0: graph: unknown field 'lable'; did you mean label?"),
    "no nodes": ([{"kind": "ring", "label": 1}], "graph 0: graph: 'nodes' is missing"),
    "empty": ([entry(nodes=[])], "graph 0: nodes: 0 of them; expected 1 to"),
    "id": ([entry(id=7)], "graph 0: id: 7; expected a text"),
    "ids": ([entry(id="p"), entry(id="p")], "graph 1 ('p'): id: 'p' is the id of graph 0 too"),
    "kind": ([entry(kind="rung")], "graph 0: kind: unknown name 'rung'; did you mean ring?"),
    "no label": ([{"kind": "ring", "nodes": NODES}], "graph 0: label: missing; expected no or yes"),
    "null label": ([entry(label=None)], "graph 0: label: missing; expected no or yes"),
    "label": ([entry(label=2)], "graph 0: label: 2; expected no, yes, 0 or 1"),
    "type": ([entry(nodes=[{"type": "c"}])], "graph 0: nodes[0].type: unknown name 'c' (expected a, b)"),
    "name": ([entry(nodes=[*NODES, NODES[0]])], "graph 0: nodes[2].name: 'x'; expected a text that no other"),
    "cluster": ([entry(nodes=[{"type": "a", "cluster": 9}])], "graph 0: nodes[0].cluster: 9; expected a whole"),
    "end": ([entry(edges=[EDGE | {"target": 2}])], "graph 0: edges[0].target: 2; expected a whole number from 0 to 1"),
    "end name": ([entry(edges=[EDGE | {"source": "y"}])], "graph 0: edges[0].source: no node is named 'y'"),
    "relation": ([entry(edges=[EDGE | {"relation": "lift"}])], "edges[0].relation: unknown name 'lift'; did you"),
    "confidence": ([entry(edges=[EDGE | {"confidence": float("nan")}])], "edges[0].confidence: nan; expected a number"),
    "rounds": ([entry(rounds=0)], "graph 0: rounds: 0; expected a whole number from 1"),
    "length": ([entry(length=10**9)], "graph 0: length: 1000000000; expected a whole number from 0 to 32767"),
    "twin": ([entry(id="p", twin="q")], "graph 0 ('p'): twin: 'q' is the id of no graph"),
    "one twin": ([entry(id="p", twin="q"), entry(id="q")], "'q' does not name this graph as its twin"),
    "equal twins": ([entry(id="p", twin="q"), entry(id="q", twin="p")], "'q' has the same label"),
    "channel": ([entry(trace={"for": [[0]]})], "graph 0: trace: unknown field 'for'; did you mean far?"),
    "trace": ([entry(trace={"far": [[2]]})], "graph 0: trace.far[0]: 2; expected a whole number from 0 to 1"),
    "ragged": ([entry(trace={"far": [[0]], "near": []})], "graph 0: trace: channels with [0, 1] rounds"),
    "since": ([entry(trace={"far": [[0]]}, since={"far": [0, 1]})], "graph 0: since.far: 1; expected a whole"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_line(name: str, tmp_path: Path) -> None:
    content, message = FAULTS[name]
    path = written(tmp_path / "mine.json", content)
    with pytest.raises(InputError) as caught:
        local.read(path, WORDS)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_parquet_file_must_have_the_names_types_and_places(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    files.write(path, twinned(2))
    assert len(local.read(path, WORDS)) == 4
    other = type(WORDS)(**(vars(WORDS) | {"relations": ("left", "rihgt")}))
    files.write(path, twinned(2).replaced(vocabulary=other))
    with pytest.raises(InputError, match="unknown name 'rihgt' in 'relations'; did you mean right"):
        local.read(path, WORDS)
    files.write(path, twinned(2).replaced(targets=twinned(2).targets + 6))
    with pytest.raises(InputError, match=r"mine\.parquet 0/0/0: targets: expected nodes of the graph"):
        local.read(path, WORDS)
    files.write(path, twinned(2))
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.column_names.index("marks"), "marks", table.column("ids")), path)
    with pytest.raises(InputError, match="'marks' is of type string; expected large_list"):
        local.read(path, WORDS)


def test_rounds_follow_the_longest_way() -> None:
    chain, marked = np.arange(4), np.array([1, 0, 0, 0, 0])
    assert rounds_of(5, chain, chain + 1, np.zeros(4), np.zeros(5)) == 6
    assert rounds_of(5, chain + 1, chain, np.zeros(4), marked) == 6
    # A cycle over two relations: the longest path of one of them; a ring alone: the way around from the mark.
    ring, relations = np.arange(6), np.array([0, 0, 0, 0, 0, 1])
    assert rounds_of(6, ring, (ring + 1) % 6, relations, np.eye(6)[0]) == 7
    assert rounds_of(6, ring, (ring + 1) % 6, np.zeros(6), np.eye(6)[0]) == 5
    assert rounds_of(1, np.zeros(0, int), np.zeros(0, int), np.zeros(0, int), np.ones(1)) == 2
