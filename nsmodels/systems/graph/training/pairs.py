"""Twins: a pair is right when both of its graphs are. numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def paired(is_right: NDArray[np.bool_], pairs: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether all graphs of each pair are right, bool (p,) by ascending number of the pair.

    is_right: bool (g,); pairs: int (g,) the number that twins share.
    """
    _, place = np.unique(pairs, return_inverse=True)
    whole = np.ones(place.max(initial=-1) + 1, bool)
    np.logical_and.at(whole, place, is_right)
    return whole
