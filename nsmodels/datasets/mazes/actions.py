"""The moves on a grid, in the order of every array and table of this project.

There is no action that stays in place: the goal ends an episode.
"""

from __future__ import annotations

import math

# (rows, columns) by which an action moves; row 0 is the top. A 4-connected map has the first four only.
OFFSETS: tuple[tuple[int, int], ...] = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1))
NAMES = ("up", "right", "down", "left", "up-right", "down-right", "down-left", "up-left")
ARROWS = "↑→↓←↗↘↙↖"
# A move costs its length times the cost of the cell that it enters.
LENGTHS = (1.0, 1.0, 1.0, 1.0, math.sqrt(2.0), math.sqrt(2.0), math.sqrt(2.0), math.sqrt(2.0))
