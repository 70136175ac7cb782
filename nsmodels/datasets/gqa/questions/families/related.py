"""Questions whether a relation holds: whether there is a dog beside the table, whether the plate is beside it."""

from __future__ import annotations

from nsmodels.datasets.gqa.questions.asking import Asker
from nsmodels.datasets.gqa.questions.drafts import Claim, Draft
from nsmodels.datasets.gqa.questions.families.family import Family
from nsmodels.datasets.gqa.questions.families.ties import (
    HELD,
    OPPOSITE,
    anchored,
    contrary,
)
from nsmodels.datasets.gqa.questions.nouns import Link, Noun
from nsmodels.datasets.gqa.questions.view import SIDES, members
from nsmodels.datasets.gqa.questions.wording.english import Pieces, be

EXIST = ("Is there {a} {relation} {anchor}?", "Do you see {a} {relation} {anchor}?",
         "Can you see {a} {relation} {anchor} in the {picture}?")  # fmt: skip
EXIST_MANY = ("{are} there any {many} {relation} {anchor}?", "Do you see any {many} {relation} {anchor}?")
VERIFY = ("{is} {one} {relation} {two}?",)


def exist_related(ask: Asker) -> Draft | None:
    """ "Is there a dog to the left of the table?"."""
    found = anchored(ask)
    if found is None or (found[0][1] == "o" and found[0][0] not in HELD):
        return None
    (relation, role, place, mask), anchor = found
    view = ask.view
    is_true = ask.rng.random() < 0.5
    if is_true:
        thing = ask.thing(mask)
        name = view.names[thing] if ask.rng.random() < 0.8 or not view.categories[thing] else ask.rng.choice(
            view.categories[thing])  # fmt: skip
    else:
        name = _unrelated(ask, relation, role, place)
    if not name or name == anchor.name:
        return None
    noun = Noun(name, (), Link(relation, role, anchor), members(mask & view.called.get(name, 0)))
    program = ask.program()
    program.add("exist", [program.noun(noun)], "?")
    slots, templates = _exist_words(ask, noun, relation, role, anchor)
    told, told_slots = _exist_told(ask, noun, anchor, is_true, mask)
    return Draft(
        "verify related", f"existRel{role.upper()}{'' if is_true else 'C'}", "rel", "verify", program,
        "yes" if is_true else "no", templates, told, slots, f"13-{view.names[place]}_{name}", None, (anchor,),
        (("some" if is_true else "none", noun),), scope=("truth",), told_slots=told_slots,
    )  # fmt: skip


def _unrelated(ask: Asker, relation: str, role: str, place: int) -> str | None:
    """A name without objects in the relation; of objects that are there only such as are plainly not in it."""
    view = ask.view
    if relation in SIDES and ask.rng.random() < 0.35:
        thing = ask.thing(view.related(OPPOSITE[relation], "s", place))
        if thing >= 0 and all(each == thing for each in members(view.called[view.names[thing]])):
            return view.names[thing]
    return ask.absent(ask.source.relatives(relation, role))


def _exist_words(
    ask: Asker, noun: Noun, relation: str, role: str, anchor: Noun
) -> tuple[dict[str, str | Pieces], tuple[str, ...]]:
    plain = Noun(noun.name, (), None, noun.things)
    if role == "o":  # "Is there a cup that the man is holding?"
        return {"a": ask.some(noun), "relation": "", "anchor": ""}, EXIST[:2]
    if len(noun.things) <= 1 and be(noun.name) == "is" and ask.rng.random() < 0.65:
        return {"a": ask.some(plain), "relation": relation, "anchor": ask.the(anchor)}, EXIST
    many = ask.some(plain, "plural")
    are = "is" if many[-1] == plain.name or (isinstance(many[-1], tuple) and many[-1][0] == plain.name) else "are"
    are = "are" if be(noun.name) == "are" else are
    return {"many": many, "are": are, "relation": relation, "anchor": ask.the(anchor)}, EXIST_MANY


def _exist_told(ask: Asker, noun: Noun, anchor: Noun, is_true: bool, mask: int) -> tuple[str, dict[str, str | Pieces]]:
    assert noun.link is not None
    relation, role, _ = noun.link
    shown = noun.things[0] if noun.things else (members(mask) or (-1,))[0]
    if shown < 0:
        return "No, there is no such thing.", {}
    name = ask.view.names[shown]
    slots: dict[str, str | Pieces] = {
        "a": ask.some(Noun(name, (), None, (shown,))),
        "is": be(name),
        "relation": relation,
    }
    slots |= {"anchor": ask.short(anchor), "be": be(ask.view.names[anchor.thing])}
    start = "Yes" if is_true else "No"
    if role == "o":
        return start + ", {anchor} {be} {relation} {a}.", slots
    return start + ", there {is} {a} {relation} {anchor}.", slots


def verify(ask: Asker) -> Draft | None:
    """ "Is the plate to the right of the pizza?", "Is the plate to the right of a cake?"."""
    pairs = [(one, relation, two) for one in range(ask.view.count) for relation, two in ask.view.links[one]]
    if not pairs:
        return None
    one, relation, two = ask.rng.choice(pairs)
    subject = ask.find.the(one, "", 1 << two)
    if subject is None:
        return None
    if ask.rng.random() < 0.3:
        return _verify_absent(ask, subject, relation, two)
    target = ask.find.the(two, "", subject.mentioned)
    if target is None or target.mentioned & 1 << one:
        return None
    is_true = ask.rng.random() < 0.5
    asked = relation if is_true else contrary(ask, one, relation, two)
    if asked is None:
        return None
    return _verified(ask, subject, target, relation, asked)


def _verified(ask: Asker, subject: Noun, target: Noun, relation: str, asked: str) -> Draft | None:
    program = ask.program()
    view, is_true = ask.view, relation == asked
    start, named, role = (target, subject, "s") if ask.rng.random() < 0.6 else (subject, target, "o")
    # As released, the program keeps only the name of the second object.
    if bool(view.called[named.name] & view.related(asked, role, start.thing)) != is_true:
        return None
    pattern = Noun(named.name, (), Link(asked, role, start), named.things if is_true else ())
    program.add("verify rel", [program.noun(start)], program.marked(f"{named.name},{asked},{role}", named.things))
    one, two = view.names[subject.thing], view.names[target.thing]
    claims: tuple[Claim, ...] = (("some" if is_true else "none", pattern),)
    return Draft(
        "verify relation", "relVerify" if is_true else "relVerifyCr", "rel", "verify", program,
        "yes" if is_true else "no", VERIFY, ("Yes" if is_true else "No") + ", {short} {is} {relation} {other}.",
        {"one": ask.the(subject), "two": ask.the(target), "is": be(subject.name), "relation": asked},
        f"13-{one}_{two}", None, (subject, target), claims, scope=("truth",),
        told_slots={"short": ask.short(subject), "other": ask.short(target), "relation": relation, "is": be(one)},
    )  # fmt: skip


def _verify_absent(ask: Asker, subject: Noun, relation: str, two: int) -> Draft | None:
    """ "Is the plate to the right of a cake?", where there is a cake to the left of it, or none."""
    view = ask.view
    is_true = ask.rng.random() < 0.5
    name = view.names[two] if is_true else ask.absent(ask.source.relatives(relation, "o"))
    if name is None or name == subject.name:
        return None
    things = members(view.called.get(name, 0) & view.objects[relation][subject.thing])
    noun = Noun(name, (), Link(relation, "o", subject), things)
    program = ask.program()
    program.add("verify rel", [program.noun(subject)], program.marked(f"{name},{relation},o", things))
    one = view.names[subject.thing]
    return Draft(
        "verify relation", "relVerify" if is_true else "relVerifyCo", "rel", "verify", program,
        "yes" if is_true else "no", VERIFY, ("Yes" if is_true else "No") + ", {short} {is} {relation} {other}.",
        {"one": ask.the(subject), "two": ask.some(Noun(name, (), None, things)), "is": be(subject.name),
         "relation": relation},
        f"13-{one}_{name}", None, (subject,), (("some" if is_true else "none", noun),), scope=("truth",),
        told_slots={"short": ask.short(subject), "other": ask.the(Noun(view.names[two], (), None, (two,))),
                    "relation": relation, "is": be(one)},
    )  # fmt: skip


RELATED = {
    "verify related": Family(exist_related, 1.4, 5.4),
    "verify relation": Family(verify, 1.45, 5.4),
}
