"""Configuration of the knowledge graphs: lengths of the entailing paths, and what surrounds them. Torch-free."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from nsmodels.core.config import conditional
from nsmodels.formats.graphs.config import SYNTHETIC, GraphDataConfig

CODE_VERSION = "1"
SHORTEST, LONGEST = 4, 60  # the fewest relations a word of both rule families can have with all its letters


class KnowledgeGraphsConfig(GraphDataConfig):
    """Small knowledge bases with one query each, entailed or not by a rule that is a regular language of paths."""

    source: Literal["synthetic", "local"] = Field(
        default="synthetic", description="synthetic: drawn here; local: graphs of yours, as JSON or parquet"
    )
    num_short: int = conditional(
        4_000, SYNTHETIC, ge=0, le=1_000_000, description="pairs of short graphs for the first epochs"
    )
    num_train: int = conditional(7_000, SYNTHETIC, ge=1, le=1_000_000, description="training pairs of full length")
    short_length: int = conditional(
        4, SYNTHETIC, ge=SHORTEST, le=LONGEST, description="split short: relations on an entailing path"
    )
    shortest: int = conditional(
        5, SYNTHETIC, ge=SHORTEST, le=LONGEST, description="train, val, test: fewest relations on an entailing path"
    )
    longest: int = conditional(
        7, SYNTHETIC, ge=SHORTEST, le=LONGEST, description="train, val, test: most relations on an entailing path"
    )
    ood_shortest: int = conditional(8, SYNTHETIC, ge=SHORTEST, le=LONGEST, description="split ood: fewest relations")
    ood_longest: int = conditional(10, SYNTHETIC, ge=SHORTEST, le=LONGEST, description="split ood: most relations")
    swept_lengths: list[int] = conditional(
        [4, 6, 8, 10, 14, 20, 28], SYNTHETIC, min_length=1, description="split lengths: relations, equally often"
    )
    type_share: float = conditional(
        0.5, SYNTHETIC, ge=0, le=1, description="share of pairs that ask for the consistency of types; others: a rule"
    )
    num_decoys: int = conditional(
        2, SYNTHETIC, ge=2, le=8, description="entailing paths between other entities, beside that of the query"
    )
    near_misses: int = conditional(
        1,
        SYNTHETIC,
        ge=0,
        le=4,
        description="paths with one wrong relation: so many from head to tail, from the head to "
        "elsewhere, and from elsewhere to the tail",
    )
    random_share: float = conditional(
        0.4, SYNTHETIC, ge=0, le=2, description="random edges, as a share of the edges on all paths"
    )
    missing_rate: float = conditional(
        0.0, SYNTHETIC, ge=0, le=0.5, description="share of the edges off the query's path that are left out"
    )

    @property
    def lengths_of_splits(self) -> dict[str, tuple[int, int]]:
        """Fewest and most relations on an entailing path, by split; the split `lengths` has `swept_lengths` instead."""
        full = (self.shortest, self.longest)
        return {
            "short": (self.short_length, self.short_length),
            **dict.fromkeys(("train", "val", "test"), full),
            "ood": (self.ood_shortest, self.ood_longest),
        }

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        for low, high in (("shortest", "longest"), ("ood_shortest", "ood_longest")):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"{low} {getattr(self, low)} is above {high} {getattr(self, high)}")
        if not all(SHORTEST <= length <= LONGEST for length in self.swept_lengths):
            raise ValueError(f"swept_lengths must all be between {SHORTEST} and {LONGEST}")
        return self


def debug() -> KnowledgeGraphsConfig:
    """24 short, 40 training and 24 test pairs; a second, for tests."""
    return KnowledgeGraphsConfig(
        num_short=24, num_train=40, num_val=24, num_test=24, num_ood=24, num_lengths=4, swept_lengths=[4, 8]
    )


def quick() -> KnowledgeGraphsConfig:
    """4,000 short and 7,000 training pairs with 5 to 7 relations on a path; for models trained in two minutes."""
    return KnowledgeGraphsConfig()


def base() -> KnowledgeGraphsConfig:
    """10,000 short and 40,000 training pairs, 1,000 of each test; for models trained in ten minutes."""
    return KnowledgeGraphsConfig(num_short=10_000, num_train=40_000, num_val=500, num_test=1_000, num_ood=1_000)


def paper() -> KnowledgeGraphsConfig:
    """20,000 short and 200,000 training pairs, 2,000 of each test; for one GPU."""
    return KnowledgeGraphsConfig(
        num_short=20_000, num_train=200_000, num_val=1_000, num_test=2_000, num_ood=2_000, num_lengths=300
    )


PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}
