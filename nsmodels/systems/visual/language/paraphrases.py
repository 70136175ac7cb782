"""Questions in the words that people type, with their programs: training data of the parser beside the data set's own.

The data set's questions keep the wording of CLEVR. These are shorter and freer: predicates ("how many cubes are red"),
"and" and "or", statements about the one thing or all things, lists, totals, synonyms. Groups and their programs are
drawn without a scene: a parser needs none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from nsmodels.datasets.clevr.questions.families import BLANK, Description, Group, Link
from nsmodels.datasets.clevr.questions.phrases import parse, realise
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES
from nsmodels.systems.visual.language.clauses import SCENE
from nsmodels.systems.visual.language.description import article
from nsmodels.systems.visual.language.grammar import Program, Token, Tree, nodes_of
from nsmodels.systems.visual.language.nouns import (
    LINKED,
    Nouns,
    filtered,
    random_description,
    random_group,
    set_tree,
    split,
)

ARTICLE = re.compile(r"\b(the|an?) ")
NO_ARTICLES = 0.08  # share of the questions that leave all articles out
PICTURE = "[image|picture|scene]"
IN_PICTURE = f"[2:| in the {PICTURE}]"
THERE = (
    f"[6:|6: are there{IN_PICTURE}| do you see{IN_PICTURE}| can you see{IN_PICTURE}| are visible| are in the {PICTURE}]"
)
TOTAL = f"[6:{THERE}|[ are there|] [in total|overall|altogether]]"
FRAMES = {
    "count all": parse(
        f"[3:How many [thing|object|item]s{TOTAL}|[What is|] the [|total |overall ]number of [thing|object]s|"
        f"[|total |overall ]number of [thing|object]s|count[| all| all the| the] [thing|object]s]"
    ),
    "count": parse(
        f"[6:How many {{plural}}{TOTAL}|5:How many {{heads}} are {{predicates}}|3:How many of the {{heads}} are "
        f"{{predicates}}|What is the [|total |overall ]number of {{plural}}{IN_PICTURE}|[|total |overall ]number of "
        f"{{plural}}{IN_PICTURE}|[|2:total ]count[| of] [|all |the |all the ]{{plural}}|"
        f"How many {{plural}} does the {PICTURE} [contain|have]]"
    ),
    "count there": parse("How many {heads} [2:are there|do you see|can you see] {predicates}"),
    "exist": parse(
        f"[2:Is there {{a}}{IN_PICTURE}|2:Are there any {{plural}}{IN_PICTURE}|Are there {{plural}}|"
        f"Is there any {{single}}|[do|can] you see [{{a}}|any {{plural}}]|"
        f"Does the {PICTURE} [contain|have] [{{a}}|any {{plural}}]|2:Are any[ of the|] {{heads}} {{predicates}}]"
    ),
    "exist anything": parse(
        "[3:Is anything {predicate}|2:Is there [anything|something] {predicate}|"
        "2:Is there [anything|something] that is {described}]"
    ),
    "statement": parse("Is the {single} {predicate}"),
    "universal": parse(
        "[2:Are all[| the| of the] {plural} {predicates}|Is every {single} {predicate}|2:Are the {plural} {predicates}|"
        "Are the {plural} all {predicates}]"
    ),
    "universal anything": parse("[Is everything {predicate}|Are all [things|objects|items] {predicates}]"),
    "query": parse(
        "[3:What {attribute} is the {single}|3:What is the {attribute} of the {single}|2:Which {attribute} is the "
        "{single}|Which {attribute} does the {single} have]"
    ),
    "query or": parse("Is the {single} {one} or {two}"),
    "query size": parse("How [2:big|large] is the {single}"),
    "query material": parse("[3:What is the {single} made of|[What|Which] material is the {single} made of]"),
    "either": parse(f"How many {{plural}} [or|and] {{seconds}}{TOTAL}"),
    "either list": parse(f"How many {{plural}} {{thirds}} [or|and] {{seconds}}{TOTAL}"),
    "either head": parse(
        f"[2:How many {{bases}} are[ either|] {{predicates}} or {{second_predicates}}|"
        f"2:How many {{adjectives}} {{bases}}{TOTAL}|"
        f"How many of the {{bases}} are[ either|] {{predicates}} or {{second_predicates}}]"
    ),
    "any either": parse(
        "[Are there any {plural} or {seconds}|Is there {a} or {second}|Are there {plural} or {seconds}|"
        "[do|can] you see any {plural} or {seconds}]"
    ),
    "any either head": parse(
        "[2:Are there any {adjectives} {bases}|"
        "Are there any {bases} that are[ either|] {predicates} or {second_predicates}|"
        "Are any of the {bases}[ either|] {predicates} or {second_predicates}]"
    ),
    "less_than": parse("Are there [fewer|less] {plural} than {seconds}"),
    "greater_than": parse("Are there more {plural} than {seconds}"),
    "equal_integer": parse(
        "[Are there as many {plural} as {seconds}|Is the number of {plural} the same as the number of {seconds}]"
    ),
    "compare": parse(
        "[Do the {single} and the {other} have the same {attribute}|Is the {single} the same {attribute} as the "
        "{other}|Does the {single} have the same {attribute} as the {other}|Are the {single} and the {other} the same "
        "{attribute}|Are the {single} and the {other} of the same {attribute}]"
    ),
    "count same": parse(
        "How many [other |]{heads} [have|are|are of] the same {attribute} as the {end}"
    ),
    "exist same": parse(
        "[Is there anything else [of|with|that has|that is] the same {attribute} as the {end}|"
        "Are there any other {heads} [of|with|that have|that are|] the same {attribute} as the {end}]"
    ),
}  # fmt: skip
KINDS = {
    "count all": 0.5, "count": 6.0, "exist": 4.0, "exist anything": 2.0, "statement": 6.0, "universal": 4.0,
    "universal anything": 1.0,
    "count there": 0.7,
    "query": 4.0, "query or": 1.0, "query size": 1.0, "query material": 1.0,
    "either": 2.0, "either list": 0.5, "either head": 2.0,
    "any either": 1.5, "any either head": 1.0, "less_than": 0.7, "greater_than": 0.7, "equal_integer": 0.5,
    "compare": 1.5, "count same": 0.7, "exist same": 0.7,
}  # fmt: skip


class Paraphrase(NamedTuple):
    """A question with its program, and the kind of its wording: a key of `FRAMES`."""

    question: str
    program: Program
    kind: str

    def record(self) -> dict[str, Any]:
        """The fields of a released question that the parser reads."""
        return {"question": self.question, "program": self.program}


Texts = dict[str, Callable[[], str]]
Drawn = tuple[Texts, Tree]


def paraphrases(count: int, seed: int) -> list[Paraphrase]:
    """`count` random questions."""
    rng = Random(f"paraphrases {seed}")
    kinds = rng.choices(list(KINDS), list(KINDS.values()), k=count)
    return [paraphrase(kind, rng) for kind in kinds]


def paraphrase(kind: str, rng: Random) -> Paraphrase:
    """A random question of a kind."""
    texts, tree = DRAWN[kind.split()[0]](kind, Nouns(rng))
    text = realise(FRAMES[kind], lambda slot: texts[slot](), rng)
    text = ARTICLE.sub("", text) if rng.random() < NO_ARTICLES else text
    return Paraphrase(f"{text[0].upper()}{text[1:]}?", nodes_of(tree), kind)


def _asked(function: str, *inputs: Tree) -> Tree:
    return Tree(Token(function, ""), inputs)


def _texts(nouns: Nouns, group: Group) -> Texts:
    """Texts of one group: as a noun phrase, and split into a noun and a predicate."""
    head, stated = split(nouns.rng, group)
    return {
        "single": lambda: nouns.noun(group),
        "a": lambda: article(nouns.noun(group)),
        "plural": lambda: nouns.noun(group, True),
        "heads": lambda: nouns.noun(head, True),
        "predicate": lambda: nouns.predicate(stated),
        "predicates": lambda: nouns.predicate(stated, True),
    }


def _pair(nouns: Nouns, one: Group, two: Group) -> Texts:
    """Texts of two groups, the second also as a predicate of the first."""
    return {
        "single": lambda: nouns.noun(one),
        "a": lambda: article(nouns.noun(one)),
        "plural": lambda: nouns.noun(one, True),
        "other": lambda: nouns.noun(two),
        "second": lambda: article(nouns.noun(two)),
        "seconds": lambda: nouns.noun(two, True),
        "predicate": lambda: nouns.predicate(two),
        "described": lambda: nouns.predicate(two, may_be_both=True),
        "predicates": lambda: nouns.predicate(two, True),
    }


def _set(kind: str, nouns: Nouns) -> Drawn:
    """Number or existence of a group."""
    function = kind.split()[0]
    if kind.endswith("all"):
        return {}, _asked(function, SCENE)
    if kind.endswith("same"):
        return _alike(function, nouns)
    group = random_group(nouns.rng, linked=1.0 if kind == "count there" else LINKED)
    if kind == "count there":
        noun, tie = Group(group.description), Group(BLANK, group.links)
        texts: Texts = {"heads": lambda: nouns.noun(noun, True), "predicates": lambda: nouns.predicate(tie, True)}
        return texts, _asked(function, set_tree(group))
    if kind == "exist anything":
        group = Group(random_description(nouns.rng)) if not group.links else Group(BLANK, group.links)
        return _pair(nouns, Group(BLANK), group), _asked(function, set_tree(group))
    return _texts(nouns, group), _asked(function, set_tree(group))


def _alike(function: str, nouns: Nouns) -> Drawn:
    """Number or existence of things that share an attribute with one other thing."""
    attribute, rng = nouns.rng.choice(list(ATTRIBUTES)), nouns.rng
    end = random_group(rng, attribute, linked=0)
    is_blank = function == "exist" or rng.random() < 0.6
    head = Group(BLANK if is_blank else random_description(rng, attribute))
    texts: Texts = {
        "heads": lambda: nouns.noun(head, True),
        "end": lambda: nouns.noun(end),
        "attribute": lambda: attribute,
    }
    return texts, _asked(function, set_tree(Group(head.description, (Link("same", attribute, end),))))


def _statement(kind: str, nouns: Nouns) -> Drawn:
    """Whether the one thing of a group is in a second one."""
    rng = nouns.rng
    subject = random_group(rng, rng.choice(list(ATTRIBUTES)))
    stated = _stated(rng, subject, linked=0 if subject.links else LINKED_STATEMENT)
    return _pair(nouns, subject, stated), _asked("exist", _asked("intersect", set_tree(subject), set_tree(stated)))


def _stated(rng: Random, subject: Group, linked: float = 0.0) -> Group:
    """A group that may be said of a subject: a relation, or one or two values of other attributes."""
    if rng.random() < linked:
        return Group(BLANK, random_group(rng, linked=1).links)
    free = [place for place, value in enumerate(subject.description) if not value]
    chosen = rng.sample(free, min(len(free), 1 + (rng.random() < TWO_STATED)))
    values = [rng.choice(known) if k in chosen else "" for k, known in enumerate(ATTRIBUTES.values())]
    return Group(tuple(values))  # type: ignore[arg-type]


def _universal(kind: str, nouns: Nouns) -> Drawn:
    """Whether all things of a group fit a description."""
    rng = nouns.rng
    subject = Group(BLANK) if kind.endswith("anything") else random_group(rng, rng.choice(list(ATTRIBUTES)), linked=0.1)
    stated = _stated(rng, subject)
    everything = set_tree(subject)
    counts = [_asked("count", tree) for tree in (everything, filtered(everything, stated.description))]
    return _pair(nouns, subject, stated), _asked("equal_integer", *counts)


def _query(kind: str, nouns: Nouns) -> Drawn:
    """An attribute of the one thing of a group."""
    attribute = kind.partition(" ")[2]
    attribute = attribute if attribute in ATTRIBUTES else nouns.rng.choice(list(ATTRIBUTES))
    group = random_group(nouns.rng, attribute)
    one, two = nouns.rng.sample(ATTRIBUTES[attribute], 2)
    texts = _texts(nouns, group) | {
        "attribute": lambda: attribute,
        "one": lambda: nouns.predicate(Group(_only(attribute, one))),
        "two": lambda: article(nouns.word(two)) if attribute == "shape" else nouns.word(two),
    }
    return texts, _asked(f"query_{attribute}", _asked("unique", set_tree(group)))


def _either(kind: str, nouns: Nouns) -> Drawn:
    """Number or existence of what is in one of several groups; with a head: of its things with one of two values."""
    function, rng = "exist" if kind.startswith("any") else "count", nouns.rng
    if not kind.endswith("head"):
        groups = [random_group(rng, linked=0) for _ in range(3 if kind.endswith("list") else 2)]
        trees = list(map(set_tree, groups))
        united = _asked("union", _asked("union", *trees[:2]), trees[2]) if len(trees) == 3 else _asked("union", *trees)
        texts = _pair(nouns, groups[0], groups[-1]) | {
            "a": lambda: article(nouns.noun(groups[0], has_clause=False)),
            "plural": lambda: nouns.noun(groups[0], True, has_clause=False),
            "thirds": lambda: nouns.noun(groups[1], True, has_clause=False),
        }
        return texts, _asked(function, united)
    attribute = rng.choice(HEADED)
    base = random_description(rng, attribute, is_blank=True)
    one, two = (_only(attribute, value) for value in rng.sample(ATTRIBUTES[attribute], 2))
    united = _asked("union", filtered(SCENE, one), filtered(SCENE, two))
    texts: Texts = {
        "bases": lambda: nouns.noun(Group(base), True),
        "adjectives": lambda: f"{nouns.word(''.join(one))} or {nouns.word(''.join(two))}",
        "predicates": lambda: nouns.predicate(Group(one), True),
        "second_predicates": lambda: nouns.predicate(Group(two), True),
    }
    return texts, _asked(function, filtered(united, base))


def _only(attribute: str, value: str) -> Description:
    return tuple(value if name == attribute else "" for name in ATTRIBUTES)  # type: ignore[return-value]


def _numbers(kind: str, nouns: Nouns) -> Drawn:
    """Comparison of the numbers of two groups."""
    groups = [random_group(nouns.rng, linked=0.1) for _ in range(2)]
    return _pair(nouns, *groups), _asked(kind, *(_asked("count", set_tree(group)) for group in groups))


def _compare(kind: str, nouns: Nouns) -> Drawn:
    """Whether two things share an attribute."""
    attribute = nouns.rng.choice(list(ATTRIBUTES))
    groups = [random_group(nouns.rng, attribute, linked=0.1) for _ in range(2)]
    things = [_asked(f"query_{attribute}", _asked("unique", set_tree(group))) for group in groups]
    return _pair(nouns, *groups) | {"attribute": lambda: attribute}, _asked(f"equal_{attribute}", *things)


HEADED = ("size", "color", "color", "material")  # attributes of which "red or blue cubes" names two values
LINKED_STATEMENT, TWO_STATED = 0.3, 0.2  # probabilities that a statement is a relation, and of two values in it
DRAWN: dict[str, Callable[[str, Nouns], Drawn]] = {
    "count": _set,
    "exist": _set,
    "statement": _statement,
    "universal": _universal,
    "query": _query,
    "either": _either,
    "any": _either,
    "less_than": _numbers,
    "greater_than": _numbers,
    "equal_integer": _numbers,
    "compare": _compare,
}
