"""Questions that compare: whether colors are the same, what two things share, which is larger, if all are alike."""

from __future__ import annotations

from nsmodels.datasets.gqa.programs.operations import OPERATIONS, SHARED
from nsmodels.datasets.gqa.programs.words import HEALTHY, UNHEALTHY
from nsmodels.datasets.gqa.questions.asking import Asker
from nsmodels.datasets.gqa.questions.drafts import Draft
from nsmodels.datasets.gqa.questions.families.family import Family
from nsmodels.datasets.gqa.questions.nouns import Noun
from nsmodels.datasets.gqa.questions.view import View, members
from nsmodels.datasets.gqa.questions.wording.english import SAID, be, do, plural

SAME = ("{is} {one} the same {kind} as {two}?", "{does} {one} have the same {kind} as {two}?",
        "Do {one} and {two} have the same {kind}?", "Are {one} and {two} the same {kind}?")  # fmt: skip
DIFFERENT = ("Do {one} and {two} have different {kinds}?", "{is} {one} different in {kind} from {two}?",
             "{is} the {kind} of {one} different from that of {two}?")  # fmt: skip
COMMON = ("What do {one} and {two} have in common?", "What is common to {one} and {two}?",
          "Which property do {one} and {two} share?")  # fmt: skip
MORE = ("Which is {more}, {one} or {two}?", "Which one is {more}, {one} or {two}?", "What is {more}, {one} or {two}?")
ALL = {
    "same color": ("Are all the {many} the same color?", "Do all the {many} have the same color?"),
    "different color": ("Are the {many} of different colors?", "Do the {many} differ in color?"),
    "same: name": ("Are all the {many} of the same kind?", "Are these {many} all of one kind?"),
    "different: name": ("Are there different kinds of {many} in the {picture}?", "Are the {many} of different kinds?"),
}
HEALTH, FOOD = 0.4, "food"  # share of comparisons that look for foods first
RATIO = 1.4  # least ratio of sizes that a question compares
HEIGHTS = 0.12  # least difference of heights in the image, as a share of it


def two(ask: Asker) -> Draft | None:
    """ "Is the car the same color as the bus?", "What do they have in common?"."""
    kind = ask.rng.choices(SHARED, (6, 1, 1))[0]
    found = [place for place in range(ask.view.count) if kind in ask.view.values[place]]
    if len(found) < 2:
        return None
    pair = _pair(ask, kind, found)
    one = ask.find.the(pair[0], kind, 1 << pair[1])
    other = None if one is None else ask.find.the(pair[1], kind, one.mentioned)
    if one is None or other is None or other.mentioned & one.mentioned:
        return None
    shared = [each for each in SHARED if _are_same(ask.view, each, pair)]
    if ask.rng.random() < 0.3:
        return _shared(ask, one, other, shared[0]) if len(shared) == 1 else None
    return _compared(ask, kind, one, other, kind in shared)


def _pair(ask: Asker, kind: str, found: list[int]) -> list[int]:
    """Two objects, half of the time of the same value."""
    one = ask.rng.choice(found)
    rest = [each for each in found if each != one]
    is_same = ask.rng.random() < 0.5
    fitting = [each for each in rest if _are_same(ask.view, kind, [one, each]) == is_same]
    return [one, ask.rng.choice(fitting or rest)]


def _are_same(view: View, kind: str, pair: list[int]) -> bool:
    one, other = (view.values[place].get(kind) for place in pair)
    return one is not None and one == other


def _shared(ask: Asker, one: Noun, other: Noun, kind: str) -> Draft:
    program = ask.program()
    program.add("common", [program.noun(one), program.noun(other)], "")
    names = sorted((ask.view.names[one.thing], ask.view.names[other.thing]))
    return Draft(
        "compare", "twoCommon", "attr", "compare", program, kind, COMMON, "{one} and {two} have the same {kind}.",
        {"one": ask.the(one), "two": ask.the(other)}, f"09c-{names[0]}_{names[1]}", "common", (one, other),
        (("same", kind, one, other),), (), scope=("common",),
        told_slots={"one": ask.short(one), "two": ask.short(other), "kind": kind},
    )  # fmt: skip


def _compared(ask: Asker, kind: str, one: Noun, other: Noun, are_same: bool) -> Draft:
    is_different = ask.rng.random() < 0.4 and f"different {kind}" in OPERATIONS
    is_true = are_same != is_different
    program = ask.program()
    program.add(f"{'different' if is_different else 'same'} {kind}", [program.noun(one), program.noun(other)], "")
    names = [ask.view.names[each.thing] for each in (one, other)]
    values = [ask.view.values[each.thing][kind] for each in (one, other)]
    detailed = ("twoDifferent" if is_different else "twoSame") + ("Material" if kind == "material" else "")
    told = ", both {one} and {two} are {first}." if are_same else ", {one} {is} {first} and {two} {are} {second}."
    if names[0] == names[1]:
        told = ", both are {first}." if are_same else ", one is {first} and the other one is {second}."
    said = [f"made of {value}" if kind == "material" else value for value in values]
    slots = {"one": ask.the(one), "two": ask.the(other), "is": be(one.name), "does": do(one.name), "kind": kind}
    templates = DIFFERENT if is_different else SAME
    if kind == "material":
        templates = ("{is} {one} made of the same material as {two}?", "Are {one} and {two} made of the same material?")
    return Draft(
        "compare", detailed + ("" if is_true else "C"), "attr", "compare", program, "yes" if is_true else "no",
        templates, ("Yes" if is_true else "No") + told, slots | {"kinds": f"{kind}s"},
        f"09{'diff' if is_different else 'same'}-{'_'.join(sorted(names))}", None, (one, other),
        (("same" if are_same else "differ", kind, one, other),), scope=("truth",),
        told_slots={"one": ask.short(one), "two": ask.short(other), "is": be(names[0]), "are": be(names[1]),
                    "first": said[0], "second": said[1]},
    )  # fmt: skip


def every(ask: Asker) -> Draft | None:
    """ "Are all the animals the same color?", "Are the animals of different kinds?"."""
    view = ask.view
    groups = [name for name, mask in view.called.items() if mask & (mask - 1) and name not in ("thing", "object")]
    kinds = list(ALL)
    ask.rng.shuffle(kinds)
    ask.rng.shuffle(groups)
    for name, label in ((name, label) for name in sorted(groups, key=view.names.__contains__) for label in kinds):
        things = members(view.called[name])
        is_name = label.endswith("name")
        if is_name and (name in ask.words.names or name == "person"):
            continue
        values = [view.names[each] if is_name else view.values[each].get("color") for each in things]
        if None in values or (is_name and len(set(values)) < len(things) and len(set(values)) > 1):
            continue
        return _every(ask, Noun(name, (), None, things), label, len(set(values)) == 1, is_name)
    return None


def _every(ask: Asker, noun: Noun, label: str, are_same: bool, is_name: bool) -> Draft:
    is_different = label.startswith("different")
    is_true = are_same != is_different
    program = ask.program()
    operation, _, argument = label.partition(": ")
    program.add(operation, [program.noun(noun)], argument)
    many = plural(noun.name, SAID.get(noun.name, noun.name), ask.words)
    what = "kind" if is_name else "color"
    told = "{many} are all of the same {what}." if are_same else "{many} are not all of the same {what}."
    return Draft(
        "compare", ("diffAnimals" if is_different else "sameAnimals") + ("" if is_true else "C"), "attr", "compare",
        program, "yes" if is_true else "no", ALL[label], ("Yes" if is_true else "No") + ", the " + told,
        {"many": many}, f"09{'diff' if is_different else 'same'}-{noun.name}_{what}", None, (), (),
        (), scope=("truth",), told_slots={"many": many, "what": what},
    )  # fmt: skip


def more(ask: Asker) -> Draft | None:
    """ "Which is larger, the dog or the table?"."""
    if ask.view.count < 2:
        return None
    pair = _foods(ask) if ask.rng.random() < HEALTH else []
    pair = pair or ask.rng.sample(range(ask.view.count), 2)
    scales = _scales(ask, pair)
    if not scales or ask.view.names[pair[0]] == ask.view.names[pair[1]]:
        return None
    healths = [each for each in scales if "health" in each]
    kind = ask.rng.choice(healths or sorted(scales))
    one = ask.find.the(pair[0], "size", 1 << pair[1], 0)
    other = ask.find.the(pair[1], "size", 1 << pair[0], 0)
    if one is None or other is None:
        return None
    winner, loser = (one, other) if scales[kind] == pair[0] else (other, one)
    program = ask.program()
    program.add(f"choose {kind}", [program.noun(one), program.noun(other)], "")
    answer, rest = ask.view.names[winner.thing], ask.view.names[loser.thing]
    first, second = ask.rng.sample((one, other), 2)
    return Draft(
        "compare", "comparativeChoose", "attr", "compare", program, answer, MORE, "{short} {is} {more} than {other}.",
        {"one": ask.the(first), "two": ask.the(second), "more": kind}, f"10c-{'_'.join(sorted((answer, rest)))}_{kind}",
        "comparative", (one, other), (("more", kind, winner, loser),), rival=rest, scope=("options", answer, rest),
        named=winner.thing, told_slots={"short": ask.short(winner), "other": ask.short(loser), "more": kind,
                                        "is": be(answer)},
    )  # fmt: skip


def _foods(ask: Asker) -> list[int]:
    """Two foods of which one is healthier, if there are."""
    levels = [_health(ask, place) for place in range(ask.view.count)]
    if True not in levels or False not in levels:
        return []
    return ask.rng.sample([levels.index(True), levels.index(False)], 2)


def _scales(ask: Asker, pair: list[int]) -> dict[str, int]:
    """Comparisons that plainly hold, each with the object that wins; stated sizes never speak against what is seen."""
    one, other = (ask.view.graph.things[place] for place in pair)
    found: dict[str, int] = {}
    stated = {"larger smaller": ("size", "large"), "taller shorter": ("height", "tall")}
    measures = {
        "larger smaller": (one.box.w * one.box.h, other.box.w * other.box.h),
        "taller shorter": (one.box.h, other.box.h),
    }
    if one.box.w > one.box.h and other.box.w > other.box.h:
        measures["longer"] = (one.box.w, other.box.w)
    for names, (a, b) in measures.items():
        kind, most = stated.get(names, ("", ""))
        said = [ask.view.values[place].get(kind, "") for place in pair]
        if max(a, b) < RATIO * min(a, b) or (said[0] != said[1] and all(said) and said[a < b] != most):
            continue
        for number, name in enumerate(names.split()):
            found[name] = pair[(a > b) == bool(number)]
    height = ask.view.graph.height
    above = (other.box.centre[1] - one.box.centre[1]) / height
    if abs(above) >= HEIGHTS:
        found |= {"higher": pair[above < 0], "lower": pair[above > 0]}
    levels = [_health(ask, place) for place in pair]
    if None not in levels and levels[0] != levels[1]:
        best = pair[bool(levels[1])]
        found |= {"healthier": best, "less healthy": pair[pair[0] == best]}
    return found


def _health(ask: Asker, place: int) -> bool | None:
    kinds = set(ask.source.lineage(ask.view.names[place]))
    if FOOD not in kinds:
        return None
    return True if kinds & HEALTHY else False if kinds & UNHEALTHY else None


COMPARISONS = {
    "compare": Family(
        lambda ask: [two, every, more][ask.rng.choices((0, 1, 2), (6, 1, 3))[0]](ask), 1.75, 3.2
    ),
}  # fmt: skip
