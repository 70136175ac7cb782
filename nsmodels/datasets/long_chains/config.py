"""Configuration of the long chains: lengths by split, share of XOR, size of the declared clusters. Numpy-free."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from nsmodels.core.config import conditional
from nsmodels.formats.graphs.config import SYNTHETIC, GraphDataConfig

CODE_VERSION = "1"
SHORTEST, LONGEST = 6, 256


class LongChainsConfig(GraphDataConfig):
    """Chains of mechanisms with a side root each, in declared segments; the last value is asked for."""

    short_lengths: list[int] = conditional(
        [6, 12], SYNTHETIC, min_length=2, max_length=2, description="fewest and most mechanisms in the split short"
    )
    train_lengths: list[int] = conditional(
        [24, 32], SYNTHETIC, min_length=2, max_length=2, description="fewest and most in the splits train, val and test"
    )
    ood_lengths: list[int] = conditional(
        [40, 52], SYNTHETIC, min_length=2, max_length=2, description="fewest and most in the split ood"
    )
    lengths: list[int] = conditional(
        [16, 24, 32, 48, 64, 96, 128],
        SYNTHETIC,
        min_length=1,
        description="numbers of mechanisms in the split lengths, up to four times the trained",
    )
    segment: int = conditional(4, SYNTHETIC, ge=2, le=16, description="mechanisms of a declared cluster")
    xor_share: float = conditional(
        0.85, SYNTHETIC, ge=0.5, le=1, description="share of XOR among the mechanisms; the others are AND and OR"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("short_lengths", "train_lengths", "ood_lengths", "lengths"):
            values = getattr(self, name)
            if min(values) < SHORTEST or max(values) > LONGEST:
                raise ValueError(f"{name}: expected {SHORTEST} to {LONGEST} mechanisms, got {values}")
            if name != "lengths" and values[0] > values[1]:
                raise ValueError(f"{name}: expected fewest and most, got {values}")
        return self


def debug() -> LongChainsConfig:
    """A second on one CPU core: 24 to 40 pairs a split."""
    return LongChainsConfig(
        num_short=40, num_train=40, num_val=24, num_test=32, num_ood=24, num_lengths=4, lengths=[16, 32], num_workers=1
    )


def quick() -> LongChainsConfig:
    """5,000 short pairs and 4,000 of 24 to 32 mechanisms: about 4 CPU-seconds, 4 MB."""
    return LongChainsConfig(num_short=5_000, num_train=4_000)


def base() -> LongChainsConfig:
    """20,000 short pairs and 16,000 of 24 to 32 mechanisms: half a CPU-minute."""
    return LongChainsConfig(num_short=20_000, num_train=16_000, num_val=500, num_test=1_000, num_ood=1_000)


def paper() -> LongChainsConfig:
    """50,000 short pairs and 50,000 of full length, 2,000 pairs to score: not measured."""
    return base().with_values({"num_short": 50_000, "num_train": 50_000, "num_test": 2_000, "num_ood": 2_000})


PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}
