"""The soft operation of each verb: from distributions of its inputs to that of its result.

A set is a `Found`, a truth the probability of yes, an answer a distribution over answers. Presence, names, attributes
and relations are taken as independent, as perception predicts them: conjunctions are products, "related to one of them"
is 1 − Π (1 − p). What reads a set as "the ..." conditions on its having one member; see `sets.Referent`.

Soft execution after Yi et al. 2018 (NS-VQA) and Mao et al. 2019 (NS-CL); attributes are sets, so that each value has a
probability of its own, and categories are sums over the names below them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nsmodels.formats.scenes.graphs import LEFT, RIGHT
from nsmodels.systems.natural.reasoning.scene import NAMING, SIDES_OF_IMAGE, Scene
from nsmodels.systems.natural.reasoning.sets import NEGLIGIBLE, Found, any_of, preferred, referent

Array = np.ndarray
Distribution = dict[str, float]
SIDE_WORDS = {LEFT: "left", RIGHT: "right"}


def whole() -> Found:
    """The image as a whole."""
    return Found(np.ones(1), is_scene=True)


def objects(scene: Scene, found: Found) -> Found:
    """A set of objects; none in place of the image as a whole."""
    return Found(np.zeros(len(scene))) if found.is_scene else found


def relate(scene: Scene, anchors: Found, name: str, relation: str, role: str) -> Found:
    """Objects of a name that stand in a relation to one of a set; best those that do so to what is meant there."""
    called = scene.called(name)
    if anchors.is_scene:
        best = None if called.best is None else called.best * anchors.members
        return Found(called.members * anchors.members, best, called.names)
    every = _reached(scene, anchors.members, relation, role)
    if anchors.best is None and called.best is None:
        return Found(called.members * every, None, called.names)
    likely = every if anchors.best is None else _reached(scene, anchors.preferred, relation, role)
    best = called.members * likely
    if called.best is not None:
        best = preferred(best, called.best * likely)
    return Found(called.members * every, best, called.names)


def keep(scene: Scene, found: Found, kind: str, value: str, is_negated: bool) -> Found:
    """The members that have a value, or have it not."""
    if found.is_scene:
        return found._replace(members=found.members * _sign(scene.is_whole(value), is_negated))
    held = scene.lacks(kind, value, found.members) if is_negated else scene.has(kind, value)
    return found._replace(members=found.members * held, best=None if found.best is None else found.best * held)


def verify(scene: Scene, found: Found, kind: str, value: str, is_negated: bool) -> float:
    """Whether what is referred to has a value, or has it not."""
    if found.is_scene:
        return _sign(scene.is_whole(value), is_negated)
    meant = found.preferred
    held = scene.lacks(kind, value, meant) if is_negated else scene.has(kind, value)
    return referent(meant).is_so(held)


def verify_relation(scene: Scene, found: Found, name: str, relation: str, role: str) -> float:
    """Whether an object of a name stands in a relation to what is referred to."""
    if found.is_scene:
        return any_of(relate(scene, found, name, relation, role).members)
    meant = found.preferred
    share = referent(meant).share
    if not share.any():
        return any_of(relate(scene, Found(meant), name, relation, role).members)
    # Given that the anchor is j: 1 − Π_i (1 − P(i is so called) · P(i related to j)).
    table = scene.directed(relation, role)
    return float(share @ (1.0 - np.prod(1.0 - scene.called(name).members[:, None] * table, axis=0)))


def query(scene: Scene, found: Found, kind: str) -> Distribution:
    """The value of a kind that what is referred to has; for the image as a whole its place or weather."""
    if found.is_scene:
        return normalised(scene.whole(kind))
    weights = referent(found.preferred).weights
    if kind in NAMING:
        return name_of(scene, weights, found.names)
    mean = weights @ only_value(scene.values(kind))
    return normalised({word: float(p) for word, p in zip(scene.words_of(kind), mean, strict=True) if p > 0})


def name_of(scene: Scene, weights: Array, allowed: Array | None) -> Distribution:
    """Distribution over the names of what is meant, `weights` (n,), given the names that its description allows."""
    table = scene.names if allowed is None else scene.names * allowed
    total = table.sum(1, keepdims=True)
    mean = weights @ np.divide(table, total, out=np.zeros_like(table), where=total > 0)
    return normalised({scene.lexicon.words.names[k]: float(mean[k]) for k in np.flatnonzero(mean)})


def choose(scene: Scene, found: Found, kind: str, options: tuple[str, ...]) -> Distribution:
    """Which of two values what is referred to has."""
    if found.is_scene:
        return either({value: scene.is_whole(value) for value in options})
    meant = referent(found.preferred)
    held = {value: meant.is_so(scene.has(kind, value)) for value in options}
    if any(value in SIDES_OF_IMAGE.get(kind, ()) for value in options):  # a side rather than the middle
        held = {value: p if value in SIDES_OF_IMAGE[kind] else min(p, 0.5) for value, p in held.items()}
    return either(held)


def choose_relation(scene: Scene, found: Found, name: str, options: tuple[str, ...], role: str) -> Distribution:
    """In which of two relations an object of a name stands to what is referred to; sides as "left" and "right"."""
    held = {each: verify_relation(scene, found, name, each, role) for each in options}
    if set(options) != set(SIDE_WORDS):
        return either({SIDE_WORDS.get(each, each): p for each, p in held.items()})
    # Two things that are not quite beside each other: the side by the middles of their boxes.
    left, right = held[LEFT], held[RIGHT]
    neither, nearer = (1.0 - left) * (1.0 - right), nearer_left(scene, found, name, role)
    is_left = left * (1.0 - right) + neither * nearer
    is_right = right * (1.0 - left) + neither * (1.0 - nearer)
    return normalised({"left": is_left, "right": is_right})


def nearer_left(scene: Scene, found: Found, name: str, role: str) -> float:
    """P(the subject's middle is left of the object's), of what is referred to and the objects of a name."""
    own, other = referent(found.preferred).weights, referent(scene.called(name).preferred).weights
    across = scene.middles[:, 0]
    pairs = own[:, None] * other[None, :]
    np.fill_diagonal(pairs, 0.0)
    is_left = (across[None, :] < across[:, None]) == (role == "s")
    return float((pairs * is_left).sum() / pairs.sum()) if pairs.sum() > 0 else 0.5


def share(scene: Scene, first: Found, second: Found | None, kind: str) -> float:
    """Whether two objects share a value of a kind; of one set, whether all of its members do."""
    if second is None:
        return all_alike((first.members,), scene.values(kind))
    table = scene.alike(kind).copy()
    np.fill_diagonal(table, 1.0 - np.prod(1.0 - scene.values(kind), axis=-1))
    one, two = referent(first.preferred), referent(second.preferred)
    if one.share.any() and two.share.any():
        return float(one.share @ table @ two.share)
    return all_alike((one.members, two.members), scene.values(kind))


def common(scene: Scene, first: Found, second: Found, kinds: tuple[str, ...]) -> Distribution:
    """The kind of which two objects share a value."""
    return normalised({kind: share(scene, first, second, kind) for kind in kinds})


def all_alike(sets: Sequence[Array], table: Array) -> float:
    """Whether there is a value that all members of the sets have which have one at all; `table` (n, values)."""
    # A member contradicts v if it has a different value and not v: (1 − Π_{u≠v} (1 − p_u)) (1 − p_v).
    lacking, shared = 1.0 - table, np.ones(table.shape[1])
    rest = np.ones_like(table)
    for value in range(table.shape[1]):
        rest[:, value] = np.prod(np.delete(lacking, value, axis=1), axis=1)
    for members in sets:
        contradicts = members[:, None] * (1.0 - rest) * lacking
        held = 1.0 - np.prod(1.0 - members[:, None] * table, axis=0)
        shared *= held * np.prod(1.0 - contradicts, axis=0)
    return any_of(shared)


def only_value(table: Array) -> Array:
    """P(a value is the one that is meant | there is one), (n, values): rows sum to 1, or to 0 without a value."""
    # Values are independent: p_v Π_{u≠v} (1 − p_u), normalised. Of several that are certain each is meant equally.
    odds = table / np.maximum(1.0 - table, 1e-9)
    total = odds.sum(1, keepdims=True)
    return np.divide(odds, total, out=np.zeros_like(odds), where=total > 0)


def either(held: Mapping[str, float]) -> Distribution:
    """The distribution over options, of which one is so, from the probability of each by itself."""
    weights = {word: p * np.prod([1.0 - q for other, q in held.items() if other != word]) for word, p in held.items()}
    found = normalised({word: float(weight) for word, weight in weights.items()})
    # Several or none are certain: it cannot be decided.
    return found or normalised(dict(held)) or dict.fromkeys(held, 1.0 / len(held))


def normalised(distribution: Distribution) -> Distribution:
    """The distribution that sums to 1; empty where nothing has a probability."""
    total = sum(distribution.values())
    return {word: p / total for word, p in distribution.items()} if total > 0 else {}


def _reached(scene: Scene, anchors: Array, relation: str, role: str) -> Array:
    """P(object i is in the relation to an anchor | there is one), (n,): that there is one is taken for granted."""
    reached = 1.0 - np.prod(1.0 - scene.directed(relation, role) * anchors[None, :], axis=1)
    there = any_of(anchors)
    return np.minimum(1.0, reached / there) if there > NEGLIGIBLE else np.zeros_like(reached)


def _sign(probability: float, is_negated: bool) -> float:
    return 1.0 - probability if is_negated else probability
