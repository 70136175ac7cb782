"""The moves on a grid, in the order of every array and table of this project.

There is no action that stays in place: the goal ends an episode.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

# (rows, columns) by which an action moves; row 0 is the top. A 4-connected map has the first four only.
OFFSETS: tuple[tuple[int, int], ...] = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1))
NAMES = ("up", "right", "down", "left", "up-right", "down-right", "down-left", "up-left")
ARROWS = "↑→↓←↗↘↙↖"
# A move costs its length times the cost of the cell that it enters; of diagonal moves see `DiagonalRule`.
LENGTHS = (1.0, 1.0, 1.0, 1.0, math.sqrt(2.0), math.sqrt(2.0), math.sqrt(2.0), math.sqrt(2.0))


@dataclass(frozen=True)
class DiagonalRule:
    """Rule of the diagonal moves of an 8-connected map.

    Attributes:
        cost: length of a diagonal move: sqrt2, as on the MovingAI benchmark, or unit, as long as a straight one.
        corners: strict: both cells that a diagonal passes between must be free; cut: they may be walls.
    """

    cost: Literal["sqrt2", "unit"] = "sqrt2"
    corners: Literal["strict", "cut"] = "strict"

    @property
    def is_unit(self) -> bool:
        """Whether a diagonal move is as long as a straight one."""
        return self.cost == "unit"

    @property
    def is_cut(self) -> bool:
        """Whether a diagonal move may pass beside a wall."""
        return self.corners == "cut"

    @property
    def lengths(self) -> tuple[float, ...]:
        """Length of each of the eight moves."""
        return (1.0,) * 8 if self.is_unit else LENGTHS

    def __str__(self) -> str:
        """The rule in words."""
        return (
            f"diagonals of cost {'1' if self.is_unit else '√2'} that {'may' if self.is_cut else 'do not'} cut corners"
        )


OCTILE = DiagonalRule()


def rule_of(connectivity: int, diagonals: DiagonalRule) -> str:
    """Legal moves in words."""
    return "4-connected" if connectivity == 4 else f"8-connected, {diagonals}"
