"""Questions about attributes of one object: what it is, whether it is, which of two it is."""

from __future__ import annotations

from nsmodels.datasets.gqa.questions.asking import FOLLOWED, Asker
from nsmodels.datasets.gqa.questions.drafts import Draft
from nsmodels.datasets.gqa.questions.families.family import Family
from nsmodels.datasets.gqa.questions.nouns import Noun
from nsmodels.datasets.gqa.questions.wording.english import SIDES, be, do, predicate

# Templates by attribute type, with the detailed type of the release.
QUERIES: dict[str, dict[str, tuple[str, ...]]] = {
    "color": {
        "directWhich": ("What color {is} {the}?", "Which color {does} {the} have?", "Which color {is} {the}?"),
        "directOf": ("What is the color of {the}?", "{the} {is} of which color?", "What's the color of {the}?"),
    },
    "material": {
        "material": ("What {is} {the} made of?", "What material {is} {the} made of?"),
        "directOf": ("What is the material of {the}?", "{the} {is} made of which material?"),
    },
    "size": {
        "how": ("How big {is} {the}?", "How large {is} {the}?"),
        "directOf": ("What is the size of {the}?", "What size {is} {the}?"),
    },
    "height": {
        "how": ("How tall {is} {the}?",),
        "directOf": ("What is the height of {the}?", "{the} {is} of what height?"),
    },
    "shape": {
        "directWhich": ("What shape {is} {the}?", "Which shape {does} {the} have?"),
        "directOf": ("What is the shape of {the}?", "{the} {is} of what shape?"),
    },
    "pose": {
        "activity": ("What {is} {the} doing?", "What {is} {the} doing in this {picture}?"),
        "directWhich": ("What pose {is} {the} in?", "In which pose {is} {the}?"),
    },
    "pattern": {
        "directWhich": ("Which pattern {does} {the} have?", "What kind of pattern {does} {the} have?"),
        "directOf": ("What is the pattern of {the}?", "What's the pattern on {the}?"),
    },
    "hposition": {
        "positionQuery": ("On which side of the {picture} {is} {the}?", "Which side of the {picture} {is} {the} on?")
    },
}
CHOICES = {
    "color": ("{is} {the} {one} or {two}?", "What color {is} {the}, {one} or {two}?",
              "{does} {the} look {one} or {two}?"),
    "material": ("{is} {the} made of {one} or {two}?", "What {is} {the} made of, {one} or {two}?"),
    "hposition": ("{is} {the} on the {one} or on the {two} of the {picture}?",
                  "On which side of the {picture} {is} {the}, {one} or {two}?"),
    "vposition": ("{is} {the} at the {one} or at the {two} of the {picture}?",
                  "In which part of the {picture} {is} {the}, {one} or {two}?"),
    "pose": ("{is} {the} {one} or {two}?", "What {is} {the} doing, {one} or {two}?"),
    "": ("{is} {the} {one} or {two}?", "{does} {the} look {one} or {two}?"),
}  # fmt: skip
VERIFIES = {
    "color": ("{is} {the} {said}?", "{does} {the} look {said}?", "Is the color of {the} {said}?"),
    "": ("{is} {the} {said}?",),
    "size": ("{is} {the} {said}?", "{does} {the} look {said}?"),
}
BOTH = ("{is} {the} both {one} and {two}?", "{is} {the} {one} and {two}?")
EITHER = ("{is} {the} either {one} or {two}?",)
WEIGHTS = {"color": 9.0, "hposition": 1.6, "vposition": 0.8, "state": 1.0, "material": 1.6, "pose": 2.2, "pattern": 1.6}


def value_of(ask: Asker, thing: int, kind: str) -> str:
    """The value that an object has of a type; empty: none, or too near the middle to tell."""
    side = ask.view.sides.get(kind)
    return side[thing] if side else ask.view.values[thing].get(kind, "")


def _subject(ask: Asker, kinds: tuple[str, ...] | None = None) -> tuple[str, str, Noun] | None:
    """A type, the value, and the object that has it, described without it."""
    if ask.subjects and ask.rng.random() < FOLLOWED:
        found = ask.rng.choice(ask.subjects)
        if kinds is None or found[0] in kinds:
            return found
    thing = ask.thing()
    if thing < 0:
        return None
    found = [*ask.view.values[thing], *(kind for kind in SIDES if ask.view.sides[kind][thing])]
    found = [kind for kind in found if kinds is None or kind in kinds]
    if not found:
        return None
    kind = ask.rng.choices(found, [WEIGHTS.get(each, 1.0) for each in found])[0]
    noun = ask.find.the(thing, kind)
    if noun is None or (kind in SIDES and _tells_place(noun)):
        return None
    ask.subjects.append((kind, value_of(ask, thing, kind), noun))
    return ask.subjects[-1]


def _tells_place(noun: Noun) -> bool:
    return any(trait.kind in SIDES for trait in noun.traits) or noun.link is not None


def _named(noun: Noun, ask: Asker) -> str:
    return ask.view.names[noun.thing]


def query(ask: Asker) -> Draft | None:
    """ "What color is the dog?"."""
    found = _subject(ask, tuple(QUERIES))
    if found is None:
        return None
    kind, value, noun = found
    detailed = ask.rng.choice(list(QUERIES[kind]))
    program = ask.program()
    program.add("query", [program.noun(noun)], kind)
    name = _named(noun, ask)
    return Draft(
        f"query {'color' if kind == 'color' else 'attribute'}", detailed, "attr", "query", program, value,
        QUERIES[kind][detailed], "{short} {is} {said}.",
        {"the": ask.the(noun), "is": be(noun.name), "does": do(noun.name)},
        f"10q-{name}_{kind}", None if kind in SIDES else kind, (noun,), (("has", noun, kind, value),),
        scope=("value", name, kind),
        told_slots={"short": ask.short(noun), "is": be(name), "said": predicate(kind, value, ask.rng)},
    )  # fmt: skip


def choose(ask: Asker) -> Draft | None:
    """ "Is the dog brown or white?"."""
    found = _subject(ask)
    if found is None:
        return None
    kind, value, noun = found
    if kind in SIDES:
        rival = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}[value]
    else:
        rival = ask.wrong_value(noun.thing, kind)
    if not rival:
        return None
    program = ask.program()
    program.add(program.operation("choose", kind), [program.noun(noun)], f"{value}|{rival}")
    one, two = ask.rng.sample((value, rival), 2)
    name = _named(noun, ask)
    detailed = "positionChoose" if kind in SIDES else "materialChoose" if kind == "material" else "chooseAttr"
    return Draft(
        f"choose {'color' if kind == 'color' else 'attribute'}", detailed, "attr", "choose", program, value,
        CHOICES.get(kind, CHOICES[""]), "{short} {is} {said}.",
        {"the": ask.the(noun), "is": be(noun.name), "does": do(noun.name), "one": one, "two": two},
        f"10c-{name}_{kind}", None if kind in SIDES else kind, (noun,), (("has", noun, kind, value),),
        rival=rival, scope=("options", value, rival),
        told_slots={"short": ask.short(noun), "is": be(name), "said": predicate(kind, value, ask.rng)},
    )  # fmt: skip


def verify(ask: Asker) -> Draft | None:
    """ "Is the dog brown?"."""
    found = _subject(ask)
    if found is None:
        return None
    kind, value, noun = found
    asked = value if ask.rng.random() < 0.5 else _wrong(ask, noun.thing, kind, value)
    if not asked:
        return None
    program = ask.program()
    program.add(program.operation("verify", kind), [program.noun(noun)], asked)
    is_true, name = asked == value, _named(noun, ask)
    base = {"hposition": "positionVerify", "vposition": "positionVerify", "material": "materialVerify"}
    detailed = base.get(kind, "verifyAttr") + ("" if is_true else "C")
    return Draft(
        f"verify {'color' if kind == 'color' else 'attribute'}", detailed, "attr", "verify", program,
        "yes" if is_true else "no", VERIFIES.get(kind, VERIFIES[""]), _told(is_true),
        {"the": ask.the(noun), "is": be(noun.name), "does": do(noun.name), "said": predicate(kind, asked, ask.rng)},
        f"06-{name}_{asked}", None, (noun,), (("has" if is_true else "lacks", noun, kind, asked),),
        scope=("truth",),
        told_slots={"short": ask.short(noun), "is": be(name), "said": predicate(kind, value, ask.rng)},
    )  # fmt: skip


def _told(is_true: bool) -> str:
    return ("Yes" if is_true else "No") + ", {short} {is} {said}."


def _wrong(ask: Asker, thing: int, kind: str, value: str) -> str | None:
    if kind in SIDES:
        return {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}[value]
    return ask.wrong_value(thing, kind)


def verify_two(ask: Asker) -> Draft | None:
    """ "Is the dog both small and brown?", "Is the dog either small or brown?"."""
    thing = ask.thing()
    kinds = [kind for kind in ask.view.values[thing] if kind != "state"] if thing >= 0 else []
    if len(kinds) < 2:
        return None
    kinds = ask.rng.sample(kinds, 2)
    noun = ask.find.the(thing, kinds[0])
    if noun is None or any(trait.kind in kinds for trait in noun.traits):
        return None
    own = [ask.view.values[thing][kind] for kind in kinds]
    is_and = ask.rng.random() < 0.6
    truths = ask.truths(is_and, ask.rng.random() < 0.5)
    asked = [own[i] if truths[i] else ask.wrong_value(thing, kinds[i]) for i in (0, 1)]
    if asked[0] is None or asked[1] is None:
        return None
    return _both(ask, noun, kinds, own, [asked[0], asked[1]], is_and)


def _both(ask: Asker, noun: Noun, kinds: list[str], own: list[str], asked: list[str], is_and: bool) -> Draft:
    truths = [one == two for one, two in zip(own, asked, strict=True)]
    is_true = all(truths) if is_and else any(truths)
    is_sure = is_true == is_and  # both parts are then established
    program = ask.program()
    checks = [program.add(f"verify {kinds[i]}", [program.noun(noun)], asked[i]) for i in (0, 1)]
    program.add("and" if is_and else "or", checks, "")
    claims = tuple(("has" if truths[i] else "lacks", noun, kinds[i], asked[i]) for i in (0, 1))
    name = _named(noun, ask)
    said, real = ([predicate(kinds[i], values[i], ask.rng) for i in (0, 1)] for values in (asked, own))
    return Draft(
        "logical attribute", f"verifyAttr{'And' if is_and else 'Or'}{'' if is_true else 'C'}", "attr", "logical",
        program, "yes" if is_true else "no", BOTH if is_and else EITHER,
        ("Yes" if is_true else "No") + ", {short} {is} {one} and {two}.",
        {"the": ask.the(noun), "is": be(noun.name), "one": said[0], "two": said[1]},
        f"06-{name}_{'_'.join(sorted(asked))}", None, (noun,), claims if is_sure else (),
        None if is_sure else tuple((claim,) for claim in claims if (claim[0] == "has") == is_true),
        scope=("truth",), told_slots={"short": ask.short(noun), "is": be(name), "one": real[0], "two": real[1]},
    )  # fmt: skip


ATTRIBUTES = {
    "query attribute": Family(query, 4.4, 5.5),
    "query color": Family(query, 0.0, 10.0),
    "choose attribute": Family(choose, 1.5, 1.9),
    "choose color": Family(choose, 0.0, 2.6),
    "verify attribute": Family(verify, 1.9, 2.4),
    "verify color": Family(verify, 0.0, 2.8),
    "logical attribute": Family(verify_two, 2.9, 3.8),
}
