"""Pairs of chains with opposite last values, drawn so that no local count differs between the twins.

A chain: start value -> mechanism 0 -> mechanism 1 -> ... -> mechanism L - 1, whose value is asked for. Each mechanism
has a side root of its own. With e = side value, negated where the side edge negates, the value of mechanism i is

    v_i = v_{i-1} xor e_i,    v_{i-1} and e_i,    v_{i-1} or e_i.

AND with e = 0 and OR with e = 1 *reset* the chain: what came before no longer counts. With r the last reset,

    v_{L-1} = v_r xor e_{r+1} xor ... xor e_{L-1}    over the XOR mechanisms after r:

the answer is a parity over everything since the last reset, and nothing short of all of it says anything about it.

Twins. Side roots of XOR mechanisms are permuted among mechanisms that cannot be told apart by their types and edges. A
permutation that moves roots across the last reset changes the parity. The first twin is drawn independently for each
root, and the second is a random permutation of it of opposite answer; a permutation is as likely as its inverse, so
that the pair is exchangeable. All (type, feature, mark, typed degrees) occur equally often in both.
From `LEAST_FAR` mechanisms on, the last reset and all that is permuted lie in the first half, and roots change places
between mechanisms only whose neighbours have equal types, too: the histograms after one round of Weisfeiler-Leman
colours are equal, and within L/2 edges of the asked node the twins are the same graph.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

XOR, AND, OR = 0, 1, 2
LEAST_FAR = 16
_MOST_TRIES = 10_000


class Chains(NamedTuple):
    """Chains of up to M mechanisms; what lies beyond a chain's length is meaningless.

    `lengths` int (g,); `mechanisms` int (g, M); `sides`, `is_negated` bool (g, M); `starts` bool (g,).
    """

    lengths: NDArray[np.int64]
    mechanisms: NDArray[np.int64]
    sides: NDArray[np.bool_]
    is_negated: NDArray[np.bool_]
    starts: NDArray[np.bool_]

    @property
    def inputs(self) -> NDArray[np.bool_]:
        """What reaches each mechanism from its side root, bool (g, M)."""
        return self.sides ^ self.is_negated


def draw_twins(
    lengths: NDArray[np.int64], xor_share: float, segment: int, rng: np.random.Generator
) -> tuple[Chains, NDArray[np.int64]]:
    """A pair of chains for each of the lengths (p,): rows 2k and 2k + 1 of the result; and their answers (2p,)."""
    longest = int(lengths.max())
    found, waiting = _empty(lengths.repeat(2), longest), np.arange(len(lengths))
    for _ in range(_MOST_TRIES):
        one = _chains(lengths[waiting], longest, xor_share, rng)
        other = _permuted(one, segment, rng)
        labels = np.stack([answers(one), answers(other)], 1)
        good = labels[:, 0] != labels[:, 1]
        first = rng.integers(0, 2, len(waiting))  # which twin comes first does not depend on its answer
        for twin, chains in ((first, one), (1 - first, other)):
            rows = (2 * waiting + twin)[good]
            for column, drawn in zip(found, chains, strict=True):
                column[rows] = drawn[good]
        waiting = waiting[~good]
        if not len(waiting):
            return found, answers(found)
    raise RuntimeError(f"no twins of {sorted(set(lengths[waiting].tolist()))} mechanisms in {_MOST_TRIES} tries")


def values(chains: Chains, starts: NDArray[np.bool_] | bool | None = None, segment: int = 0) -> NDArray[np.bool_]:
    """Value of every mechanism, bool (g, M); with a `segment` each one begins anew with the value `starts`."""
    # All three mechanisms are affine over GF(2), v = keep · before + flip: XOR keeps and adds e, AND keeps where e = 1,
    # OR keeps where e = 0 and adds e. So is their composition, and two bits say what a whole segment does.
    inputs, kinds = chains.inputs, chains.mechanisms
    keep, flip = (kinds == XOR) | ((kinds == AND) == inputs), inputs & (kinds != AND)
    start = chains.starts if starts is None else np.broadcast_to(np.asarray(starts), chains.starts.shape)
    found, before = np.zeros(inputs.shape, bool), start
    for i in range(inputs.shape[1]):
        if segment and i % segment == 0:
            before = start
        before = (before & keep[:, i]) ^ flip[:, i]
        found[:, i] = before
    return found


def answers(chains: Chains) -> NDArray[np.int64]:
    """Value of the last mechanism of each chain, 0 or 1 (g,)."""
    return values(chains)[np.arange(len(chains.lengths)), chains.lengths - 1].astype(np.int64)


def since(chains: Chains, segment: int = 0) -> NDArray[np.int64]:
    """First round, from 0, after which a mechanism's value (in its segment: its function) is decidable; (g, M)."""
    # A reset needs its own side root alone; any other mechanism hears one round later what its predecessor is.
    resets, found = is_reset(chains), np.zeros(chains.sides.shape, np.int64)
    for i in range(1, resets.shape[1]):
        is_known = resets[:, i] if not segment or i % segment else True
        found[:, i] = np.where(is_known, 0, found[:, i - 1] + 1)
    return found


def is_reset(chains: Chains) -> NDArray[np.bool_]:
    """Whether a mechanism's value does not depend on its predecessor, bool (g, M)."""
    return ((chains.mechanisms == AND) & ~chains.inputs) | ((chains.mechanisms == OR) & chains.inputs)


def _empty(lengths: NDArray[np.int64], longest: int) -> Chains:
    shape, number = (len(lengths), longest), len(lengths)
    sides, is_negated = np.zeros(shape, bool), np.zeros(shape, bool)
    return Chains(lengths.copy(), np.zeros(shape, np.int64), sides, is_negated, np.zeros(number, bool))


def _chains(lengths: NDArray[np.int64], longest: int, xor_share: float, rng: np.random.Generator) -> Chains:
    """Chains whose last reset lies in their first half."""
    shape, rows = (len(lengths), longest), np.arange(len(lengths))
    kinds = np.where(rng.random(shape) < xor_share, XOR, rng.integers(AND, OR + 1, shape))
    last = rng.integers(1, np.maximum(lengths // 2, 2))
    kinds[rows, last] = rng.integers(AND, OR + 1, len(lengths))
    sides, is_negated = rng.random(shape) < 0.5, rng.random(shape) < 0.5
    place = np.arange(longest)
    must_reset, must_not = place == last[:, None], (place > last[:, None]) & (kinds != XOR)
    wanted = np.where(must_reset, kinds == OR, kinds == AND)  # the input that resets, or that does not
    sides = np.where(must_reset | must_not, wanted ^ is_negated, sides)
    return Chains(lengths, kinds, sides, is_negated, rng.random(len(lengths)) < 0.5)


def _permuted(chains: Chains, segment: int, rng: np.random.Generator) -> Chains:
    """The chains with their side roots permuted within the groups of `_groups`."""
    groups = _groups(chains, segment)
    # Both orders list the places group by group: the second one shuffled within each group.
    by_group = np.argsort(groups, axis=1, kind="stable")
    shuffled = np.argsort(groups + rng.random(groups.shape), axis=1)
    sides, is_negated = chains.sides.copy(), chains.is_negated.copy()
    for column, drawn in ((sides, chains.sides), (is_negated, chains.is_negated)):
        np.put_along_axis(column, by_group, np.take_along_axis(drawn, shuffled, 1), 1)
    return chains._replace(sides=sides, is_negated=is_negated)


def _groups(chains: Chains, segment: int) -> NDArray[np.int64]:
    """Numbers (g, M), equal for mechanisms whose side roots may change places."""
    place, lengths, kinds = np.arange(chains.sides.shape[1]), chains.lengths[:, None], chains.mechanisms
    is_far = lengths >= LEAST_FAR
    outside = OR + 1  # stands for the start in front of the first mechanism
    before = np.concatenate([np.full((len(kinds), 1), outside), kinds[:, :-1]], 1)
    after = np.concatenate([kinds[:, 1:], np.full((len(kinds), 1), outside)], 1)
    context = np.where(is_far, 4 * before + after, 0)
    borders = 2 * (place % segment == 0) + (place % segment == segment - 1)  # edges to other segments
    is_moved = (kinds == XOR) & (place < np.where(is_far, lengths // 2, lengths - 1))
    return np.where(is_moved, 16 * borders + context, 64 + place)
