"""Questions about relations: what is related, whether it is, how it is, which of two it is."""

from __future__ import annotations

from nsmodels.datasets.gqa.questions.asking import Asker
from nsmodels.datasets.gqa.questions.drafts import Claim, Draft
from nsmodels.datasets.gqa.questions.english import SORTS, Pieces, be, called
from nsmodels.datasets.gqa.questions.families.family import Family
from nsmodels.datasets.gqa.questions.nouns import ANY, Link, Noun
from nsmodels.datasets.gqa.questions.view import SIDES, members
from nsmodels.formats.scenes.graphs import LEFT, RIGHT

PEOPLE = ("person", "worker")  # categories asked for with "who"
OPPOSITE = {LEFT: RIGHT, RIGHT: LEFT}
HELD = ("holding", "wearing", "riding")  # what somebody does with a thing, worded with "does" at times
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
EXIST = ("Is there {a} {relation} {anchor}?", "Do you see {a} {relation} {anchor}?",
         "Can you see {a} {relation} {anchor} in the {picture}?")  # fmt: skip
EXIST_MANY = ("{are} there any {many} {relation} {anchor}?", "Do you see any {many} {relation} {anchor}?")
VERIFY = ("{is} {one} {relation} {two}?",)
CHOOSE_SIDE = ("{is} {one} to the {a} or to the {b} of {two}?", "On which side of {two} {is} {one}, {a} or {b}?",
               "{is} {one} to the {a} of {two} or to the {b} of it?")  # fmt: skip
CHOOSE_REL = ("{is} {one} {a} or {b} {two}?", "What {is} {one} in relation to {two}, {a} or {b} it?")
CHOOSE_NAME = ("What is {relation} {anchor}, {a} or {b}?", "Which is {relation} {anchor}, {a} or {b}?")
CHOOSE_OBJECT = ("What {is} {anchor} {relation}, {a} or {b}?", "Which {is} {anchor} {relation}, {a} or {b}?")

Tie = tuple[str, str, int, int]  # relation, role, anchor, mask of all objects in the role


def _ties(ask: Asker) -> list[Tie]:
    """All relations with a given end, in random order; left and right as subjects mostly."""
    found: list[Tie] = []
    view = ask.view
    for anchor in range(view.count):
        for relation in {relation for relation, _ in view.back[anchor]}:
            found.append((relation, "s", anchor, view.subjects[relation][anchor]))
        for relation in {relation for relation, _ in view.links[anchor]}:
            if relation not in ask.words.inverses:
                found.append((relation, "o", anchor, view.objects[relation][anchor]))
    found.sort()
    ask.rng.shuffle(found)
    return found


def _weighted(ask: Asker, ties: list[Tie]) -> list[Tie]:
    """The ties, those of arranged relations before those of geometry at times."""
    if ask.rng.random() < 0.35:
        ties.sort(key=lambda tie: tie[0] in SIDES)
    return ties


def place_of(ask: Asker, name: str) -> str:
    """The global group of an answer that is a name: its category, "object" without one."""
    parents = ask.words.parents.get(name, ())
    return parents[0] if parents else "object"


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
    for tie in _weighted(ask, _ties(ask))[:8]:
        relation, role, place, mask = tie
        if mask & (mask - 1):
            continue
        anchor = ask.find.the(place, "", mask)
        if anchor is None:
            continue
        thing = mask.bit_length() - 1
        noun = Noun(ANY, (), Link(relation, role, anchor), (thing,))
        name = ask.view.names[place]
        is_person = PEOPLE[0] in ask.source.lineage(ask.view.names[thing])
        if role == "s":
            return _query_draft(ask, noun, anchor, tie, "relS", WHO if is_person else WHAT, f"14-{name}_{relation},s")
        return _query_draft(ask, noun, anchor, tie, "relO", WHAT_OBJECT, f"14-{name}_{relation},o")
    return None


def query_category(ask: Asker) -> Draft | None:
    """ "Which animal is behind the car?", "What kind of fruit is the woman holding?"."""
    for tie in _ties(ask)[:8]:
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
    kinds = [kind for kind in ("color", "material") if place >= 0 and kind in view.values[place]]
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


def _anchored(ask: Asker) -> tuple[Tie, Noun] | None:
    for tie in _ties(ask)[:4]:
        anchor = ask.find.the(tie[2], "", tie[3])
        if anchor is not None:
            return tie, anchor
    return None


def exist_related(ask: Asker) -> Draft | None:
    """ "Is there a dog to the left of the table?"."""
    found = _anchored(ask)
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
    asked = relation if is_true else _contrary(ask, one, relation, two)
    if asked is None:
        return None
    return _verified(ask, subject, target, relation, asked)


def _contrary(ask: Asker, one: int, relation: str, two: int) -> str | None:
    """A relation that plainly does not hold between two objects for which `relation` does."""
    if relation in OPPOSITE:
        return OPPOSITE[relation]
    inverse = ask.words.inverses.get(relation)
    if inverse is not None:
        return inverse if inverse != relation and not ask.view.related(inverse, "s", two) >> one & 1 else None
    held = {name for name, other in ask.view.links[one] if other == two}
    rivals = [name for name in HELD if name in ask.words.relations and name not in held]
    return ask.rng.choice(rivals) if relation in HELD and rivals else None


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


def choose_relation(ask: Asker) -> Draft | None:
    """ "Is the dog to the left or to the right of the table?", "Is the woman holding or wearing the hat?"."""
    pairs = [(one, relation, two) for one in range(ask.view.count) for relation, two in ask.view.links[one]]
    if not pairs:
        return None
    one, relation, two = ask.rng.choice(pairs)
    rival = _contrary(ask, one, relation, two)
    subject = ask.find.the(one, "", 1 << two)
    target = None if subject is None else ask.find.the(two, "", subject.mentioned)
    if rival is None or subject is None or target is None or len(members(ask.view.called[subject.name])) > 1:
        return None
    program = ask.program()
    argument = program.marked(f"{subject.name},{relation}|{rival},s", subject.things)
    held = Noun(subject.name, (), Link(relation, "s", target), subject.things)
    program.add("choose rel", [program.noun(target)], argument)
    is_side = relation in SIDES
    said = {LEFT: "left", RIGHT: "right"}
    answer, other = said.get(relation, relation), said.get(rival, rival)
    a, b = ask.rng.sample((answer, other), 2)
    names = ask.view.names
    return Draft(
        "choose relation", "relChooser", "rel", "choose", program, answer, CHOOSE_SIDE if is_side else CHOOSE_REL[:1],
        "{short} {is} {relation} {other}.",
        {"one": ask.the(subject), "two": ask.the(target), "is": be(subject.name), "a": a, "b": b},
        f"13-{names[two]}_{names[one]}", None, (subject, target), (("some", held),), rival=other,
        scope=("options", answer, other),
        told_slots={"short": ask.short(subject), "other": ask.short(target), "relation": relation, "is": be(names[one])},
    )  # fmt: skip


def choose_name(ask: Asker) -> Draft | None:
    """ "What is on the table, a cup or a book?"."""
    for tie in _ties(ask)[:8]:
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
        templates = CHOOSE_NAME if role == "s" else CHOOSE_OBJECT
        told = "{short} {is} {relation} {other}." if role == "s" else "{other} {is} {relation} {short}."
        names = ask.view.names
        return Draft(
            "choose name", f"chooseObjectRel{role.upper()}" if role == "o" else "chooseObjectRel", "rel", "choose",
            program, answer, templates, told,
            {"relation": relation, "anchor": ask.the(anchor), "is": be(anchor.name), "a": a, "b": b},
            f"15c-{'_'.join(sorted((answer, rival)))}", place_of(ask, answer), (noun, anchor),
            (("has", noun, "name", answer),), rival=rival, scope=("options", answer, rival), named=thing,
            told_slots={"short": ask.short(noun), "other": ask.short(anchor), "relation": relation,
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


RELATIONS = {
    "query relation": Family(query, 4.0, 17.0),
    "query related category": Family(query_category, 2.15, 9.5),
    "query same": Family(query_same, 3.3, 3.0),
    "verify related": Family(exist_related, 1.4, 5.4),
    "verify relation": Family(verify, 1.45, 5.4),
    "choose relation": Family(choose_relation, 1.25, 3.2),
    "choose name": Family(choose_name, 0.75, 3.2),
}
