"""Pictures of labelled graphs: the same positions for the same graph, twins beside each other, what differs in orange.

Shapes: n nodes, e edges of one graph.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.evaluation import plots
from nsmodels.formats.graphs.tables import Graph, Graphs, graph
from nsmodels.formats.graphs.vocabulary import Vocabulary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SWEEPS = 4  # over the columns of a layered picture, to untangle edges
COVERED = 0.25  # share of the nodes on a path from which on the picture is layered along it
MARKERS = ("o", "s", "^", "D", "v", "p", "h", "8", "<", ">", "d", "P")
GREY, SIGNAL = "0.6", plots.COLOURS[1]


def positions(one: Graph) -> NDArray[np.float64]:
    """Places of the nodes, float64 (n, 2) in [0, 1]: along the longest path where there is one, else by distance."""
    depth = _depth(one)
    if depth is None:
        return _scaled(_by_distance(one))
    number = len(one.node_types)
    x, y = depth.astype(np.float64), np.zeros(number)
    columns = [np.flatnonzero(np.round(x) == value) for value in np.unique(np.round(x))]
    ends = np.concatenate([one.sources, one.targets]), np.concatenate([one.targets, one.sources])
    is_start = ~np.isin(np.arange(number), one.targets)  # at one side of the others
    for column in columns:
        y[column[np.argsort(is_start[column], kind="stable")]] = _spread(len(column))
    for _ in range(SWEEPS):
        for column in columns:
            near = (_means(y, ends, number) + 0.5 * is_start)[column]
            y[column[np.argsort(near, kind="stable")]] = _spread(len(column))
    # Nodes of a column are shifted a little so that edges within it are seen.
    return _scaled(np.stack([x + 0.25 * np.sin(7 * y), y], axis=1))


def draw(graphs: Graphs, rows: Sequence[int], path: Path) -> None:
    """Draw graphs of a table, two in a line, into a .png, .svg or .pdf file."""
    figure = figure_of(graphs, rows)
    figure.savefig(path, dpi=110)


def contact_sheet(graphs: Graphs, num_pairs: int = 3) -> bytes:
    """The first pairs of each kind of query as a PNG, at most `num_pairs` in all."""
    order: list[int] = []
    for place in range(num_pairs):
        for kind in range(len(graphs.vocabulary.kinds)):
            pairs = list(dict.fromkeys(graphs.pairs[graphs.kinds == kind].tolist()))
            order += [pairs[place]] if place < len(pairs) else []
    rows = [row for pair in order[:num_pairs] for row in np.flatnonzero(graphs.pairs == pair).tolist()]
    stream = io.BytesIO()
    figure_of(graphs, rows).savefig(stream, format="png", dpi=80)
    return stream.getvalue()


def figure_of(graphs: Graphs, rows: Sequence[int]) -> Figure:
    """Graphs of a table, two in a line; orange: an edge that the twin lacks, where both have the same nodes."""
    from matplotlib.figure import Figure

    lines = -(-len(rows) // 2)
    figure = Figure(figsize=(11, 3.6 * lines + 0.5), layout="constrained")
    axes = [figure.add_subplot(lines, 2, number + 1) for number in range(len(rows))]
    ones = [graph(graphs, row) for row in rows]
    for number, (axis, one) in enumerate(zip(axes, ones, strict=True)):
        beside = number ^ 1
        twin = ones[beside] if beside < len(ones) and _is_same_but_edges(one, ones[beside]) else None
        # Where twins have the same nodes in the same order, the places of the first one show what differs.
        anchor = ones[number - number % 2] if twin is not None else one
        paint(axis, graphs.vocabulary, one, positions(anchor), colours=_colours(one, twin))
        axis.set_title(caption(graphs.vocabulary, one), fontsize=7)
    legend(figure, graphs.vocabulary, ones)
    plots.keep_dollars(figure)
    return figure


def caption(words: Vocabulary, one: Graph) -> str:
    """What a graph asks, and its label."""
    label = words.classes[one.label] if one.label >= 0 else "unknown"
    return f"{one.id}: {words.kinds[one.kind]}, label {label}, {words.length} {one.length}"


def paint(
    axis: Axes,
    words: Vocabulary,
    one: Graph,
    places: NDArray[np.float64],
    colours: Sequence[str] | None = None,
    widths: NDArray | None = None,
    fills: Sequence[Any] | None = None,
    rings: Sequence[Any] | None = None,
    size: float = 70,
    has_names: bool = True,
) -> None:
    """Draw a graph onto an axis: a node's form is its type, an edge's colour and width those given.

    Args:
        axis: to draw on.
        words: names of the ids.
        one: the graph.
        places: of its nodes, (n, 2).
        colours: of the edges, (e,); default grey.
        widths: of the edges, (e,); default 0.8.
        fills: colours of the nodes, (n,); default by what is known of them.
        rings: colours around the nodes, (n,); default black, and orange around marked nodes.
        size: of a node in square points.
        has_names: whether marked nodes have the name of their mark beside them, and edges are arrows.
    """
    if has_names:
        _arrows(axis, one, places, colours, widths, size)
    else:
        _lines(axis, one, places, colours, widths)
    shades = fills if fills is not None else _fills(words, one)
    around = rings if rings is not None else [SIGNAL if mark else "black" for mark in one.marks]
    _nodes(axis, one, places, shades, around, size)
    for node in np.flatnonzero(one.marks) if has_names else ():
        name = words.marks[one.marks[node]]
        axis.annotate(name, places[node], (3, 6), textcoords="offset points", fontsize=6.5, zorder=3)
    axis.set(xlim=(-0.06, 1.06), ylim=(-0.08, 1.08))
    axis.axis("off")


def _nodes(
    axis: Axes, one: Graph, places: NDArray[np.float64], fills: Sequence[Any], rings: Sequence[Any], size: float
) -> None:
    for node, (x, y) in enumerate(places):
        marker = MARKERS[int(one.node_types[node]) % len(MARKERS)]
        thick = 1.8 if rings[node] != "black" else 0.5
        axis.scatter(
            x, y, s=size, marker=marker, color=[fills[node]], edgecolors=rings[node], linewidths=thick, zorder=2
        )


def _arrows(
    axis: Axes, one: Graph, places: NDArray, colours: Sequence[str] | None, widths: NDArray | None, size: float
) -> None:
    for number, (source, target) in enumerate(zip(one.sources.tolist(), one.targets.tolist(), strict=True)):
        arrow = {
            "arrowstyle": "-|>",
            "color": colours[number] if colours is not None else GREY,
            "linewidth": float(widths[number]) if widths is not None else 0.8,
            "shrinkA": size**0.5 / 2,
            "shrinkB": size**0.5 / 2,
            "mutation_scale": 7,
            "connectionstyle": f"arc3,rad={0.06 * (1 + one.relations[number] % 3):.2f}",
        }
        axis.annotate("", tuple(places[target]), tuple(places[source]), arrowprops=arrow, zorder=1)


def _lines(axis: Axes, one: Graph, places: NDArray, colours: Sequence[str] | None, widths: NDArray | None) -> None:
    """Edges as straight lines, which are drawn a hundred times as fast as arrows."""
    from matplotlib.collections import LineCollection

    ends = np.stack([places[one.sources], places[one.targets]], axis=1)
    thick: Any = 0.8 if widths is None else widths
    axis.add_collection(LineCollection(list(ends), colors=colours or GREY, linewidths=thick, zorder=1))


def legend(figure: Figure, words: Vocabulary, ones: Sequence[Graph]) -> None:
    """Below the figure: the form of each type of node, the colour of what is known of it."""
    from matplotlib.lines import Line2D

    types = sorted({int(each) for one in ones for each in one.node_types})
    known = sorted({int(each) for one in ones for each in one.features}) if len(words.features) > 1 else []
    plain = {"linestyle": "", "markeredgecolor": "black", "markersize": 6}
    handles = [
        Line2D([], [], marker=MARKERS[k % len(MARKERS)], color="white", label=words.node_types[k], **plain)
        for k in types
    ]
    handles += [Line2D([], [], marker="o", color=_shade(words, k), label=words.features[k], **plain) for k in known]
    figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize=7, frameon=False)


def _is_same_but_edges(one: Graph, other: Graph) -> bool:
    """Whether two graphs are twins with the same nodes in the same order, most of whose edges are the same."""
    columns = ("node_types", "features", "marks")
    if one.pair != other.pair or any(not np.array_equal(getattr(one, c), getattr(other, c)) for c in columns):
        return False
    return sum((Counter(_edges(one)) - Counter(_edges(other))).values()) < len(one.sources) / 2


def _colours(one: Graph, twin: Graph | None) -> list[str]:
    if twin is None:
        return [GREY] * len(one.sources)
    there = Counter(_edges(twin))
    found = []
    for edge in _edges(one):
        found.append(GREY if there[edge] > 0 else SIGNAL)
        there[edge] -= 1
    return found


def _edges(one: Graph) -> list[tuple[int, int, int]]:
    return list(zip(one.sources.tolist(), one.targets.tolist(), one.relations.tolist(), strict=True))


def _fills(words: Vocabulary, one: Graph) -> list[Any]:
    return [_shade(words, int(feature)) for feature in one.features]


def _shade(words: Vocabulary, feature: int) -> Any:
    if len(words.features) < 2:
        return "0.85"
    return ("white", *plots.COLOURS[:1], plots.COLOURS[2], *plots.COLOURS[3:])[feature % 7]


def _spread(number: int) -> NDArray[np.float64]:
    return (np.arange(number) + 0.5) / number


def _means(values: NDArray, ends: tuple[NDArray, NDArray], number: int) -> NDArray[np.float64]:
    """Mean value of each node's neighbours; its own without any."""
    total, count = np.zeros(number), np.zeros(number)
    np.add.at(total, ends[0], values[ends[1]])
    np.add.at(count, ends[0], 1)
    return np.where(count > 0, total / np.maximum(count, 1), values)


def _depth(one: Graph) -> NDArray[np.float64] | None:
    """Column of each node along the longest path of all edges, or of one relation; None where neither is long."""
    number = len(one.node_types)
    found = _layers(number, one.sources, one.targets)
    if found is not None:
        # What nothing leads to stands beside the first node that it leads to, not at the far end.
        first = np.full(number, np.inf)
        np.minimum.at(first, one.sources, found[one.targets] - 1)
        found = np.where((found == 0) & np.isfinite(first), first, found)
        return found if found.max(initial=0) > 1 else None
    best, on_path = None, np.zeros(number, bool)
    for relation in np.unique(one.relations):
        part = one.relations == relation
        layers = _layers(number, one.sources[part], one.targets[part])
        if layers is not None and (best is None or layers.max() > best.max()):
            best = layers
            on_path = np.isin(np.arange(number), np.concatenate([one.sources[part], one.targets[part]]))
    if best is None or best.max() < COVERED * number:
        return None
    ends = np.concatenate([one.sources, one.targets]), np.concatenate([one.targets, one.sources])
    near = on_path[ends[1]]
    return np.where(on_path, best, _means(best, (ends[0][near], ends[1][near]), number))


def _layers(number: int, sources: NDArray, targets: NDArray) -> NDArray[np.float64] | None:
    """Length of the longest path to each node, (n,); None with a cycle."""
    depth = np.zeros(number)
    for _ in range(number):
        before = depth.copy()
        np.maximum.at(depth, targets, before[sources] + 1)
        if (depth == before).all():
            return depth
    return None


def _by_distance(one: Graph) -> NDArray[np.float64]:
    """Kamada and Kawai's layout, which draws nodes as far apart as they are along edges."""
    import networkx as nx

    drawn = nx.Graph()
    drawn.add_nodes_from(range(len(one.node_types)))
    drawn.add_edges_from(zip(one.sources.tolist(), one.targets.tolist(), strict=True))
    found = nx.kamada_kawai_layout(drawn, pos=nx.circular_layout(drawn))
    return np.array([found[node] for node in range(len(one.node_types))])


def _scaled(places: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = places.min(0), places.max(0)
    return np.where(high > low, (places - low) / np.where(high > low, high - low, 1), 0.5)
