"""Noun phrases and predicates of the paraphrases: a group of things as one of the phrases that people type for it."""

from __future__ import annotations

from random import Random

from nsmodels.datasets.clevr.questions.families import BLANK, Description, Group, Link
from nsmodels.datasets.clevr.questions.phrases import parse, realise
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, RELATIONS
from nsmodels.systems.visual.language.clauses import SCENE
from nsmodels.systems.visual.language.description import article
from nsmodels.systems.visual.language.grammar import Token, Tree

# Values and relations → their synonyms; "" is the noun of a group without a shape.
WORDS = {
    "": parse("[5:thing|3:object|item]"),
    "cube": parse("[4:cube|2:block|box]"),
    "sphere": parse("[sphere|ball]"),
    "cylinder": parse("cylinder"),
    "large": parse("[3:large|3:big|huge]"),
    "small": parse("[3:small|2:tiny|little]"),
    "metal": parse("[3:metal|2:metallic|2:shiny]"),
    "rubber": parse("[rubber|matte]"),
    "left": parse("[2:left of|to the left of|on the left of|on the left side of]"),
    "right": parse("[2:right of|to the right of|on the right of|on the right side of]"),
    "front": parse("in front of"),
    "behind": parse("behind"),
}
MADE = parse("made[| out] of {material}")
SHARED = parse("[with the same|of the same|that {has} the same|that {is} the same|the same] {attribute} as")
# Probabilities that an attribute is described, and of a link where there may be one.
DESCRIBED = {"size": 0.3, "color": 0.4, "material": 0.3, "shape": 0.6}
LINKED = 0.3
LINK_AGAIN = 0.25
# Probabilities of adjectives in any order, of a relative clause, of "made of", of "that is" before a link.
SHUFFLED, RELATIVE, OF_MATERIAL, CLAUSE = 0.2, 0.2, 0.4, 0.3


def set_tree(group: Group) -> Tree:
    """The set that a group describes; two links both hold."""
    bases = [_base(link) for link in group.links] or [SCENE]
    tree = Tree(Token("intersect", ""), tuple(bases)) if len(bases) == 2 else bases[0]
    return filtered(tree, group.description)


def filtered(tree: Tree, description: Description) -> Tree:
    """The things of a set that fit a description."""
    for name, value in zip(ATTRIBUTES, description, strict=True):
        tree = Tree(Token(f"filter_{name}", value), (tree,)) if value else tree
    return tree


def _base(link: Link) -> Tree:
    token = Token("relate", link.value) if link.function == "relate" else Token(f"same_{link.value}", "")
    return Tree(token, (Tree(Token("unique", ""), (set_tree(link.target),)),))


def random_description(rng: Random, *silent: str, is_blank: bool = False) -> Description:
    """Random values of some attributes, none of the `silent` ones; of at least one unless it may be blank."""
    names = [name for name in ATTRIBUTES if name not in silent]
    chosen = {name for name in names if rng.random() < DESCRIBED[name]}
    chosen |= set() if chosen or is_blank or not names else {rng.choice(names)}
    return tuple(rng.choice(values) if name in chosen else "" for name, values in ATTRIBUTES.items())  # type: ignore[return-value]


def random_group(rng: Random, *silent: str, linked: float = LINKED, is_blank: bool = False) -> Group:
    """A random group: a description, and with probability `linked` a relation to one other thing."""
    if rng.random() >= linked:
        return Group(random_description(rng, *silent, is_blank=is_blank))
    end = random_group(rng, linked=LINK_AGAIN)
    return Group(random_description(rng, *silent, is_blank=True), (Link("relate", rng.choice(RELATIONS), end),))


def split(rng: Random, group: Group) -> tuple[Group, Group]:
    """What of a group the noun expresses, and what a predicate: at least one value, or the link."""
    described = [place for place, value in enumerate(group.description) if value]
    places = set(rng.sample(described, rng.randint(1, len(described)))) if described else set()
    if group.links and (not places or rng.random() < 0.7):
        return Group(group.description), Group(BLANK, group.links)
    stated = tuple(value if place in places else "" for place, value in enumerate(group.description))
    kept = tuple("" if place in places else value for place, value in enumerate(group.description))
    return Group(kept, group.links), Group(stated)  # type: ignore[arg-type]


class Nouns:
    """Phrases of groups; `rng` is the only source of randomness."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def word(self, value: str) -> str:
        """A value or relation as one of its synonyms."""
        return realise(WORDS[value], str, self.rng) if value in WORDS else value

    def noun(self, group: Group, is_plural: bool = False, has_clause: bool = True) -> str:
        """A group as a noun phrase without an article; a relative clause may be left out where "or" follows."""
        values = list(group.description)
        after = ""
        if not group.links and any(values) and has_clause and self._is(RELATIVE):
            moved = self.rng.choice([place for place, value in enumerate(values) if value])
            only = [value if place == moved else "" for place, value in enumerate(values)]
            values[moved] = ""
            after = self._relative(Group(tuple(only)), is_plural)  # type: ignore[arg-type]
        links = " and ".join(self.link(link, is_plural) for link in group.links)
        clause = f" {self._that(is_plural)}" if len(group.links) == 2 or self._is(CLAUSE) else ""
        if links and group.links[0].function == "relate":
            after += f"{clause} {links}"
        elif links:
            after += f" {links}"
        return self._plain(values, is_plural) + after

    def _relative(self, moved: Group, is_plural: bool) -> str:
        material = moved.description[2]
        if material and self._is(0.5):
            return " " + self._made(material)
        return f" {self._that(is_plural)} {self.predicate(moved, is_plural)}"

    def _that(self, is_plural: bool) -> str:
        return f"{'that' if self._is(0.75) else 'which'} {'are' if is_plural else 'is'}"

    def _is(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _made(self, material: str) -> str:
        return realise(MADE, lambda slot: material, self.rng)

    def _plain(self, values: list[str], is_plural: bool) -> str:
        words = [self.word(value) for value in values[:3] if value]
        if self._is(SHUFFLED):
            self.rng.shuffle(words)
        if len(words) == 2 and self._is(0.1):
            words = [f"{words[0]} and {words[1]}"]
        return " ".join([*words, self.plural(self.word(values[3])) if is_plural else self.word(values[3])])

    def plural(self, noun: str) -> str:
        """The plural of a noun."""
        return noun + ("es" if noun.endswith("x") else "s")

    def link(self, link: Link, is_plural: bool) -> str:
        """A link with the thing at its other end."""
        end = self.noun(link.target)
        if link.function == "relate":
            return f"{self.word(link.value)} the {end}"
        slots = {"attribute": link.value, "has": "have" if is_plural else "has", "is": "are" if is_plural else "is"}
        return f"{realise(SHARED, slots.__getitem__, self.rng)} the {end}"

    def predicate(self, group: Group, is_plural: bool = False, may_be_both: bool = False) -> str:
        """A group as a predicate: "big and red", "a red cube", "made of metal", "left of the ball"."""
        if group.links:
            return self.link(group.links[0], is_plural)
        *adjectives, shape = group.description
        if shape:
            plain = self._plain(list(group.description), is_plural)
            return plain if is_plural else article(plain)
        if not any(adjectives[:2]) and self._is(OF_MATERIAL):
            return self._made(adjectives[2])
        words = [self.word(value) for value in adjectives if value]
        self.rng.shuffle(words)
        both = "both " if (is_plural or may_be_both) and len(words) == 2 and self._is(0.5) else ""
        return both + " ".join([*words[:-2], " and ".join(words[-2:])])
