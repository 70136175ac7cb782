"""Questions for what is related to a described object: what is on the table, what has its color."""

from __future__ import annotations

from nsmodels.datasets.gqa.programs.operations import SHARED
from nsmodels.datasets.gqa.questions.asking import Asker
from nsmodels.datasets.gqa.questions.drafts import Draft
from nsmodels.datasets.gqa.questions.families.family import Family
from nsmodels.datasets.gqa.questions.families.ties import (
    HELD,
    PEOPLE,
    Tie,
    arranged_ties,
    place_of,
    ties,
)
from nsmodels.datasets.gqa.questions.nouns import ANY, Link, Noun
from nsmodels.datasets.gqa.questions.wording.english import SORTS, be, called

ARRANGED = 0.25  # share of questions that prefer relations such as "holding" to those of geometry
WHAT = ("What {is} {relation} {anchor}?", "What is the thing {relation} {anchor}?")
WHO = ("Who is {relation} {anchor}?", "Who is the person {relation} {anchor}?")
WHAT_OBJECT = ("What {is} {anchor} {relation}?", "What is it that {anchor} {is} {relation}?")
WHO_KIND = ("Who is the {kind} {relation} {anchor}?", "Who is {relation} {anchor}?")
KIND = ("What {kind} is {relation} {anchor}?", "Which {kind} is {relation} {anchor}?",
        "What kind of {sort} is {relation} {anchor}?", "What is the {kind} {relation} {anchor} called?")  # fmt: skip
KIND_OBJECT = ("What {kind} {is} {anchor} {relation}?", "Which {kind} {is} {anchor} {relation}?",
               "What kind of {sort} {is} {anchor} {relation}?")  # fmt: skip
SAME = ("Which {kind} has the same {trait} as {anchor}?", "What {kind} is of the same {trait} as {anchor}?",
        "What is the {kind} that has the same {trait} as {anchor}?")  # fmt: skip


def _query_draft(ask: Asker, noun: Noun, anchor: Noun, tie: Tie, detailed: str, templates: tuple[str, ...],
                 group: str) -> Draft:  # fmt: skip
    relation, role = tie[0], tie[1]
    program = ask.program()
    program.add("query", [program.noun(noun)], "name")
    answer = ask.view.names[noun.thing]
    said, verb = called(noun.name, ask.rng) if noun.name != ANY else "thing", be(anchor.name) if role == "o" else "is"
    short, other = ask.short(noun), ask.short(anchor)
    if role == "o" and relation in HELD:
        short = ask.some(Noun(answer, (), None, noun.things))
    told = "{short} {is} {relation} {other}." if role == "s" else "{other} {is} {relation} {short}."
    scope = ("related", relation, role, ask.view.names[anchor.thing], noun.name)
    return Draft(
        "query relation" if noun.name == ANY else "query related category", detailed, "rel", "query", program, answer,
        templates, told, {"relation": relation, "anchor": ask.the(anchor), "is": verb, "kind": [(said, noun.thing)],
         "sort": SORTS.get(noun.name, noun.name)},
        group, place_of(ask, answer), (noun, anchor), (("has", noun, "name", answer),), scope=scope, named=noun.thing,
        told_slots={"short": short, "other": other, "relation": relation, "is": be(answer) if role == "s" else be(
            ask.view.names[anchor.thing])},
    )  # fmt: skip


def query(ask: Asker) -> Draft | None:
    """ "What is to the left of the table?", "Who is holding the umbrella?", "What is the man wearing?"."""
    for tie in arranged_ties(ask) if ask.rng.random() < ARRANGED else ties(ask):
        relation, role, place, mask = tie
        if mask & (mask - 1):
            continue
        anchor = ask.find.the(place, "", mask)
        if anchor is None:
            continue
        thing = mask.bit_length() - 1
        noun = Noun(ANY, (), Link(relation, role, anchor), (thing,))
        name = ask.view.names[place]
        ask.ties.append((tie, anchor))
        is_person = PEOPLE[0] in ask.source.lineage(ask.view.names[thing])
        if role == "s":
            return _query_draft(ask, noun, anchor, tie, "relS", WHO if is_person else WHAT, f"14-{name}_{relation},s")
        return _query_draft(ask, noun, anchor, tie, "relO", WHAT_OBJECT, f"14-{name}_{relation},o")
    return None


def query_category(ask: Asker) -> Draft | None:
    """ "Which animal is behind the car?", "What kind of fruit is the woman holding?"."""
    for tie in ties(ask):
        relation, role, place, mask = tie
        thing = ask.thing(mask)
        categories = ask.view.categories[thing]
        if not categories:
            continue
        kind = ask.rng.choice(categories)
        if mask & ask.view.called[kind] != 1 << thing:
            continue
        anchor = ask.find.the(place, "", mask)
        if anchor is None or anchor.name == kind:
            continue
        noun = Noun(kind, (), Link(relation, role, anchor), (thing,))
        ask.ties.append((tie, anchor))
        is_subject = role == "s"
        return _query_draft(
            ask, noun, anchor, tie, f"categoryRel{role.upper()}",
            WHO_KIND if is_subject and kind in PEOPLE else KIND if is_subject else KIND_OBJECT,
            f"15-{ask.view.names[place]}_{relation},{role}",
        )  # fmt: skip
    return None


def query_same(ask: Asker) -> Draft | None:
    """ "Which animal has the same color as the car?"."""
    view = ask.view
    place = ask.thing()
    kinds = [kind for kind in SHARED if place >= 0 and kind in view.values[place]]
    if not kinds:
        return None
    kind = ask.rng.choice(kinds)
    mask = view.related(f"same {kind}", ANY, place)
    thing = ask.thing(mask)
    if thing < 0:
        return None
    names = [ANY] if mask == 1 << thing else []
    names += [each for each in view.categories[thing] if mask & view.called[each] == 1 << thing]
    anchor = ask.find.the(place, kind, mask)
    if not names or anchor is None or anchor.name in names:
        return None
    name = ask.rng.choice(names)
    noun = Noun(name, (), Link(f"same {kind}", ANY, anchor), (thing,))
    program = ask.program()
    program.add("query", [program.noun(noun)], "name")
    answer = view.names[thing]
    said = "thing" if name == ANY else called(name, ask.rng)
    return Draft(
        "query same", "sameRelate", "rel", "query", program, answer, SAME,
        "{short} {has} the same {trait} as {other}.",
        {"kind": [(said, thing)], "trait": kind, "anchor": ask.the(anchor)}, f"13-{view.names[place]}_same {kind},_",
        place_of(ask, answer), (noun, anchor), (("has", noun, "name", answer),),
        scope=("related", f"same {kind}", ANY, view.names[place], name), named=thing,
        told_slots={"short": ask.short(noun), "other": ask.short(anchor), "trait": kind,
                    "has": "have" if be(answer) == "are" else "has"},
    )  # fmt: skip


RELATIONS = {
    "query relation": Family(query, 4.0, 17.0),
    "query related category": Family(query_category, 2.15, 9.5),
    "query same": Family(query_same, 3.3, 3.0),
}
