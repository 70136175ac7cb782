"""Measures: what a score counts, in which unit, between which bounds, and which direction is better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from nsmodels.core.errors import InputError

Direction = Literal["higher", "lower"]
Bounds = tuple[float | None, float | None]
SHARE = "share"  # a number in [0, 1], printed in percent
FEWEST_SEEDS = 3  # of fewer there is no interval over seeds, and no verdict


@dataclass(frozen=True)
class Measure:
    """A metric.

    Attributes:
        name: as "accuracy", "nmse"; the same for all models that may be compared.
        unit: "share" for numbers in [0, 1] that are printed in percent; else a unit as "nats", empty for a pure number.
        bounds: least and greatest possible value; None: unbounded.
        direction: whether "higher" or "lower" is better.

    Raises InputError for bounds or a direction that are none.
    """

    name: str
    unit: str = SHARE
    bounds: Bounds = (0.0, 1.0)
    direction: Direction = "higher"

    def __post_init__(self) -> None:
        if not self.name or self.direction not in ("higher", "lower"):
            raise InputError(f"metric '{self.name}': needs a name and direction higher or lower, got {self.direction}")
        if any(end is not None and not math.isfinite(end) for end in self.bounds):
            raise InputError(f"metric '{self.name}': expected finite bounds, or None for none, got {self.bounds}")
        if not self.range > 0 or (self.unit == SHARE and self.bounds != (0, 1)):
            raise InputError(
                f"metric '{self.name}': expected bounds (least, greatest), of a share (0, 1), got {self.bounds}"
            )

    @property
    def range(self) -> float:
        """Greatest possible difference of two scores; infinite for an unbounded metric."""
        low, high = self.bounds
        return math.inf if low is None or high is None else high - low

    @property
    def sign(self) -> int:
        """1 where higher is better, -1 where lower is."""
        return 1 if self.direction == "higher" else -1

    def includes(self, value: float) -> bool:
        """Whether `value` is a number within the bounds."""
        low, high = self.bounds
        return math.isfinite(value) and (low is None or value >= low) and (high is None or value <= high)

    def clipped(self, low: float, high: float) -> tuple[float, float]:
        """An interval cut to the bounds."""
        least, greatest = self.bounds
        return (low if least is None else max(least, low), high if greatest is None else min(greatest, high))

    def text(self, value: float | None, digits: int = 1) -> str:
        """A score without its unit: a share in percent with `digits`, anything else with four significant digits."""
        if value is None:
            return "-"
        return f"{100 * value:.{digits}f}" if self.unit == SHARE else f"{value:.4g}"

    def with_unit(self, value: float) -> str:
        """A score with its unit: "93.10%", "0.431 nats"."""
        return f"{self.text(value, 2)}%" if self.unit == SHARE else f"{self.text(value)} {self.unit}".rstrip()

    def difference(self, value: float) -> str:
        """A signed difference without its unit."""
        return f"{100 * value:+.2f}" if self.unit == SHARE else f"{value:+.4g}"

    @property
    def unit_text(self) -> str:
        """The unit of `text`: "%" for shares."""
        return "%" if self.unit == SHARE else self.unit

    @property
    def title(self) -> str:
        """Name, unit and direction as the head of a column: "accuracy in %", "nmse of chance (lower is better)"."""
        of = "" if self.unit.startswith("of ") else "in "
        unit = f" {of}{self.unit_text}" if self.unit_text else ""
        return f"{self.name}{unit}" + (" (lower is better)" if self.direction == "lower" else "")
