"""What the families of questions share: the scene, random choice, descriptions, and their English."""

from __future__ import annotations

from random import Random

from nsmodels.datasets.gqa.questions.counts import Counts, Draws
from nsmodels.datasets.gqa.questions.finding import Finder
from nsmodels.datasets.gqa.questions.nouns import Noun, Program
from nsmodels.datasets.gqa.questions.view import View
from nsmodels.datasets.gqa.questions.wording.english import Pieces, noun_phrase
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

# Share of programs whose operations on `state` and `pose` do not tell the type, as those on rare types in the release.
PLAIN = 0.25
FOLLOWED = 0.5  # share of questions about what an earlier question of the image is about


class Source:
    """What all questions of a split are made from: vocabulary, frequencies, draws of wrong options."""

    def __init__(self, words: SceneVocabulary, counts: Counts) -> None:
        self.words, self.counts = words, counts
        self.names = Draws(counts.names)
        self._draws: dict[tuple[str, str], Draws] = {}

    def values(self, name: str, kind: str) -> Draws:
        """Draws of values of a type, as they occur with a name."""
        key = (name, kind)
        if key not in self._draws:
            self._draws[key] = Draws(self.counts.values[key])
        return self._draws[key]

    def relatives(self, relation: str, role: str) -> Draws:
        """Draws of names in a role of a relation."""
        key = (relation, f"role {role}")
        if key not in self._draws:
            self._draws[key] = Draws(self.counts.relatives["", relation, role])
        return self._draws[key]

    def lineage(self, name: str) -> tuple[str, ...]:
        """A name and its categories."""
        return (name, *self.words.parents.get(name, ()))


class Chance(Random):
    """Random numbers, with a choice that takes half of the time."""

    def choice(self, seq):  # type: ignore[override]
        """A random element."""
        return seq[int(self.random() * len(seq))]


class Asker:
    """One image, asked about.

    Args:
        view: the scene.
        source: vocabulary and frequencies of the split.
        rng: the only source of randomness.
    """

    def __init__(self, view: View, source: Source, rng: Random) -> None:
        self.view, self.source, self.rng = view, source, rng
        self.words = source.words
        self.find = Finder(view, rng)
        # What has been asked about: (attribute type, value, object) and (relation, object at its other end).
        self.relations: list[tuple[str, str, int, int]] | None = None
        self.subjects: list[tuple[str, str, Noun]] = []
        self.ties: list[tuple[tuple[str, str, int, int], Noun]] = []

    def program(self) -> Program:
        """An empty program of this image."""
        return Program(self.view.ids, self.rng.random() < PLAIN)

    def the(self, noun: Noun) -> Pieces:
        """The description with "the"."""
        return noun_phrase(noun, "the", self.rng, self.words)

    def short(self, noun: Noun) -> Pieces:
        """The object by its true name, as full answers call it."""
        return self.the(Noun(self.view.names[noun.thing], (), None, noun.things))

    def some(self, noun: Noun, determiner: str = "a", may_trail: bool = True) -> Pieces:
        """The description with "a", or in the plural; with its attribute before the name unless it `may_trail`."""
        return noun_phrase(noun, determiner, self.rng, self.words, may_trail)

    def thing(self, mask: int = -1) -> int:
        """A random object of a mask."""
        found = [place for place in range(self.view.count) if mask >> place & 1]
        return self.rng.choice(found) if found else -1

    def truths(self, is_and: bool, is_true: bool) -> list[bool]:
        """Truths of the two parts of an "and" or "or" that is true or false; where one decides, it is any of them."""
        if is_true == is_and:
            return [is_and, is_and]
        return self.rng.choice([[True, False], [False, True], [not is_and] * 2])

    def absent(self, draws: Draws | None = None) -> str | None:
        """A name that applies to no object, as frequent as names are; sometimes its category, if that is absent too.

        `draws`: what to draw from, instead of all names.
        """
        called = self.view.called
        for _ in range(6):
            name = (draws or self.source.names).draw(self.rng, called)
            if name is None:
                return None
            categories = [each for each in self.words.parents.get(name, ()) if each not in called]
            is_broad = name in self.words.categories and name in called
            if not is_broad:
                return self.rng.choice(categories) if categories and self.rng.random() < 0.15 else name
        return None

    def wrong_value(self, thing: int, kind: str) -> str | None:
        """A value of a type that the object has not: most often one of others of its name, else of any."""
        own = {self.view.values[thing].get(kind, "")}
        name = self.view.names[thing] if self.rng.random() < 0.6 else ""
        return self.source.values(name, kind).draw(self.rng, own) or self.source.values("", kind).draw(self.rng, own)
