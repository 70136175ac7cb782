"""Sets of objects as probabilities of membership, and the two ways in which a step reads them.

Shapes: n objects. Memberships are independent; each contains the presence of its object.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Array = np.ndarray
NEGLIGIBLE = 1e-9


class Found(NamedTuple):
    """A set of objects.

    Attributes:
        members: probability of each object, (n,); of the image as a whole one number, whether it is as described.
        best: that it is among those which the words fit best, which are meant if there are any, (n,); None: all are.
        names: names that the words allow, bool (names,); None: any.
        is_scene: whether it is the image as a whole.
    """

    members: Array
    best: Array | None = None
    names: Array | None = None
    is_scene: bool = False

    @property
    def preferred(self) -> Array:
        """Probability that an object is meant, as far as words tell, (n,)."""
        return self.members if self.best is None else preferred(self.members, self.best)


def preferred(members: Array, best: Array) -> Array:
    """Memberships of those among the members that are `best` if there is any, else of all."""
    return best + (members - best) * (1.0 - any_of(best))


def any_of(members: Array) -> float:
    """Probability that there is a member, 1 − Π (1 − m)."""
    return float(1.0 - np.prod(1.0 - members))


def sole_member(members: Array) -> Array:
    """Probability that object i is the only member, m_i Π_{j≠i} (1 − m_j), (n,)."""
    # Two cumulative products: dividing the product of all factors by (1 − m_i) would fail at m_i = 1.
    outside = 1.0 - members
    before, after = np.ones_like(outside), np.ones_like(outside)
    np.cumprod(outside[:-1], out=before[1:])
    after[:-1] = np.cumprod(outside[:0:-1])[::-1]
    return members * before * after


class Referent(NamedTuple):
    """What a step reads of a set that is referred to as "the ...": the one object, or all of several.

    Attributes:
        share: the distribution over the one member, given that there is one, (n,); zero where there surely is not.
        members: the memberships, for the case of several.
    """

    share: Array
    members: Array

    @property
    def weights(self) -> Array:
        """Weight of each object, (n,): sums to 1, or to 0 without any."""
        if self.share.any():
            return self.share
        total = self.members.sum()
        return self.members / total if total > NEGLIGIBLE else np.zeros_like(self.members)

    def is_so(self, probability: Array) -> float:
        """That the one object has a property, or that one of several has it; `probability` (n,) of each."""
        if self.share.any():
            return float(self.share @ probability)
        return any_of(self.members * probability)


def referent(members: Array) -> Referent:
    """The object that a question refers to by a set, (n,)."""
    sole = sole_member(members)
    total = sole.sum()
    return Referent(sole / total if total > NEGLIGIBLE else np.zeros_like(sole), members)
