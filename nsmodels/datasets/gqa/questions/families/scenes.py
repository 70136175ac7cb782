"""Questions about the whole image: its place and its weather."""

from __future__ import annotations

from nsmodels.datasets.gqa.programs.words import INDOORS, OUTDOORS
from nsmodels.datasets.gqa.questions.asking import Asker
from nsmodels.datasets.gqa.questions.drafts import Claim, Draft
from nsmodels.datasets.gqa.questions.families.existence import missing, present
from nsmodels.datasets.gqa.questions.families.family import Family
from nsmodels.datasets.gqa.questions.wording.english import UNCOUNTED, article

# What a place is called in a sentence.
IN = {"beach": "on the beach", "street": "on the street", "mountains": "in the mountains", "road": "on the road"}
PLACE = ("Where was this {picture} taken?", "Which place is it?", "What place is shown in the {picture}?",
         "Where are we?")  # fmt: skip
ROOM = ("Which room is it?", "What room is shown in the {picture}?", "In which room was the {picture} taken?")
WEATHER = ("How is the weather?", "What's the weather like?", "What is the weather like in this {picture}?",
           "Which kind of weather is it?")  # fmt: skip
FROM = {
    "place": ("Was this {picture} taken {one} or {two}?", "Where was the {picture} taken, {one} or {two}?"),
    "weather": ("Is it {one} or {two}?", "Is the weather {one} or {two}?", "How is the weather, {one} or {two}?"),
    "location": ("Is it {one} or {two}?", "Was the {picture} taken {one} or {two}?"),
}
IS = {
    "place": ("Was this {picture} taken {said}?", "Are we {said}?"),
    "room": ("Is it {said}?", "Does the {picture} show {said}?"),
    "weather": ("Is it {said}?", "Is the weather {said}?", "Is it {said} in this {picture}?"),
    "location": ("Is it {said}?", "Was this {picture} taken {said}?"),
}
WITH = ("Does the {picture} show a {said} scene with {a} in it?", "Is this a {said} scene with {a} in it?")
ROOM_WITH = ("Does the {picture} show {said} with {a} in it?", "Is this {said} with {a} in it?")


def _facts(ask: Asker) -> dict[str, str]:
    """What is stated of the image, by type."""
    graph = ask.view.graph
    found = {"place": graph.location, "weather": graph.weather}
    if graph.location in INDOORS:
        found["room"] = graph.location
    if graph.location in INDOORS or graph.location in OUTDOORS:
        found["location"] = "indoors" if graph.location in INDOORS else "outdoors"
    return {kind: value for kind, value in found.items() if value}


def _options(ask: Asker, kind: str) -> list[str]:
    words = ask.words
    if kind == "location":
        return ["indoors", "outdoors"]
    rooms = [each for each in words.locations if each in INDOORS]
    return list({"weather": words.weathers, "room": rooms, "place": words.locations}[kind])


def _said(kind: str, value: str) -> str:
    if kind == "place":
        return IN.get(value, f"in the {value}" if value in INDOORS else f"in {article(value)} {value}")
    return f"{article(value)} {value}" if kind == "room" else value


def _told(kind: str) -> str:
    return "The {picture} was taken {said}." if kind == "place" else "It is {said}."


def _picked(ask: Asker, kinds: tuple[str, ...]) -> tuple[str, str] | None:
    found = [(kind, value) for kind, value in _facts(ask).items() if kind in kinds]
    return ask.rng.choice(found) if found else None


def query(ask: Asker) -> Draft | None:
    """ "Where was this picture taken?", "How is the weather?"."""
    found = _picked(ask, ("place", "weather", "room"))
    if found is None:
        return None
    kind, value = found
    program = ask.program()
    program.add("query", [program.add("select", [], "scene")], kind)
    return Draft(
        "query scene", {"room": "place"}.get(kind, kind), "global", "query", program, value,
        {"place": PLACE, "weather": WEATHER, "room": ROOM}[kind], _told(kind), {}, f"02q-{kind}", kind, (),
        _claims(kind, value), scope=("scene", kind), told_slots={"said": _said(kind, value)},
    )  # fmt: skip


def _claims(kind: str, value: str, is_true: bool = True) -> tuple[Claim, ...]:
    key = "place" if kind == "room" else kind
    return (("scene" if is_true else "not scene", key, value),)


def choose(ask: Asker) -> Draft | None:
    """ "Is it indoors or outdoors?", "Is the weather sunny or rainy?"."""
    found = _picked(ask, ("place", "weather", "location"))
    if found is None:
        return None
    kind, value = found
    rest = [each for each in _options(ask, kind) if each != value]
    if not rest:
        return None
    rival = ask.rng.choice(rest)
    program = ask.program()
    program.add(f"choose {kind}", [program.add("select", [], "scene")], f"{value}|{rival}")
    one, two = ask.rng.sample((value, rival), 2)
    return Draft(
        "choose scene", f"{kind}Choose", "global", "choose", program, value, FROM[kind], _told(kind),
        {"one": _said(kind, one), "two": _said(kind, two)}, f"02c-{kind}", "41" if kind == "location" else kind, (),
        _claims(kind, value), rival=rival, scope=("options", value, rival), told_slots={"said": _said(kind, value)},
    )  # fmt: skip


def verify(ask: Asker) -> Draft | None:
    """ "Is it sunny?", "Is it a kitchen?"."""
    found = _picked(ask, ("place", "weather", "location", "room"))
    if found is None:
        return None
    kind, value = found
    is_true = ask.rng.random() < 0.5
    rest = [each for each in _options(ask, kind) if each != value]
    if not is_true and not rest:
        return None
    asked = value if is_true else ask.rng.choice(rest)
    program = ask.program()
    program.add(f"verify {kind}", [program.add("select", [], "scene")], asked)
    return Draft(
        "verify scene", f"{'place' if kind == 'room' else kind}Verify{'' if is_true else 'C'}", "global", "verify",
        program, "yes" if is_true else "no", IS[kind], ("Yes" if is_true else "No") + (
            ", the {picture} was taken {said}." if kind == "place" else ", it is {said}."),
        {"said": _said(kind, asked)}, f"02v-{kind}_{asked}", None, (), _claims(kind, asked, is_true), scope=("truth",),
        told_slots={"said": _said(kind, value)},
    )  # fmt: skip


def scene_with(ask: Asker) -> Draft | None:
    """ "Is this a kitchen with a table in it?", "Is this a rainy scene with a dog in it?"."""
    found = _picked(ask, ("weather", "room"))
    if found is None:
        return None
    kind, value = found
    is_true = ask.rng.random() < 0.5
    is_here, is_there = (True, True) if is_true else ask.rng.choice([(True, False), (False, True)])
    asked = value if is_here else ask.rng.choice([each for each in _options(ask, kind) if each != value] or [""])
    noun = present(ask) if is_there else missing(ask)
    if noun is None or not asked:
        return None
    program = ask.program()
    first = program.add("exist", [program.add(f"filter {kind}", [program.add("select", [], "scene")], asked)], "?")
    program.add("and", [first, program.add("exist", [program.noun(noun, " ")], "?")], "")
    claims = (*_claims(kind, asked, is_here), ("some" if is_there else "none", noun))
    return Draft(
        "logical scene", "existAnd" + ("" if is_true else "C"), "global", "logical", program,
        "yes" if is_true else "no", WITH if kind == "weather" else ROOM_WITH,
        "Yes, there {is} {a} and it is {said}." if is_true else "No, it is {said}." if not is_here
        else "No, there {are} no {many}.",
        {"a": ask.some(noun), "said": asked if kind == "weather" else _said(kind, asked)},
        f"09existAnd-{asked}_{noun.name}", None, (), claims if is_true else (),
        None if is_true else tuple((claim,) for claim in claims if claim[0] in ("not scene", "none")), scope=("truth",),
        told_slots={"a": ask.some(noun), "said": _said(kind, value), "is": "is", "many": ask.some(noun, "plural"),
                    "are": "is" if noun.name in UNCOUNTED else "are"},
    )  # fmt: skip


SCENES = {
    "query scene": Family(query, 0.4, 2.0),
    "choose scene": Family(choose, 0.13, 0.5),
    "verify scene": Family(verify, 0.12, 0.4),
    "logical scene": Family(scene_with, 0.12, 0.4),
}
