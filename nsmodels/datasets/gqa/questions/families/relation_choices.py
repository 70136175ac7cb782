"""Questions with two options about a relation: on which side, holding or wearing, a cup or a book on the table."""

from __future__ import annotations

from nsmodels.datasets.gqa.questions.asking import Asker
from nsmodels.datasets.gqa.questions.drafts import Claim, Draft
from nsmodels.datasets.gqa.questions.families.family import Family
from nsmodels.datasets.gqa.questions.families.ties import (
    HELD,
    PEOPLE,
    contrary,
    place_of,
    ties,
)
from nsmodels.datasets.gqa.questions.nouns import ANY, Link, Noun
from nsmodels.datasets.gqa.questions.view import SIDES, members
from nsmodels.datasets.gqa.questions.wording.english import be
from nsmodels.formats.scenes.graphs import LEFT, RIGHT

CHOOSE_SIDE = ("{is} {one} to the {a} or to the {b} of {two}?", "On which side of {two} {is} {one}, {a} or {b}?",
               "{is} {one} to the {a} of {two} or to the {b} of it?")  # fmt: skip
CHOOSE_REL = ("{is} {one} {a} or {b} {two}?", "What {is} {one} in relation to {two}, {a} or {b} it?")
CHOOSE_NAME = ("What is {relation} {anchor}, {a} or {b}?", "Which of the two is {relation} {anchor}, {a} or {b}?")
CHOOSE_WHO = ("Who is {relation} {anchor}, {a} or {b}?",)
CHOOSE_OBJECT = ("What {is} {anchor} {relation}, {a} or {b}?", "What is it that {anchor} {is} {relation}, {a} or {b}?")


def choose_relation(ask: Asker) -> Draft | None:
    """ "Is the dog to the left or to the right of the table?", "Is the woman holding or wearing the hat?"."""
    pairs = [(one, relation, two) for one in range(ask.view.count) for relation, two in ask.view.links[one]]
    if not pairs:
        return None
    one, relation, two = ask.rng.choice(pairs)
    rival = contrary(ask, one, relation, two)
    subject = ask.find.the(one, "", 1 << two)
    target = None if subject is None else ask.find.the(two, "", subject.mentioned)
    if rival is None or subject is None or target is None or len(members(ask.view.called[subject.name])) > 1:
        return None
    program = ask.program()
    argument = program.marked(f"{subject.name},{relation}|{rival},s", subject.things)
    claims: tuple[Claim, ...] = (
        ("some", Noun(subject.name, (), Link(relation, "s", target), subject.things)),
        ("none", Noun(subject.name, (), Link(rival, "s", target))),
    )
    program.add("choose rel", [program.noun(target)], argument)
    is_side = relation in SIDES
    said = {LEFT: "left", RIGHT: "right"}
    answer, other = said.get(relation, relation), said.get(rival, rival)
    a, b = ask.rng.sample((answer, other), 2)
    names = ask.view.names
    # Of two sides the executor takes the nearer one where neither is stated: the answer establishes none.
    return Draft(
        "choose relation", "relChooser", "rel", "choose", program, answer, CHOOSE_SIDE if is_side else CHOOSE_REL[:1],
        "{short} {is} {relation} {other}.",
        {"one": ask.the(subject), "two": ask.the(target), "is": be(subject.name), "a": a, "b": b},
        f"13-{names[two]}_{names[one]}", None, (subject, target), () if is_side else claims, (claims,), other,
        ("options", answer, other),
        told_slots={"short": ask.short(subject), "other": ask.short(target), "relation": relation,
                    "is": be(names[one])},
    )  # fmt: skip


def choose_name(ask: Asker) -> Draft | None:
    """ "What is on the table, a cup or a book?"."""
    for tie in ties(ask):
        relation, role, place, mask = tie
        anchor = ask.find.the(place, "", mask) if not mask & (mask - 1) else None
        if anchor is None:
            continue
        thing = mask.bit_length() - 1
        answer = ask.view.names[thing]
        rival = _rival(ask, answer, relation, role)
        if rival is None:
            return None
        noun = Noun(ANY, (), Link(relation, role, anchor), (thing,))
        program = ask.program()
        program.add("choose name", [program.noun(noun)], f"{answer}|{rival}")
        options = [ask.some(Noun(each, (), None, (thing,) if each == answer else ())) for each in (answer, rival)]
        a, b = ask.rng.sample(options, 2)
        are_people = all(PEOPLE[0] in ask.source.lineage(each) for each in (answer, rival))
        templates = (CHOOSE_WHO if are_people else CHOOSE_NAME) if role == "s" else CHOOSE_OBJECT
        told = "{short} {is} {relation} {other}." if role == "s" else "{other} {is} {relation} {short}."
        names = ask.view.names
        return Draft(
            "choose name", f"chooseObjectRel{role.upper()}" if role == "o" else "chooseObjectRel", "rel", "choose",
            program, answer, templates, told,
            {"relation": relation, "anchor": ask.the(anchor), "is": be(anchor.name), "a": a, "b": b},
            f"15c-{'_'.join(sorted((answer, rival)))}", place_of(ask, answer), (noun, anchor),
            (("has", noun, "name", answer),), rival=rival, scope=("options", answer, rival), named=thing,
            told_slots={"short": options[0] if relation in HELD and role == "o" else ask.short(noun),
                        "other": ask.short(anchor), "relation": relation,
                        "is": be(answer) if role == "s" else be(names[place])},
        )  # fmt: skip
    return None


def _rival(ask: Asker, answer: str, relation: str, role: str) -> str | None:
    """A name for a choice, of the same category mostly, which occurs in the relation and is not in the image."""
    own = ask.source.lineage(answer)
    for _ in range(12):
        name = ask.source.relatives(relation, role).draw(ask.rng, ask.view.called)
        if name is None or name in own or answer in ask.source.lineage(name):
            continue
        if ask.rng.random() < 0.3 or set(ask.words.parents.get(name, ())) & set(own):
            return name
    return None


RELATION_CHOICES = {
    "choose relation": Family(choose_relation, 1.25, 3.2),
    "choose name": Family(choose_name, 0.75, 3.2),
}
