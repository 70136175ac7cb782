"""Configuration of the planning graphs: lengths of plans, gaps, domains, encoding. Torch-free."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from nsmodels.core.config import above, conditional
from nsmodels.formats.graphs.config import SYNTHETIC, GraphDataConfig

CODE_VERSION = "2"
PROBLEMS = {"source": "problems"}
DOMAINS = ("blocks", "gripper", "logistics", "ferry")
DomainName = Literal["blocks", "gripper", "logistics", "ferry"]
SHORTEST, LONGEST = 5, 250


class PlanningGraphsConfig(GraphDataConfig):
    """Plans in twins of the same steps in another order: drawn here, found for PDDL problems, or from local files."""

    common = (
        "source",
        "local_path",
        "num_train",
        "num_val",
        "num_test",
        "num_ood",
        "seed",
        "num_workers",
        "encoding",
        "shortest",
        "longest",
        "domains",
        "num_agents",
    )

    source: Literal["synthetic", "problems", "local"] = Field(
        default="synthetic",
        description="synthetic: drawn here; problems: plans found for PDDL problems; local: graphs of yours, as JSON "
        "or parquet",
    )
    local_path: str = conditional(
        "",
        {"source": ("local", "problems")},
        description="source=local: a folder of graphs, or one file; source=problems: a folder with NAME.pddl domains "
        "and their problems in folders NAME, or the wheel of pddlgym, which pip fetches where this is empty",
    )
    num_short: int = conditional(
        5_000, SYNTHETIC, ge=0, le=1_000_000, description="pairs of short plans for the first epochs"
    )
    num_train: int = conditional(2_500, SYNTHETIC, ge=1, le=1_000_000, description="training pairs of full length")
    num_lengths: int = conditional(50, SYNTHETIC, ge=0, le=10_000, description="test pairs of each of swept_lengths")
    encoding: Literal["ground", "lifted"] = conditional(
        "ground",
        SYNTHETIC,
        description="ground: steps need, add and delete atoms; lifted: steps and atoms have objects as arguments, and "
        "what a step does is only in its type (much harder)",
    )
    shortest: int = conditional(20, SYNTHETIC, ge=SHORTEST, le=LONGEST, description="train, val, test: fewest steps")
    longest: int = conditional(28, SYNTHETIC, ge=SHORTEST, le=LONGEST, description="train, val, test: most steps")
    short_shortest: int = conditional(7, SYNTHETIC, ge=SHORTEST, le=LONGEST, description="split short: fewest steps")
    short_longest: int = conditional(10, SYNTHETIC, ge=SHORTEST, le=LONGEST, description="split short: most steps")
    ood_lengths: list[int] = conditional(
        [*range(32, 41), *range(48, 61)], SYNTHETIC, min_length=1, description="split ood: steps, equally often"
    )
    swept_lengths: list[int] = conditional(
        [8, 12, 16, 24, 32, 48, 64, 80, 112],
        SYNTHETIC | {"num_lengths": above(0)},
        min_length=1,
        description="split lengths: steps, num_lengths pairs of each",
    )
    domains: list[DomainName] = conditional(
        ["blocks", "gripper", "logistics"], SYNTHETIC, min_length=1, description="domains of all splits but ood"
    )
    ood_domains: list[DomainName] = conditional(
        ["blocks", "gripper", "logistics", "ferry"], SYNTHETIC, min_length=1, description="domains of split ood"
    )
    num_agents: int = conditional(3, SYNTHETIC, ge=1, le=8, description="instances whose steps are interleaved")
    shortest_gap: int = conditional(
        2, SYNTHETIC, ge=1, le=100, description="fewest positions between the two steps that are swapped"
    )
    longest_gap: int = conditional(12, SYNTHETIC, ge=1, le=200, description="most positions between them")
    num_goals: int = conditional(4, SYNTHETIC, ge=1, le=20, description="atoms of the goal, at most")
    num_distractors: int = conditional(0, SYNTHETIC, ge=0, le=50, description="atoms that no step touches")
    problems_per_domain: int = conditional(
        10, PROBLEMS, ge=1, le=1_000, description="most problems of a domain, the first by name"
    )
    pairs_per_problem: int = conditional(
        4,
        PROBLEMS,
        ge=1,
        le=1_000,
        description="pairs drawn from one plan, or from those that are interleaved, at most",
    )
    problems_together: int = conditional(
        3,
        PROBLEMS,
        ge=1,
        le=8,
        description="plans of so many problems of a domain are interleaved; one alone often has a single order",
    )
    max_states: int = conditional(
        400, PROBLEMS, ge=1, le=1_000_000, description="states that the search for a plan expands before it gives up"
    )

    def lengths_of(self, split: str) -> list[int]:
        """Possible numbers of steps in a split."""
        ranges = {"short": (self.short_shortest, self.short_longest)}
        low, high = ranges.get(split, (self.shortest, self.longest))
        listed = {"ood": self.ood_lengths, "lengths": self.swept_lengths}
        return listed.get(split, list(range(low, high + 1)))

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        for low, high in (
            ("shortest", "longest"),
            ("short_shortest", "short_longest"),
            ("shortest_gap", "longest_gap"),
        ):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"{low} {getattr(self, low)} is above {high} {getattr(self, high)}")
        for name in ("ood_lengths", "swept_lengths"):
            if not all(SHORTEST <= length <= LONGEST for length in getattr(self, name)):
                raise ValueError(f"{name} must all be between {SHORTEST} and {LONGEST}")
        fewest = min(min(self.lengths_of(split)) for split in ("short", "train", "ood", "lengths"))
        if self.shortest_gap > fewest - 3:
            raise ValueError(f"shortest_gap {self.shortest_gap}: plans of {fewest} steps have room for {fewest - 3}")
        return self


def debug() -> PlanningGraphsConfig:
    """24 pairs of each split, plans of 7 to 14 steps; a second, for tests."""
    numbers = {f"num_{split}": 24 for split in ("short", "train", "val", "test", "ood")}
    sizes = {"shortest": 10, "longest": 11, "short_shortest": 7, "short_longest": 8, "num_lengths": 4}
    return PlanningGraphsConfig.model_validate(numbers | sizes | {"ood_lengths": [13, 14], "swept_lengths": [8, 14]})


def quick() -> PlanningGraphsConfig:
    """5,000 short and 2,500 full training pairs; for models trained in two minutes."""
    return PlanningGraphsConfig()


def base() -> PlanningGraphsConfig:
    """10,000 short and 15,000 full training pairs, 1,000 of each test; for models trained in ten minutes."""
    return PlanningGraphsConfig(num_short=10_000, num_train=15_000, num_test=1_000, num_ood=1_000)


def paper() -> PlanningGraphsConfig:
    """20,000 short and 100,000 full training pairs, 2,000 of each test; for one GPU."""
    return PlanningGraphsConfig(num_short=20_000, num_train=100_000, num_test=2_000, num_ood=2_000, num_lengths=200)


def problems() -> PlanningGraphsConfig:
    """Plans found for the PDDL problems in the wheel of pddlgym, three interleaved, test pairs only."""
    return PlanningGraphsConfig(source="problems")


PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper, "problems": problems}
