"""Questions about existence: of things, of things with an attribute, of two kinds of things."""

from __future__ import annotations

from nsmodels.datasets.gqa.questions.asking import Asker
from nsmodels.datasets.gqa.questions.drafts import Claim, Draft
from nsmodels.datasets.gqa.questions.families.family import Family
from nsmodels.datasets.gqa.questions.nouns import Noun, Trait
from nsmodels.datasets.gqa.questions.view import members
from nsmodels.datasets.gqa.questions.wording.english import UNCOUNTED, Pieces, be, is_plural

PLURAL = 0.3  # share of arguments in the plural where the question is
SINGLE = ("Is there {a} in the {picture}?", "Do you see {a} in the {picture}?", "Is there {a} in this {picture}?",
          "Can you see {a} there?")  # fmt: skip
MANY = ("{are} there any {many} in the {picture}?", "{are} there {many} in this {picture}?", "Do you see any {many}?",
        "Does the {picture} show any {many}?")  # fmt: skip
AND = ("Are there both {one} and {two} in the {picture}?", "Does the {picture} show both {one} and {two}?",
       "Can you see both {one} and {two} in this {picture}?")  # fmt: skip
OR = ("Are there either {one} or {two} in the {picture}?", "Does this {picture} show either {one} or {two}?",
      "Can you see either {one} or {two} there?")  # fmt: skip


def present(ask: Asker) -> Noun | None:
    """A name, or a category, of a random object, with all objects that it applies to."""
    thing = ask.thing()
    if thing < 0:
        return None
    categories = ask.view.categories[thing]
    name = ask.rng.choice(categories) if categories and ask.rng.random() < 0.15 else ask.view.names[thing]
    return Noun(name, (), None, members(ask.view.called[name]))


def missing(ask: Asker) -> Noun | None:
    """A name that applies to nothing."""
    name = ask.absent()
    return None if name is None else Noun(name)


def claim(noun: Noun, is_true: bool) -> Claim:
    """What an answer about existence establishes."""
    return ("some" if is_true else "none", noun)


def worded(ask: Asker, noun: Noun) -> tuple[tuple[str, ...], dict[str, str | Pieces], bool]:
    """Templates and slots of a question about existence, and whether it speaks of many."""
    are_many = noun.name in UNCOUNTED or is_plural(noun.name) or ask.rng.random() < 0.4
    if not are_many:
        return SINGLE, {"a": ask.some(noun)}, False
    return MANY, {"many": ask.some(noun, "plural"), "are": "is" if noun.name in UNCOUNTED else "are"}, True


def answered(ask: Asker, noun: Noun, is_true: bool) -> tuple[str, dict[str, str | Pieces]]:
    """The full answer about existence."""
    if not is_true:
        return "No, there {is} no {many}.", {
            "is": "is" if noun.name in UNCOUNTED else "are", "many": ask.some(noun, "plural")}  # fmt: skip
    if len(noun.things) > 1:
        return "Yes, there are {many}.", {"many": ask.some(noun, "plural")}
    return "Yes, there {is} {a}.", {"is": be(noun.name), "a": ask.some(noun)}


def exist(ask: Asker) -> Draft | None:
    """ "Is there a dog in the picture?"."""
    is_true = ask.rng.random() < 0.5
    noun = present(ask) if is_true else missing(ask)
    if noun is None:
        return None
    templates, slots, are_many = worded(ask, noun)
    program = ask.program()
    argument = noun
    if are_many and noun.name in ask.words.plurals and ask.rng.random() < PLURAL:
        argument = noun._replace(name=ask.words.plurals[noun.name])
    program.add("exist", [program.noun(argument)], "?")
    told, told_slots = answered(ask, noun, is_true)
    return Draft(
        "verify exist", "exist" if is_true else "existC", "obj", "verify", program, "yes" if is_true else "no",
        templates, told, slots, f"03-{noun.name}", None, (), (claim(noun, is_true),), scope=("truth",),
        told_slots=told_slots,
    )  # fmt: skip


def _attributed(ask: Asker) -> tuple[Noun, bool] | None:
    """A description by name and attribute, true or false; false: of a thing that is there, with a different value."""
    noun = present(ask)
    if noun is None:
        return None
    view = ask.view
    values = [item for item in view.values[ask.rng.choice(noun.things)].items() if item[0] not in ("size", "height")]
    if not values:
        return None
    kind, value = ask.rng.choice(values)
    mask = view.called[noun.name]
    stated = [each for each in noun.things if kind in view.values[each]]
    is_negated = ask.rng.random() < 0.3
    if ask.rng.random() < 0.5:
        drawn = ask.wrong_value(ask.rng.choice(stated), kind)
        if not drawn:
            return None
        value = drawn
    having = view.having.get((kind, value), 0) & mask
    if is_negated:
        if len(stated) < len(noun.things):
            return None
        return noun._replace(traits=(Trait(kind, value, True),)), having != mask
    return noun._replace(traits=(Trait(kind, value),)), having != 0


def exist_attribute(ask: Asker) -> Draft | None:
    """ "Is there a red car in the picture?", "Is there a car that is not red?"."""
    found = _attributed(ask)
    if found is None:
        return None
    noun, is_true = found
    trait = noun.traits[0]
    core = noun._replace(traits=())
    program = ask.program()
    program.add("exist", [program.noun(noun)], "?")
    templates, slots, _ = worded(ask, noun)
    detailed = "existAttrNot" if trait.is_negated else "existAttr"
    holding = tuple(i for i in noun.things if (ask.view.values[i].get(trait.kind) == trait.value) != trait.is_negated)
    told, told_slots = answered(ask, noun._replace(things=holding), is_true)
    if not is_true and len(core.things) == 1 and not trait.is_negated:
        told = "No, there {is} {a} but {it} {is} {value}."
        name = Noun(core.name, (), None, core.things)
        it = "they" if is_plural(core.name) else "it"
        it = {"man": "he", "woman": "she"}.get(ask.view.names[core.thing], it)
        value = ask.view.values[core.thing][trait.kind]
        value = f"made of {value}" if trait.kind == "material" else value
        told_slots = {"is": be(core.name), "a": ask.some(name), "it": it, "value": value}
    sign = "n#" if trait.is_negated else ""
    return Draft(
        "verify exist", detailed + ("" if is_true else "C"), "obj", "verify", program, "yes" if is_true else "no",
        templates, told, slots, f"04-{noun.name}_{sign}{trait.value}", None, (), (claim(noun, is_true),),
        scope=("truth",), told_slots=told_slots,
    )  # fmt: skip


def exist_two(ask: Asker) -> Draft | None:
    """ "Are there both dogs and cats in the picture?", "Is there either a dog or a cat?"."""
    is_and, is_true = ask.rng.random() < 0.55, ask.rng.random() < 0.5
    truths = ask.truths(is_and, is_true)
    nouns = [present(ask) if true else missing(ask) for true in truths]
    one, two = nouns
    if one is None or two is None or _overlap(ask, one, two):
        return None
    return _logical(ask, (one, two), truths, is_and, ("existAnd", "existOr"), "09exist")


def exist_two_attributes(ask: Asker) -> Draft | None:
    """ "Is there a red car or a red bus in the picture?"."""
    found = _attributed(ask)
    if found is None or found[0].traits[0].is_negated:
        return None
    one, is_first = found
    is_and = ask.rng.random() < 0.45
    other = present(ask) if ask.rng.random() < 0.6 else missing(ask)
    if other is None or _overlap(ask, one, other):
        return None
    trait = one.traits[0]
    if not other.things and not ask.source.counts.values.get((other.name, trait.kind)):
        return None  # nobody asks for metal saxophones
    if not all(trait.kind in ask.view.values[each] for each in other.things):
        return None
    two = other._replace(traits=(trait,))
    is_second = any(ask.view.values[each].get(trait.kind) == trait.value for each in other.things)
    return _logical(ask, (one, two), [is_first, is_second], is_and, ("existAttrAnd", "existAttrOr"), "04")


def _overlap(ask: Asker, one: Noun, two: Noun) -> bool:
    return one.name in ask.source.lineage(two.name) or two.name in ask.source.lineage(one.name)


def _logical(
    ask: Asker, nouns: tuple[Noun, Noun], truths: list[bool], is_and: bool, detailed: tuple[str, str], group: str
) -> Draft:
    program = ask.program()
    parts = []
    for number, noun in enumerate(nouns):
        parts.append(program.add("exist", [program.noun(noun, " " if number else "")], "?"))
    program.add("and" if is_and else "or", parts, "")
    is_true = all(truths) if is_and else any(truths)
    claims = tuple(claim(noun, true) for noun, true in zip(nouns, truths, strict=True))
    is_sure = is_true == is_and
    many = [ask.some(noun, "plural", False) for noun in ask.rng.sample(nouns, 2)]
    told, told_slots = _both_told(ask, nouns, truths)
    names = "_".join(sorted(noun.name for noun in nouns))
    kind = detailed[0] if is_and else detailed[1]
    local = f"{group}{'And' if is_and else 'Or'}-{names}" if group != "04" else f"04-{names}_{nouns[0].traits[0].value}"
    return Draft(
        "logical exist", kind + ("" if is_true else "C"), "obj", "logical", program, "yes" if is_true else "no",
        AND if is_and else OR, ("Yes" if is_true else "No") + told, {"one": many[0], "two": many[1]}, local, None, (),
        claims if is_sure else (),
        None if is_sure else tuple((each,) for each in claims if (each[0] == "some") == is_true),
        scope=("truth",), told_slots=told_slots,
    )  # fmt: skip


def _both_told(ask: Asker, nouns: tuple[Noun, Noun], truths: list[bool]) -> tuple[str, dict[str, str | Pieces]]:
    slots: dict[str, str | Pieces] = {
        "one": ask.some(nouns[0], "plural", False),
        "two": ask.some(nouns[1], "plural", False),
    }
    if all(truths):
        return ", there are both {one} and {two}.", slots
    are = ["is" if noun.name in UNCOUNTED else "are" for noun in nouns]
    if not any(truths):
        first, second = ("two", "one") if are == ["is", "are"] else ("one", "two")
        return f", there {max(are, key=len)} no {{{first}}} or {{{second}}}.", slots
    first, second = ("one", "two") if truths[0] else ("two", "one")
    return f", there {are[not truths[0]]} {{{first}}} but no {{{second}}}.", slots


EXISTENCE = {
    "verify exist": Family(lambda ask: exist(ask) if ask.rng.random() < 0.5 else exist_attribute(ask), 1.1, 3.9),
    "logical exist": Family(
        lambda ask: exist_two(ask) if ask.rng.random() < 0.6 else exist_two_attributes(ask), 2.6, 8.0
    ),
}
