"""Graphs as JSON with names instead of ids; README.md has the form.

Every fault is one line that names the file, the graph, the field and what was expected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nsmodels.core import disk
from nsmodels.core.errors import InputError, near
from nsmodels.formats.graphs.structure import rounds_of
from nsmodels.formats.graphs.tables import NEVER, Graph, Graphs, graph, table
from nsmodels.formats.graphs.vocabulary import Vocabulary

UNLABELLED = -1  # label of a graph that is to be classified
LARGEST = 2**15 - 1
GRAPH_FIELDS = ("id", "kind", "label", "twin", "length", "rounds", "nodes", "edges", "trace", "since")
NODE_FIELDS = ("name", "type", "feature", "mark", "cluster")
EDGE_FIELDS = ("source", "relation", "target", "confidence")


def read_json(path: Path, vocabulary: Vocabulary, must_have_labels: bool = True) -> Graphs:
    """The graphs in a JSON file; those without label have the label `UNLABELLED` unless `must_have_labels`.

    Raises InputError naming the file, the graph and the field.
    """
    return from_values(_loaded(path), path, vocabulary, must_have_labels)


def from_values(found: Any, path: Path, vocabulary: Vocabulary, must_have_labels: bool = True) -> Graphs:
    """The graphs in plain values, as JSON holds them; `path`: their place in messages. Else as `read_json`."""
    entries = found.get("graphs") if isinstance(found, dict) and "graphs" in found else found
    if isinstance(entries, dict):
        entries = [entries]  # a graph alone
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{path}: expected a list of graphs, or an object with the list 'graphs'")
    graphs, names, twins = [], {}, {}
    for number, entry in enumerate(entries):
        reader = _Reader(path, number, vocabulary)
        made = reader.graph(entry, must_have_labels)
        if made.id in names:
            reader.fail("id", f"'{made.id}' is the id of graph {names[made.id]} too; ids must differ")
        names[made.id] = number
        if "twin" in entry:
            twins[number] = entry["twin"]
        graphs.append(made)
    _pair(path, vocabulary, graphs, names, twins)
    return table(graphs, vocabulary)


def to_values(graphs: Graphs, number: int) -> dict[str, Any]:
    """One graph of a table in the form that `read_json` reads, its twin named where there is one."""
    words, one = graphs.vocabulary, graph(graphs, number)
    values: dict[str, Any] = {"id": one.id, "kind": words.kinds[one.kind]}
    if one.label != UNLABELLED:
        values["label"] = words.classes[one.label]
    twin = [k for k in np.flatnonzero(graphs.pairs == one.pair).tolist() if k != number]
    if len(twin) == 1:
        values["twin"] = str(graphs.ids[twin[0]])
    values |= {"length": one.length, "rounds": one.rounds}
    assert one.clusters is not None
    assert one.confidence is not None
    columns = zip(one.node_types, one.features, one.marks, one.clusters, strict=True)
    values["nodes"] = [
        {"type": words.node_types[t], "feature": words.features[f], "mark": words.marks[m]}
        | ({"cluster": int(c)} if c >= 0 else {})
        for t, f, m, c in columns
    ]
    edges = zip(one.sources, one.relations, one.targets, one.confidence, strict=True)
    values["edges"] = [
        {"source": int(s), "relation": words.relations[r], "target": int(t)}
        | ({"confidence": round(float(c), 6)} if c != 1 else {})
        for s, r, t, c in edges
    ]
    if len(one.truth):
        values["trace"] = {
            name: [np.flatnonzero(state).tolist() for state in one.truth[:, :, k]]
            for k, name in enumerate(words.channels)
        }
        values["since"] = {name: one.since[:, k].tolist() for k, name in enumerate(words.channels)}
    return values


def _loaded(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: missing; give a .json or .parquet file of graphs") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not text in UTF-8; expected JSON") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply; expected a list of graphs") from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})") from None
    except OSError as error:
        raise disk.one_line(error, path) or error from None


def _pair(path: Path, words: Vocabulary, graphs: list[Graph], names: dict[str, int], twins: dict[int, Any]) -> None:
    """Give twins one number; each names the other, and their labels differ."""
    for number, twin in twins.items():
        reader = _Reader(path, number, words, graphs[number].id)
        if not isinstance(twin, str) or twin not in names:
            reader.fail("twin", f"{twin!r} is the id of no graph in this file{near(str(twin), names)}")
        other = names[twin]
        if other == number or twins.get(other) != graphs[number].id:
            reader.fail("twin", f"'{twin}' does not name this graph as its twin; expected that each names the other")
        if graphs[other].label == graphs[number].label != UNLABELLED:
            reader.fail("twin", f"'{twin}' has the same label; expected opposite labels")
        graphs[number].pair = min(number, other)


@dataclass
class _Reader:
    """Reads one entry; knows file and graph for the messages."""

    path: Path
    number: int
    words: Vocabulary
    id: str = ""

    def fail(self, field: str, what: str) -> NoReturn:
        name = f" ('{self.id}')" if self.id else ""
        raise InputError(f"{self.path}: graph {self.number}{name}: {field}: {what}")

    def graph(self, entry: Any, must_have_label: bool) -> Graph:
        self.id = entry["id"] if isinstance(entry, dict) and _is_text(entry.get("id")) else ""
        values = self._object("graph", entry, GRAPH_FIELDS, ("nodes",))
        if "id" in values and not self.id:
            self.fail("id", f"{_shown(values['id'])}; expected a text that is not empty")
        if values.get("label") is None and must_have_label:  # null is no label
            self.fail("label", f"missing; expected {' or '.join(self.words.classes)}")
        nodes, places = self._nodes(values["nodes"])
        edges = self._edges(values.get("edges", []), places)
        num = len(nodes["node_types"])
        truth, since = self._trace(values, num, places)
        demanded = rounds_of(num, edges["sources"], edges["targets"], edges["relations"], nodes["marks"])
        rounds = self._whole("rounds", values.get("rounds", min(demanded, LARGEST)), 1)
        return Graph(
            id=self.id or f"{self.path.stem}/{self.number}",
            pair=self.number,
            kind=self._kind(values),
            label=self._label(values.get("label")),
            rounds=rounds,
            length=self._whole("length", values.get("length", rounds), 0),
            truth=truth[1:],
            since=since,
            **nodes,
            **edges,
        )

    def _object(self, where: str, value: Any, known: Sequence[str], required: Sequence[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.fail(where, f"{_shown(value)}; expected an object with {', '.join(known)}")
        for name in value:
            if name not in known:
                self.fail(where, f"unknown field '{name}'{near(name, known)} (expected {', '.join(known)})")
        for name in required:
            if name not in value:
                self.fail(where, f"'{name}' is missing")
        return value

    def _list(self, where: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            self.fail(where, f"{_shown(value)}; expected a list")
        return value

    def _whole(self, field: str, value: Any, least: int, most: int = LARGEST) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.fail(field, f"{_shown(value)}; expected a whole number from {least} to {most}")
        return value

    def _word(self, field: str, value: Any, names: Sequence[str]) -> int:
        if not isinstance(value, str) or value not in names:
            self.fail(field, f"unknown name {_shown(value)}{near(str(value), names)} (expected {', '.join(names)})")
        return names.index(value)

    def _kind(self, values: Mapping[str, Any]) -> int:
        kinds = self.words.kinds
        if "kind" in values:
            return self._word("kind", values["kind"], kinds)
        if len(kinds) > 1:
            self.fail("kind", f"missing; expected {', '.join(kinds)}")
        return 0

    def _label(self, value: Any) -> int:
        if value is None:
            return UNLABELLED
        if isinstance(value, str):
            return self._word("label", value, self.words.classes)
        if value not in (0, 1):
            self.fail("label", f"{_shown(value)}; expected {', '.join(self.words.classes)}, 0 or 1")
        return int(value)

    def _nodes(self, value: Any) -> tuple[dict[str, NDArray[np.int16]], dict[str, int]]:
        entries, words = self._list("nodes", value), self.words
        if not 1 <= len(entries) <= LARGEST:
            self.fail("nodes", f"{len(entries):,} of them; expected 1 to {LARGEST:,}")
        places: dict[str, int] = {}
        rows = []
        for k, entry in enumerate(entries):
            where = f"nodes[{k}]"
            values = self._object(where, entry, NODE_FIELDS, () if len(words.node_types) == 1 else ("type",))
            if "name" in values:
                if not _is_text(values["name"]) or values["name"] in places:
                    self.fail(f"{where}.name", f"{_shown(values['name'])}; expected a text that no other node has")
                places[values["name"]] = k
            rows.append(
                (
                    self._word(f"{where}.type", values.get("type", words.node_types[0]), words.node_types),
                    self._word(f"{where}.feature", values.get("feature", words.features[0]), words.features),
                    self._word(f"{where}.mark", values.get("mark", words.marks[0]), words.marks),
                    self._whole(f"{where}.cluster", values.get("cluster", -1), -1, len(entries) - 1),
                )
            )
        columns = np.array(rows, np.int16).T
        return dict(zip(("node_types", "features", "marks", "clusters"), columns, strict=True)), places | {
            "": len(entries)
        }

    def _node(self, field: str, value: Any, places: Mapping[str, int]) -> int:
        """The number of a node that is given by its name or number."""
        most = places[""] - 1
        if isinstance(value, str):
            if value not in places or not value:
                self.fail(field, f"no node is named {_shown(value)}{near(value, [n for n in places if n])}")
            return places[value]
        return self._whole(field, value, 0, most)

    def _edges(self, value: Any, places: Mapping[str, int]) -> dict[str, NDArray]:
        ends, relations, confidence = [], [], []
        for k, entry in enumerate(self._list("edges", value)):
            where = f"edges[{k}]"
            values = self._object(where, entry, EDGE_FIELDS, ("source", "relation", "target"))
            ends.append([self._node(f"{where}.{end}", values[end], places) for end in ("source", "target")])
            relations.append(self._word(f"{where}.relation", values["relation"], self.words.relations))
            weight = values.get("confidence", 1.0)
            if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 <= weight <= 1:
                self.fail(f"{where}.confidence", f"{_shown(weight)}; expected a number from 0 to 1")
            confidence.append(weight)
        sources, targets = np.array(ends, np.int32).reshape(-1, 2).T
        found = {"sources": sources, "targets": targets}
        return found | {"relations": np.array(relations, np.int16), "confidence": np.array(confidence, np.float32)}

    def _trace(
        self, values: Mapping[str, Any], num: int, places: Mapping[str, int]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int16]]:
        """Truth after each round, with an empty first row (rounds + 1, n, C), and `since` (n, C)."""
        channels = self.words.channels
        trace = self._object("trace", values.get("trace", {}), channels, ())
        since = self._object("since", values.get("since", {}), channels, ())
        states = {name: self._list(f"trace.{name}", given) for name, given in trace.items()}
        lengths = {len(given) for given in states.values()}
        if len(lengths) > 1 or 0 in lengths or max(lengths, default=0) > LARGEST:
            self.fail("trace", f"channels with {sorted(lengths)} rounds; expected as many for each, 1 or more")
        truth = np.zeros((max(lengths, default=0) + 1, num, len(channels)), bool)
        first = np.full((num, len(channels)), NEVER, np.int16)
        for name, rounds in states.items():
            channel = channels.index(name)
            for t, nodes in enumerate(rounds):
                where = f"trace.{name}[{t}]"
                truth[t + 1, [self._node(where, node, places) for node in self._list(where, nodes)], channel] = True
            first[:, channel] = self._since(f"since.{name}", since.get(name, [0] * num), num, len(rounds))
        if absent := [name for name in since if name not in trace]:
            self.fail(f"since.{absent[0]}", "there is no trace of it")
        return truth, first

    def _since(self, field: str, value: Any, num: int, rounds: int) -> list[int]:
        given = self._list(field, value)
        if len(given) != num:
            self.fail(field, f"{len(given)} numbers; expected one for each of {num} nodes")
        return [self._whole(field, each, NEVER, rounds - 1) for each in given]


def _is_text(value: Any) -> bool:
    return (
        isinstance(value, str) and bool(value.strip()) and not any("\ud800" <= letter <= "\udfff" for letter in value)
    )


def _shown(value: Any) -> str:
    text = ascii(value) if isinstance(value, str) and not _is_text(value) else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
