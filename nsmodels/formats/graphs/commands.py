"""Command line of a dataset of labelled graphs: `nsmodels <dataset> generate | show | verify`.

A dataset has its `prepare.prepare`; its checks are the public functions `(folder) -> list[str]` of its module `checks`;
its module `look` may have `graph_text(one: Graph) -> str`, empty for a graph of a different form, and
`draw(graphs: Graphs, rows: list[int], path: Path)`.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from nsmodels.core import artifact, discover, disk
from nsmodels.core.artifact import Manifest
from nsmodels.core.cli import Parser, Presets, add_config_flags, add_making, generate_data, print_check, run_checks
from nsmodels.core.errors import InputError, near

METER = "no_shortcut"  # the check whose numbers are printed as a table
SUFFIXES = (".png", ".svg", ".pdf")


def parser(name: str, about: str | None, presets: Presets) -> Parser:
    """The parser of the dataset `name`."""
    made = Parser(prog=f"nsmodels {name}", description=about)
    verbs = made.add_subparsers(metavar="verb", required=True)
    generate = verbs.add_parser("generate", help="draw graphs, or read your own, and seal them")
    add_making(generate, "folder of the data")
    add_config_flags(generate, presets, "quick" if "quick" in presets else next(iter(presets)))
    generate.set_defaults(verb=partial(_generate, name, presets))
    show = verbs.add_parser("show", help="print pairs of graphs, and draw or write them")
    show.add_argument("--data", type=Path, required=True, help="folder of the data")
    show.add_argument("--split", default="test", help="which split [test]")
    show.add_argument("--kind", help="only queries of this kind")
    show.add_argument("--graph", metavar="ID", help="instead of the first pairs: the graph of this id and its twin")
    show.add_argument("--number", type=int, default=1, help="number of pairs, from the first on [1]")
    show.add_argument("--draw", type=Path, metavar="FILE", help="draw them (.png .svg .pdf)")
    show.add_argument("--json", type=Path, metavar="FILE", help="write them in the form that source=local reads")
    show.set_defaults(verb=partial(_show, name))
    verify = verbs.add_parser("verify", help="run every check, and the meter of shortcuts for each kind of query")
    verify.add_argument("--data", type=Path, required=True, help="folder of the data")
    verify.set_defaults(verb=partial(_verify, name))
    return made


def _generate(name: str, presets: Presets, arguments: argparse.Namespace) -> int:
    generate_data(name, presets, arguments, _counts)
    return 0


def _counts(manifest: Manifest) -> str:
    counts = ", ".join(f"{number:,} {split}" for split, number in manifest.metrics.get("num_graphs", {}).items())
    return f"graphs: {counts}; "


def _verify(name: str, arguments: argparse.Namespace) -> int:
    from nsmodels.formats.graphs import files, shortcuts

    if not files.splits(arguments.data):
        raise InputError(f"{arguments.data}: no split of graphs here; expected the folder made by {name} generate")
    checks = discover.checks(name)
    is_metered = checks.pop(METER, None)
    faults, is_readable = run_checks(checks, arguments.data)
    if is_metered and is_readable:
        readings, is_taught = shortcuts.readings(arguments.data), shortcuts.is_taught(arguments.data)
        note = "" if is_taught else "; no network learns from them: there is no split train"
        faults += print_check(METER, shortcuts.faults(readings) if is_taught else [], note)
        print(f"\n{shortcuts.table(readings)}")
    return 1 if faults else 0


def _show(name: str, arguments: argparse.Namespace) -> int:
    from nsmodels.formats.graphs import files
    from nsmodels.formats.graphs.records import to_values
    from nsmodels.formats.graphs.tables import graph

    if arguments.number < 1:
        raise InputError(f"--number {arguments.number}: expected the number of pairs, 1 or more")
    if arguments.draw and arguments.draw.suffix.lower() not in SUFFIXES:
        raise InputError(f"--draw {arguments.draw}: expected a name ending in {', '.join(SUFFIXES)}")
    artifact.require_files({"--draw": arguments.draw, "--json": arguments.json}, [arguments.data])
    look = _look(name)
    graphs = files.read_split(arguments.data, arguments.split)
    rows = _rows(graphs, arguments)
    shown = getattr(look, "graph_text", lambda one: "")
    chosen = [graph(graphs, row) for row in rows]
    print("\n\n".join(shown(one) or _text(graphs.vocabulary, one) for one in chosen))
    if arguments.json:
        disk.write_json(arguments.json, {"graphs": [to_values(graphs, row) for row in rows]})
    if arguments.draw:
        from nsmodels.formats.graphs import pictures

        getattr(look, "draw", pictures.draw)(graphs, rows, arguments.draw)
    return 0


def _look(name: str) -> ModuleType | None:
    try:
        return discover.module("datasets", name, "look")
    except InputError:
        return None


def _rows(graphs: Any, arguments: argparse.Namespace) -> list[int]:
    """Rows of the pairs that are asked for, twins beside each other."""
    import numpy as np

    ids, kinds, pairs = [str(each) for each in graphs.ids], graphs.vocabulary.kinds, graphs.pairs
    if arguments.graph is not None:
        if arguments.graph not in ids:
            raise InputError(f"--graph {arguments.graph}: not in split {arguments.split}{near(arguments.graph, ids)}")
        wanted = pairs[[ids.index(arguments.graph)]]
    else:
        if arguments.kind and arguments.kind not in kinds:
            raise InputError(f"--kind {arguments.kind}: expected {', '.join(kinds)}{near(arguments.kind, kinds)}")
        some = pairs if not arguments.kind else pairs[graphs.kinds == kinds.index(arguments.kind)]
        wanted = list(dict.fromkeys(some.tolist()))[: arguments.number]
        if not wanted:
            raise InputError(f"{arguments.data}: no graph of kind '{arguments.kind}' in split {arguments.split}")
    return [row for pair in wanted for row in np.flatnonzero(pairs == pair).tolist()]


def _text(words: Any, one: Any) -> str:
    """A graph as lines: what it is, its nodes, and its edges by the node from which they start."""
    label = words.classes[one.label] if one.label >= 0 else "unknown"
    lines = [
        f"{one.id}: {words.kinds[one.kind]}, label {label}, {words.length} {one.length}, {one.rounds} rounds, "
        f"{len(one.node_types)} nodes, {len(one.sources)} edges"
    ]
    leaving: dict[int, list[str]] = {}
    for source, target, relation in zip(
        one.sources.tolist(), one.targets.tolist(), one.relations.tolist(), strict=True
    ):
        leaving.setdefault(source, []).append(f"{words.relations[relation]} → {target}")
    for node, (kind, feature, mark) in enumerate(zip(one.node_types, one.features, one.marks, strict=True)):
        known = f" {words.features[feature]}" if len(words.features) > 1 else ""
        marked = f" [{words.marks[mark]}]" if mark else ""
        lines.append(
            f"  {node:>3} {words.node_types[kind]}{known}{marked}  {', '.join(leaving.get(node, []))}".rstrip()
        )
    return "\n".join(lines)
