"""Causal graphs as a sealed folder: drawn in twins, queries on real Bayesian networks, or read from local files."""

from __future__ import annotations

from nsmodels.core.hardware import Estimate
from nsmodels.datasets.causal_graphs.config import CODE_VERSION, CausalGraphsConfig
from nsmodels.datasets.causal_graphs.drawing.pairs import draw
from nsmodels.datasets.causal_graphs.networks import source
from nsmodels.datasets.causal_graphs.vocabulary import VOCABULARY
from nsmodels.formats.graphs.preparing import GraphDataset, numbers_of

MAKER = "nsmodels.datasets.causal_graphs"


def numbers(config: CausalGraphsConfig) -> dict[str, int]:
    """Pairs by split; of the split lengths so many of each length."""
    return numbers_of(config, config.lengths)


def estimate(config: CausalGraphsConfig) -> Estimate:
    """What it takes to draw the graphs, measured with graphs of 14 to 28 nodes."""
    pairs = sum(numbers(config).values())
    return Estimate(
        what=f"{pairs:,} pairs of causal graphs",
        memory=6e3 * pairs,
        disk=400 * pairs,
        cpu_seconds=2e-3 * pairs,
        remedy="lower num_train and num_short",
    )


DATASET = GraphDataset(
    MAKER,
    CODE_VERSION,
    VOCABULARY,
    draw,
    "synthetic causal graphs",
    numbers,
    estimate,
    sources={"networks": source.read},
    captions={"networks": source.CAPTION},
    licences={"networks": source.LICENCE},
    extra={"networks": source.mark},
)
prepare = DATASET.prepare
