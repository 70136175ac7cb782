"""Questions about the kind of a thing: which animal it is, whether it is a dog, which of two it is."""

from __future__ import annotations

from nsmodels.datasets.gqa.questions.asking import Asker
from nsmodels.datasets.gqa.questions.drafts import Draft
from nsmodels.datasets.gqa.questions.families.family import Family
from nsmodels.datasets.gqa.questions.families.ties import PEOPLE, place_of
from nsmodels.datasets.gqa.questions.nouns import Noun
from nsmodels.datasets.gqa.questions.wording.english import SORTS, be, called

WHO = ("Who is this?", "Who is shown in the {picture}?", "Who do you see in the {picture}?")
WHO_TRAIT = ("Who is {the}?",)
QUERY = ("What kind of {sort} is this?", "Which kind of {sort} is it?", "What kind of {sort} is shown here?",
         "What kind of {sort} do you see in the {picture}?")  # fmt: skip
QUERY_TRAIT = ("What is {the} called?", "What is the name of {the}?", "What is {the}?")
CHOOSE = ("Is {the} {one} or {two}?", "What is {the}, {one} or {two}?", "What do you think {the} is, {one} or {two}?")
VERIFY = ("Is {the} {one}?", "Would you say that {the} is {one}?")


def _subject(ask: Asker) -> Noun | None:
    """An object described by its category."""
    thing = ask.thing()
    if thing < 0 or not ask.view.categories[thing]:
        return None
    return ask.find.the(thing, "name")


def query(ask: Asker) -> Draft | None:
    """ "What kind of animal is this?", "What is the red vehicle called?"."""
    noun = _subject(ask)
    if noun is None or noun.link is not None:
        return None
    answer = ask.view.names[noun.thing]
    program = ask.program()
    program.add("query", [program.noun(noun)], "name")
    said = called(noun.name, ask.rng)
    is_plain = not noun.traits
    templates = ((QUERY_TRAIT, QUERY), (WHO_TRAIT, WHO))[noun.name in PEOPLE][is_plain]
    return Draft(
        "query category", "categoryThis" if is_plain else "categoryAttr", "cat", "query", program, answer,
        templates, "{the} is {one}.",
        {"the": ask.the(noun), "kind": [(said, noun.thing)], "sort": SORTS.get(noun.name, noun.name)},
        f"11q-{noun.name}" if is_plain else f"11q-{noun.name}_{noun.traits[0].argument}", place_of(ask, answer),
        (noun,),
        (("has", noun, "name", answer),), scope=("name", noun.name), named=noun.thing,
        told_slots={"the": ask.the(noun), "one": ask.some(Noun(answer, (), None, noun.things))},
    )  # fmt: skip


def _rival(ask: Asker, noun: Noun) -> str | None:
    """A different name of the category, as frequent as names are."""
    own = ask.source.lineage(ask.view.names[noun.thing])
    for _ in range(16):
        name = ask.source.names.draw(ask.rng, own)
        if (
            name is not None
            and ask.words.is_a(name, noun.name)
            and ask.view.names[noun.thing] not in ask.source.lineage(name)
        ):
            return name
    return None


def choose(ask: Asker) -> Draft | None:
    """ "Is the animal on the left a dog or a cat?"."""
    noun = _subject(ask)
    rival = None if noun is None else _rival(ask, noun)
    if noun is None or rival is None:
        return None
    answer = ask.view.names[noun.thing]
    program = ask.program()
    program.add("choose name", [program.noun(noun)], f"{answer}|{rival}")
    options = [ask.some(Noun(each)) for each in (answer, rival)]
    one, two = ask.rng.sample(options, 2)
    return Draft(
        "choose category", "categoryThisChoose" if not noun.traits and not noun.link else "categoryThatChoose", "cat",
        "choose", program, answer, CHOOSE[:1] if noun.name in PEOPLE else CHOOSE, "{the} is {one}.",
        {"the": ask.the(noun), "one": one, "two": two},
        f"08oc-{'_'.join(sorted((answer, rival)))}", place_of(ask, answer), (noun,),
        (("has", noun, "name", answer),), rival=rival, scope=("options", answer, rival), named=noun.thing,
        told_slots={"the": ask.the(noun), "one": options[0]},
    )  # fmt: skip


def verify(ask: Asker) -> Draft | None:
    """ "Is the red vehicle a bus?"."""
    noun = _subject(ask)
    if noun is None:
        return None
    answer = ask.view.names[noun.thing]
    is_true = ask.rng.random() < 0.5
    asked = answer if is_true else _rival(ask, noun)
    if asked is None:
        return None
    program = ask.program()
    program.add("verify type", [program.noun(noun)], asked)
    return Draft(
        "verify category", "categoryVerify" + ("" if is_true else "C"), "cat", "verify", program,
        "yes" if is_true else "no", VERIFY, ("Yes" if is_true else "No") + ", {the} {is} {one}.",
        {"the": ask.the(noun), "one": ask.some(Noun(asked)), "is": be(noun.name)}, f"08-{noun.name}_{asked}", None,
        (noun,), (("has" if is_true else "lacks", noun, "name", asked),), scope=("truth",),
        told_slots={"the": ask.the(noun), "one": ask.some(Noun(answer)), "is": be(noun.name)},
    )  # fmt: skip


CATEGORIES = {
    "query category": Family(query, 1.55, 5.0),
    "choose category": Family(choose, 0.55, 1.0),
    "verify category": Family(verify, 0.25, 0.5),
}
