"""What the preset `quick` takes of time and disk, where nothing sealed tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from nsmodels.core.sealed.manifest import manifest_of

QUICK = "quick"


class Cost(NamedTuple):
    """Of an artifact, or of several.

    Attributes:
        cpu_seconds: of training and evaluation.
        num_bytes: on disk; None: not known.
    """

    cpu_seconds: float
    num_bytes: int | None = None


# Of one seed, training and evaluation, on two cores in float32, the most of two machines, and of whole studies; LOG.md
# has them. What is not here was not measured.
QUICK_COSTS = {
    "clevr_mini": Cost(1882, 66_000_000),
    "gqa_mini": Cost(1017, 116_000_000),
    "vqa_mini": Cost(502, 122_000_000),
    "causal": Cost(318, 7_000_000),
    "planning": Cost(180, 7_000_000),
    "knowledge": Cost(240, 7_000_000),
    "long_chains": Cost(360, 12_000_000),
    "nav": Cost(65),
    "world": Cost(1080, 501_000_000),
    "clevr_mini_baselines": Cost(329),
    "gqa_mini_baselines": Cost(338),
    "vqa_mini_baselines": Cost(328),
    "visual_baselines": Cost(2),
    "visual_ablations": Cost(2777, 1_497_000_000),
    "graph_ablations": Cost(4500),
    "nav_ablations": Cost(186),
    "world_ablations": Cost(11327, 6_900_000_000),
}
DATA_BYTES = {  # of the data of `quick`, beside which others are small
    "clevr_mini": 155_000_000,
    "gqa_mini": 841_000_000,
    "vqa_mini": 260_000_000,
    "impacts": 1_584_000_000,
}


def of_data(keys: Iterable[str], preset: str) -> int | None:
    """Bytes of data on disk, as far as they are known."""
    return total(DATA_BYTES.get(key) for key in keys) if preset == QUICK else None


def expected(name: str, preset: str) -> Cost | None:
    """Of one seed of a training, or of a study; None: not known."""
    return QUICK_COSTS.get(name) if preset == QUICK else None


def of_seed(made: Mapping[str, Path], training: str, preset: str) -> Cost | None:
    """Of one seed: the most of those whose evaluations are sealed, by seed, else what is expected."""
    found = [(manifest_of(path.with_name("model")), manifest_of(path)) for path in made.values()]
    known = [(model, scored) for model, scored in found if model and scored]
    if not known:
        return expected(training, preset)
    seconds, sizes = zip(*((a.cpu_seconds + b.cpu_seconds, a.num_bytes + b.num_bytes) for a, b in known), strict=True)
    return Cost(max(seconds), max(sizes))


def total(sizes: Iterable[int | None]) -> int | None:
    """Bytes of those that are known; None where none is."""
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None
