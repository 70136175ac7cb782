"""Configuration of the causal graphs: kinds of queries, sizes, distances, mechanisms. Torch-free."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from nsmodels.core.config import above, conditional
from nsmodels.formats.graphs.config import SYNTHETIC, GraphDataConfig

CODE_VERSION = "1"
NETWORKS = {"source": "networks"}
MOST_NODES = 200  # of a drawn graph
Kind = Literal["interventional", "counterfactual", "backdoor"]
_RANGES = {"nodes": 4, "short_nodes": 4, "varied_nodes": 4, "ood_nodes": 4}
_RANGES |= dict.fromkeys(("distances", "short_distances", "varied_distances", "ood_distances"), 1)


def _range(least: int, most: int, text: str, **applies: object) -> list[int]:
    about = f"{text}: smallest and largest"
    return conditional([least, most], SYNTHETIC | applies, min_length=2, max_length=2, description=about)


def _weight(value: float, kind: str) -> float:
    return conditional(value, SYNTHETIC, ge=0, description=f"relative number of {kind} queries in short and train")


class CausalGraphsConfig(GraphDataConfig):
    """Causal queries on acyclic graphs, in twins: drawn here, on real Bayesian networks, or from local files."""

    common = (
        "source",
        "local_path",
        "num_train",
        "num_val",
        "num_test",
        "num_ood",
        "seed",
        "num_workers",
        "nodes",
        "distances",
        "xor_share",
        "hidden_share",
    )

    source: Literal["synthetic", "networks", "local"] = Field(
        default="synthetic",
        description="synthetic: drawn here; networks: back-door queries on real Bayesian networks; local: graphs of "
        "yours, as JSON or parquet",
    )
    local_path: str = conditional(
        "",
        {"source": ("local", "networks")},
        description="source=local: a folder of graphs, or one file; source=networks: .bif or .bif.gz files, a folder "
        "of them, or the wheel of pgmpy, which pip fetches where this is empty",
    )
    num_short: int = conditional(
        10_000, SYNTHETIC, ge=0, le=1_000_000, description="pairs of short graphs for the first epochs"
    )
    num_train: int = conditional(9_000, SYNTHETIC, ge=1, le=1_000_000, description="training pairs of full length")
    num_lengths: int = conditional(60, SYNTHETIC, ge=0, le=10_000, description="test pairs of each of lengths")
    nodes: list[int] = _range(14, 20, "nodes of a graph in train, val and test")
    distances: list[int] = _range(3, 5, "directed distance from treatment to outcome in train, val and test")
    short_nodes: list[int] = _range(8, 11, "nodes in short", num_short=above(0))
    short_distances: list[int] = _range(2, 3, "distance in short", num_short=above(0))
    varied_nodes: list[int] = _range(8, 30, "back-door: nodes in short", num_short=above(0))
    varied_distances: list[int] = _range(1, 5, "back-door: distance in short", num_short=above(0))
    varied_parents: int = conditional(
        6,
        SYNTHETIC | {"num_short": above(0)},
        ge=1,
        le=20,
        description="back-door: largest number of parents in short; shares, window and hubs are drawn for each graph",
    )
    ood_nodes: list[int] = _range(22, 28, "nodes in ood")
    ood_distances: list[int] = _range(5, 7, "distance in ood")
    lengths: list[int] = conditional(
        [3, 5, 8, 12, 16, 20],
        SYNTHETIC | {"num_lengths": above(0)},
        min_length=1,
        description="distances of the split lengths, num_lengths pairs of each; graphs grow with them",
    )
    interventional_weight: float = _weight(1.0, "interventional")
    counterfactual_weight: float = _weight(2.0, "counterfactual")
    backdoor_weight: float = _weight(1.0, "back-door")
    wl1_kinds: list[Kind] = conditional(
        ["interventional", "counterfactual", "backdoor"],
        SYNTHETIC,
        description="kinds whose twins have equal histograms after one round of Weisfeiler-Leman refinement; the twins "
        "of the others have equal degrees",
    )
    short_wl1_kinds: list[Kind] = conditional(
        [], SYNTHETIC | {"num_short": above(0)}, description="the same for the split short"
    )
    root_share: float = conditional(
        0.2, SYNTHETIC, ge=0, le=0.8, description="share of nodes without parents, beside the first two"
    )
    collider_share: float = conditional(
        0.67, SYNTHETIC, ge=0, le=1, description="share of the other nodes with two parents or more, each a collider"
    )
    max_parents: int = conditional(3, SYNTHETIC, ge=1, le=8, description="largest number of parents")
    window: int = conditional(
        4, SYNTHETIC, ge=1, le=20, description="parents are among so many nodes before; fewer make longer paths"
    )
    xor_share: float = conditional(
        0.33, SYNTHETIC, ge=0, le=1, description="share of XOR among the mechanisms; the others are AND and OR"
    )
    lengths_xor_share: float = conditional(
        0.67,
        SYNTHETIC | {"num_lengths": above(0)},
        ge=0,
        le=1,
        description="the same in the split lengths: hardly any change gets through twenty ANDs and ORs",
    )
    hidden_share: float = conditional(
        0.3, SYNTHETIC, ge=0, le=1, description="back-door: share of common causes that are hidden, never adjusted"
    )
    max_adjusted: int = conditional(
        5,
        SYNTHETIC,
        ge=1,
        le=20,
        description="back-door: largest size of the adjusted set, at most a quarter of the nodes",
    )
    parent_share: float = conditional(
        0.5,
        SYNTHETIC,
        ge=0,
        le=1,
        description="back-door: probability that a parent of the treatment is adjusted",
    )
    least_rounds: int = conditional(
        5,
        SYNTHETIC,
        ge=1,
        le=20,
        description="back-door, except in short: least edges of the path that makes a set invalid; shorter ones are "
        "seen in small neighbourhoods",
    )
    pairs_per_network: int = conditional(40, NETWORKS, ge=1, le=10_000, description="most pairs of one network")
    max_variables: int = conditional(250, NETWORKS, ge=2, le=5_000, description="larger networks are left out")

    @property
    def weights(self) -> tuple[float, float, float]:
        """Relative number of each kind in short and train, in the order of the vocabulary."""
        return self.interventional_weight, self.counterfactual_weight, self.backdoor_weight

    def dials(self, split: str) -> tuple[float, ...]:
        """What the compiled code draws graphs of a split by, in its order."""
        xor_share = self.lengths_xor_share if split == "lengths" else self.xor_share
        shares = (self.root_share, self.collider_share, xor_share, self.hidden_share, self.parent_share)
        least_rounds = 1 if split == "short" else self.least_rounds
        varied_parents = self.varied_parents if split == "short" else 0
        return *shares, self.max_parents, self.window, self.max_adjusted, least_rounds, varied_parents

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        for name, least in _RANGES.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= MOST_NODES:
                raise ValueError(
                    f"{name} {[low, high]}: expected two numbers from {least} to {MOST_NODES}, smallest first"
                )
        if not all(1 <= length <= MOST_NODES // 5 for length in self.lengths):
            raise ValueError(f"lengths must all be between 1 and {MOST_NODES // 5}")
        if not any(self.weights):
            raise ValueError("all weights of kinds are 0; raise interventional_weight, or one of the others")
        for name in ("wl1_kinds", "short_wl1_kinds"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name} {getattr(self, name)}: name each kind once")
        return self


def debug() -> CausalGraphsConfig:
    """24 pairs of each split, small graphs; a second, for tests."""
    numbers = {f"num_{split}": 24 for split in ("short", "train", "val", "test", "ood")}
    sizes = {"nodes": [11, 14], "distances": [2, 3], "short_nodes": [8, 10], "short_distances": [2, 2]}
    sizes |= {"varied_nodes": [8, 12], "varied_distances": [1, 3]}
    longer = {"ood_nodes": [15, 18], "ood_distances": [3, 4], "num_lengths": 12, "lengths": [2, 4], "least_rounds": 3}
    return CausalGraphsConfig.model_validate(numbers | sizes | longer)


def quick() -> CausalGraphsConfig:
    """20,000 short and 18,000 full graphs, half of them counterfactual; for models trained in minutes."""
    return CausalGraphsConfig()


def base() -> CausalGraphsConfig:
    """Three times as many graphs as quick, three fifths of them counterfactual; for models trained in ten minutes."""
    return CausalGraphsConfig(num_short=24_000, num_train=36_000, num_test=1_000, counterfactual_weight=3.0)


def paper() -> CausalGraphsConfig:
    """480,000 training graphs of the sizes of base, 2,000 test pairs."""
    sizes = {"num_short": 80_000, "num_train": 160_000, "num_test": 2_000, "num_ood": 2_000}
    return CausalGraphsConfig.model_validate({"counterfactual_weight": 3.0, **sizes})


def networks() -> CausalGraphsConfig:
    """Back-door queries on the real Bayesian networks in the wheel of pgmpy, test pairs only."""
    return CausalGraphsConfig(source="networks")


PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper, "networks": networks}
