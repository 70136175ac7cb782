"""What follows from a question and its answer, whatever else is true of the image.

A question with its answer establishes claims about described objects; a question is entailed where its claims follow
from these. Claims are tuples:

- ("some", noun), ("none", noun): something, nothing fits the description;
- ("has", noun, type, value), ("lacks", ...): the one object that fits it has the value; type "name": is called so;
- ("same", type, noun, noun), ("differ", ...), ("more", comparison, winner, loser);
- ("scene", type, value), ("not scene", ...).

Assumed of all images: an object has one name and one value of a type, inverses of relations are stated, nothing is both
to the left and to the right of a thing. "The dog" says that there is one dog.
"""

from __future__ import annotations

from nsmodels.datasets.gqa.questions.drafts import Claim, Draft
from nsmodels.datasets.gqa.questions.nouns import ANY, Noun, Trait
from nsmodels.datasets.gqa.questions.view import SIDES
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

CONTRARY = {"larger": "smaller", "taller": "shorter", "higher": "lower", "healthier": "less healthy"}
CONTRARY |= {second: first for first, second in CONTRARY.items()}
PLACES = {"place": "location"}


class Entry:
    """What is known of a described object."""

    __slots__ = ("is_named", "is_only", "lacks", "names", "values")

    def __init__(self) -> None:
        self.is_only = False  # nothing else fits the description
        self.is_named = False  # its name is known, and `names` are all its categories
        self.names: set[str] = set()
        self.values: dict[str, str] = {}
        self.lacks: set[tuple[str, str]] = set()


class Knowledge:
    """What a question and its answer establish.

    Args:
        draft: the question.
        words: the vocabulary.
    """

    def __init__(self, draft: Draft, words: SceneVocabulary) -> None:
        self.words = words
        self.entries: dict[Noun, Entry] = {}
        self.edges: set[tuple[Noun, str, Noun]] = set()
        self.none: list[Noun] = []
        self.rest: set[Claim] = set()
        for noun in draft.nouns:
            self._add(noun, True)
        for claim in draft.asserts:
            self._learn(claim)

    def _add(self, noun: Noun, is_only: bool) -> Entry:
        entry = self.entries.get(noun)
        if entry is None:
            entry = self.entries[noun] = Entry()
            if noun.name != ANY:
                self._name(entry, noun.name)
            for trait in noun.traits:
                if trait.is_negated:
                    entry.lacks.add((trait.kind, trait.value))
                else:
                    entry.values[trait.kind] = trait.value
            if noun.link is not None:
                self._add(noun.link.to, True)
                self._tie(noun, noun.link.relation, noun.link.role, noun.link.to)
        entry.is_only |= is_only
        return entry

    def _name(self, entry: Entry, name: str, is_exact: bool = False) -> None:
        entry.names |= {name, *self.words.parents.get(name, ())}
        entry.is_named |= is_exact or (name in self.words.parents and name not in self.words.categories)

    def _tie(self, noun: Noun, relation: str, role: str, to: Noun) -> None:
        if role == "_":
            self.edges |= {(noun, relation, to), (to, relation, noun)}
            return
        one, two = (noun, to) if role == "s" else (to, noun)
        self.edges.add((one, relation, two))
        if relation in self.words.inverses:
            self.edges.add((two, self.words.inverses[relation], one))

    def _learn(self, claim: Claim) -> None:
        kind = claim[0]
        if kind == "none":
            self.none.append(claim[1])
            if claim[1].link is not None:
                self._add(claim[1].link.to, True)
        elif kind == "some":
            self._add(claim[1], False)
        elif kind == "has":
            entry = self._add(claim[1], True)
            if claim[2] == "name":
                self._name(entry, claim[3], True)
            else:
                entry.values[claim[2]] = claim[3]
        elif kind == "lacks":
            self._add(claim[1], True).lacks.add(claim[2:])
        else:
            self.rest.add(claim)

    def holds(self, claim: Claim) -> bool:
        """Whether a claim follows."""
        kind = claim[0]
        if kind == "some":
            return any(self._fits(claim[1], noun) for noun in self.entries)
        if kind == "none":
            return self._is_none(claim[1])
        if kind in ("has", "lacks"):
            return self._is_so(claim)
        if kind in ("scene", "not scene"):
            return claim in self.rest or (kind == "not scene" and self._is_elsewhere(claim))
        return self._is_compared(claim)

    def _is_elsewhere(self, claim: Claim) -> bool:
        return any(known[:2] == ("scene", claim[1]) and known[2] != claim[2] for known in self.rest)

    def _is_compared(self, claim: Claim) -> bool:
        kind, scale, first, second = claim
        for known in self.rest:
            if known[0] != kind or len(known) != 4:
                continue
            pair = (self._denoted(first), self._denoted(second))
            if known[1] == scale and (pair == known[2:] or (kind != "more" and pair == known[:1:-1])):
                return True
            if kind == "more" and CONTRARY.get(scale) == known[1] and pair == known[:1:-1]:
                return True
        return False

    def _is_so(self, claim: Claim) -> bool:
        kind, described, what, value = claim
        noun = self._denoted(described)
        if noun is None:
            return False
        entry = self.entries[noun]
        if kind == "has":
            return value in entry.names if what == "name" else entry.values.get(what) == value
        return (what, value) in entry.lacks or self._excludes(entry, what, value)

    def _excludes(self, entry: Entry, what: str, value: str) -> bool:
        if what == "name":
            return entry.is_named and value not in entry.names
        return entry.values.get(what, value) != value

    def _denoted(self, described: Noun) -> Noun | None:
        """The known single object that a description must mean: it fits, and whatever fits is that one."""
        if described in self.entries and self.entries[described].is_only:
            return described
        for noun, entry in self.entries.items():
            if entry.is_only and self._fits(described, noun) and refines(described, noun, self.words):
                return noun
        return None

    def _fits(self, pattern: Noun, noun: Noun) -> bool:
        """Whether a known object fits a description."""
        entry = self.entries[noun]
        if pattern.name != ANY and pattern.name not in entry.names:
            return False
        for kind, value, is_negated in pattern.traits:
            if is_negated:
                if (kind, value) not in entry.lacks and not self._excludes(entry, kind, value):
                    return False
            elif entry.values.get(kind) != value:
                return False
        if pattern.link is None:
            return True
        relation, role, to = pattern.link
        return any(
            (one == noun and role != "o" and self._fits(to, two))
            or (two == noun and role == "o" and self._fits(to, one))
            for one, name, two in self.edges
            if name == relation
        )

    def _is_none(self, pattern: Noun) -> bool:
        """Nothing fits: a wider description fits nothing, or all that may fit is one object, and that does not."""
        if any(refines(pattern, noun, self.words) for noun in self.none):
            return True
        for noun, entry in self.entries.items():
            if entry.is_only and self._clashes(pattern, noun, entry) and refines(pattern, noun, self.words):
                return True
        return False

    def _clashes(self, pattern: Noun, noun: Noun, entry: Entry) -> bool:
        if pattern.name != ANY and self._excludes(entry, "name", pattern.name):
            return True
        for kind, value, is_negated in pattern.traits:
            known = entry.values.get(kind)
            if known == value if is_negated else (known not in (None, value) or (kind, value) in entry.lacks):
                return True
        if pattern.link is None or pattern.link.relation not in SIDES or pattern.link.role == "_":
            return False
        relation, role, to = pattern.link
        opposite, other = SIDES[relation == SIDES[0]], self._denoted(to)
        pair = (noun, opposite, other) if role == "s" else (other, opposite, noun)
        return pair in self.edges


def refines(narrow: Noun, wide: Noun, words: SceneVocabulary) -> bool:
    """Whether whatever fits the first description fits the second."""
    if wide.name not in (ANY, narrow.name) and wide.name not in words.parents.get(narrow.name, ()):
        return False
    for trait in wide.traits:
        if trait not in narrow.traits and not (trait.is_negated and _is_other(trait, narrow)):
            return False
    if wide.link is None:
        return True
    if narrow.link is None or narrow.link[:2] != wide.link[:2]:
        return False
    return refines(narrow.link.to, wide.link.to, words)


def _is_other(trait: Trait, narrow: Noun) -> bool:
    return any(each.kind == trait.kind and each.value != trait.value and not each.is_negated for each in narrow.traits)


Ways = list[tuple[tuple[int, ...], list[int]]]  # numbers of claims, and the questions that follow from all of them


class _Index:
    """The claims that the questions of an image need, each once, with masks of what must be touched to establish it.

    Bits stand for the objects of the image, and beyond `count` for the words of what is not there.
    """

    def __init__(self, words: SceneVocabulary, count: int) -> None:
        self.words, self.count = words, count
        self.bits: dict[str, int] = {}
        self.numbers: dict[Claim, int] = {}
        self.needs: list[tuple[int, int]] = []  # all bits of the first, and a bit of the second unless it is 0

    def number(self, claim: Claim) -> int:
        """Number of a claim."""
        found = self.numbers.get(claim)
        if found is None:
            found = self.numbers[claim] = len(self.needs)
            self.needs.append(self._needed(claim))
        return found

    def _needed(self, claim: Claim) -> tuple[int, int]:
        kind, noun = claim[0], claim[1]
        if kind in ("has", "lacks"):
            return noun.mentioned, 0
        if kind == "some":
            return (noun.link.to.mentioned if noun.link else 0), noun._replace(link=None).mentioned
        if kind == "none":
            mask = noun.mentioned
            for name in (noun.name, *self.words.parents.get(noun.name, ())):
                mask |= self._bit(name)
            return 0, mask
        if kind in ("scene", "not scene"):
            return self._bit("scene"), 0
        return claim[2].mentioned | claim[3].mentioned, 0

    def touched(self, draft: Draft) -> int:
        """What a question is about."""
        mask = 0
        for noun in draft.nouns:
            mask |= noun.mentioned | self._bit(noun.name)
        for claim in draft.asserts:
            if claim[0] in ("scene", "not scene"):
                mask |= self._bit("scene")
            elif claim[0] in ("some", "none", "has", "lacks"):
                mask |= claim[1].mentioned | self._bit(claim[1].name)
        return mask

    def _bit(self, name: str) -> int:
        return 1 << self.count + self.bits.setdefault(name, len(self.bits))


def entailed(drafts: list[Draft], words: SceneVocabulary, count: int) -> list[list[int]]:
    """For each question of an image the numbers of those whose answers follow from it, itself left out.

    Args:
        drafts: the questions.
        words: the vocabulary.
        count: number of objects of the image.
    """
    index = _Index(words, count)
    users: dict[tuple[int, ...], list[int]] = {}  # questions that follow from all of these claims
    for number, draft in enumerate(drafts):
        for way in draft.needs if draft.needs is not None else ((draft.asserts,) if draft.asserts else ()):
            users.setdefault(tuple(map(index.number, way)), []).append(number)
    claims, ways = list(index.numbers), list(users.items())
    found: list[list[int]] = []
    results: dict[tuple, list[int]] = {}
    for number, draft in enumerate(drafts):
        key = (draft.nouns, draft.asserts)
        follows = results.get(key)
        if follows is None:
            follows = results[key] = _following(draft, index, claims, ways) if any(key) else []
        found.append([other for other in follows if other != number])
    return found


def _following(draft: Draft, index: _Index, claims: list[Claim], ways: Ways) -> list[int]:
    touched = index.touched(draft)
    known = Knowledge(draft, index.words)
    holding = {
        number
        for number, (every, some) in enumerate(index.needs)
        if every & touched == every and (not some or some & touched) and known.holds(claims[number])
    }
    if not holding:
        return []
    return sorted({other for way, users in ways if holding.issuperset(way) for other in users})
