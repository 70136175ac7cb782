"""Quick check of a checkpoint, in seconds: its networks on the first validation pairs, and one answer explained."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nsmodels.evaluation.metrics import wilson_interval
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.checks import twin_rows
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.config import METRICS, REASONER
from nsmodels.systems.graph.explanation import drawing
from nsmodels.systems.graph.explanation.explain import Explanation, explain
from nsmodels.systems.graph.reasoner import Reasoner

SPLIT = "val"
NUM_PAIRS = 200
CHANCE = 0.25  # both twins right by guessing


@dataclass(frozen=True)
class Glance:
    """Networks of a checkpoint on the first validation pairs.

    Attributes:
        paired: share of pairs with both twins right, by network, and `chance`.
        accuracy: share of graphs right, by network.
        num_pairs: scored.
        example: the answer of the reasoner for a graph of the first pair.
        picture: the example as a PNG.
    """

    paired: dict[str, float]
    accuracy: dict[str, float]
    num_pairs: int
    example: Explanation
    picture: bytes

    def text(self) -> str:
        """The networks as a table with 95 % intervals."""
        lines = [f"{f'first {self.num_pairs} {SPLIT} pairs':<24}{'both twins right, %':<24}accuracy, %"]
        for name, share in self.paired.items():
            low, high = wilson_interval(round(share * self.num_pairs), self.num_pairs)
            ends = f" [{100 * low:.1f}, {100 * high:.1f}]" if name in self.accuracy else ""
            accuracy = 100 * self.accuracy.get(name, 0.5)
            lines.append(f"{name:<24}{f'{100 * share:.1f}{ends}':<24}{accuracy:.1f}")
        return "\n".join(lines)


def glance(checkpoint: Path, data: Path, num_pairs: int = NUM_PAIRS, device: str = "auto") -> Glance:
    """Load the networks and score them on the first validation pairs; raise `InputError` when either is broken."""
    graphs = _first(files.read_split(data, SPLIT), num_pairs)
    there = [phase for phase in METRICS if (checkpoint / phase / "best.pt").is_file()]
    networks = {phase: Reasoner.load(checkpoint, device, phase) for phase in there}
    rows, paired, accuracy = twin_rows(graphs.pairs), {}, {}
    for phase, network in networks.items():
        is_right = (network.predict(graphs).probability > 0.5) == (graphs.labels > 0)
        paired[phase], accuracy[phase] = float(is_right[rows].all(1).mean()), float(is_right.mean())
    example = explain(networks[REASONER], graphs, int(rows[0, 0]))
    stream = io.BytesIO()
    drawing.figure_of(example).savefig(stream, format="png", dpi=80)
    return Glance({**paired, "chance": CHANCE}, accuracy, len(rows), example, stream.getvalue())


def _first(graphs: Graphs, num_pairs: int) -> Graphs:
    rows = twin_rows(graphs.pairs)[:num_pairs]
    return graphs.take(np.sort(rows.ravel()))
