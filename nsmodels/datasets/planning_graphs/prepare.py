"""Planning graphs as a sealed folder: drawn in twins, plans of PDDL problems, or read from local files."""

from __future__ import annotations

from nsmodels.core.hardware import Estimate
from nsmodels.datasets.planning_graphs import problems
from nsmodels.datasets.planning_graphs.config import CODE_VERSION, PlanningGraphsConfig
from nsmodels.datasets.planning_graphs.drawing.pairs import draw
from nsmodels.datasets.planning_graphs.vocabulary import VOCABULARY
from nsmodels.formats.graphs.preparing import GraphDataset, numbers_of

MAKER = "nsmodels.datasets.planning_graphs"


def numbers(config: PlanningGraphsConfig) -> dict[str, int]:
    """Pairs by split; of the split lengths so many of each length."""
    return numbers_of(config, config.swept_lengths)


def estimate(config: PlanningGraphsConfig) -> Estimate:
    """What it takes to draw the graphs, measured with the presets."""
    pairs = sum(numbers(config).values())
    return Estimate(
        what=f"{pairs:,} pairs of planning graphs",
        memory=12e3 * pairs,
        disk=1_500 * pairs,
        cpu_seconds=2e-4 * pairs if config.encoding == "ground" else 2e-2 * pairs,
        remedy="lower num_train and num_short",
    )


DATASET = GraphDataset(
    MAKER,
    CODE_VERSION,
    VOCABULARY,
    draw,
    "synthetic planning graphs",
    numbers,
    estimate,
    sources={"problems": problems.read},
    captions={"problems": problems.CAPTION},
    licences={"problems": problems.LICENCE},
    extra={"problems": problems.mark},
)
prepare = DATASET.prepare
