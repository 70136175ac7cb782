"""What a question says of an object that the released form of its program has no place for.

Released programs name one side of "Is the small book to the left of the bed?" by its name alone,
`verify rel: book,to the left of,s`; the id that says which book is a leak. The completed program has every word:
`relate: book,to the left of,s; filter size: small; exist`. Likewise "the person" of "Who is the person riding the
horse?", of which `relate: _,riding,s` has nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nsmodels.datasets.gqa.programs.operations import OPERATIONS
from nsmodels.datasets.gqa.programs.parsing import ANY, Program, Step
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.language.grammar import normal
from nsmodels.systems.natural.language.mentions import NAME, RELATION, Entry, Mention

LINKS = (("that", "is"), ("that", "are"), ("which", "is"), ("which", "are"), ("who", "is"), ("who", "are"))
MADE = (("made", "of"), ("made", "out", "of"), ("colored",))
PERSON = "person"
IDLE = ("on", "in", "at", "of", "with")  # "on the left side of the photo"
Property = tuple[Entry, bool]  # an attribute, and whether it is denied


def completed(
    program: Program, question: Sequence[str], mentions: Sequence[Mention], words: SceneVocabulary
) -> Program:
    """The program with the attributes that the question gives an object and the program names without them."""
    steps: list[Step] = []
    number: dict[int, int] = {}
    for place, step in enumerate(program):
        moved = replace(step, dependencies=tuple(number[k] for k in step.dependencies))
        if step.operation == "relate" and step.name == ANY:
            moved = replace(moved, name=_name_of(place, program, question, mentions, words))
        missing = _missing(step, program, question, mentions, words) if step.operation in COMPLETED else []
        steps += COMPLETED[step.operation](moved, steps, missing) if missing else [moved]
        number[place] = len(steps) - 1
    return program if tuple(steps) == program else normal(tuple(steps), words)


def _name_of(
    place: int, program: Program, question: Sequence[str], mentions: Sequence[Mention], words: SceneVocabulary
) -> str:
    """The name that a question gives what it relates, where the program has any: just before the relation, or "who"."""
    step, used = program[place], {each.name for each in program}
    ends = {each.start for each in mentions if each.entry.group == RELATION and each.entry.word in step.relations}
    named = [each.entry.word for each in mentions if each.entry.group == NAME and each.end in ends]
    said = [name for name in named if name not in used]
    is_asked_for = place == len(program) - 2 and program[-1].value == "name"
    if len(said) == 1 and is_asked_for:
        return said[0]
    return PERSON if is_asked_for and question[0] == "who" and PERSON in words.categories else step.name


def _verified(step: Step, before: list[Step], missing: list[Property]) -> list[Step]:
    """`relate`, `filter` and `exist` in place of `verify rel`: the same question, with attributes."""
    found = [replace(step, operation="relate")]
    for each in missing:
        found.append(_filter(each, len(before) + len(found) - 1))
    return [*found, Step("exist", (len(before) + len(found) - 1,))]


def _chosen(step: Step, before: list[Step], missing: list[Property]) -> list[Step]:
    """`choose rel` from the other side, where that is but a name; else as it is."""
    (other,) = step.dependencies
    if other != len(before) - 1 or before[other].operation != "select" or step.role not in ("s", "o"):
        return [step]
    name, before[other] = before[other].name, replace(before[other], name=step.name)
    filters = [_filter(each, other + k) for k, each in enumerate(missing)]
    role = "o" if step.role == "s" else "s"
    return [*filters, replace(step, name=name, role=role, dependencies=(other + len(filters),))]


COMPLETED = {"verify rel": _verified, "choose rel": _chosen}


def _filter(each: Property, source: int) -> Step:
    entry, is_denied = each
    name = f"filter {entry.group}"
    return Step(name if name in OPERATIONS else "filter", (source,), value=entry.word, is_negated=is_denied)


def _missing(
    step: Step, program: Program, question: Sequence[str], mentions: Sequence[Mention], words: SceneVocabulary
) -> list[Property]:
    """Attributes that the question gives the object of a step and that the program has nowhere."""
    used = Counter(value for each in program for value in values_of(each))
    found: list[Property] = []
    for mention in mentions:
        if mention.entry == Entry(NAME, step.name):
            found += _said_of(mention, question, mentions, words)
    return [each for each in dict.fromkeys(found) if not used[each[0].word]]


def _said_of(
    name: Mention, question: Sequence[str], mentions: Sequence[Mention], words: SceneVocabulary
) -> Iterator[Property]:
    """Attributes just before a name, "the small red book", and just after it, "the book that is not small"."""
    values = [each for each in mentions if each.entry.group in words.attributes and not is_within_name(each, mentions)]
    place, is_found = name.start, True
    while is_found:
        before = next((each for each in values if each.end == place), None)
        is_found = before is not None
        if before is not None:
            yield before.entry, False
            place = before.start
    rest = tuple(question[name.end :])
    link = next((each for each in LINKS if rest[: len(each)] == each), ())
    is_denied = bool(link) and rest[len(link) : len(link) + 1] == ("not",)
    after = len(link) + is_denied
    made = next((each for each in MADE if rest[after : after + len(each)] == each), ())
    after += len(made)
    if link or made:
        yield from ((each.entry, is_denied) for each in values if each.start == name.end + after)


def left_out_of(
    program: Program, unread: Sequence[Mention], mentions: Sequence[Mention], words: SceneVocabulary
) -> list[Mention]:
    """What a question says more often than its program: of mentions that no symbol points at, names, attributes, and
    relations that are more than an idle preposition.
    """
    used = Counter(value for each in program for value in (each.name, *each.relations, *values_of(each)))
    read = Counter(each.entry for each in mentions if each not in unread)
    found = []
    for each in unread:
        group, word = each.entry
        read[each.entry] += 1
        is_within = group in words.attributes and is_within_name(each, mentions)
        is_weighty = group in (NAME, *words.attributes) or (group == RELATION and word not in IDLE)
        found += [each] if is_weighty and not is_within and read[each.entry] > used[word] else []
    return found


def is_within_name(mention: Mention, mentions: Sequence[Mention]) -> bool:
    """Whether a mention is a part of a longer name, as "hot" of "hot dog"."""
    return any(
        each.entry.group == NAME and each.start <= mention.start and mention.end <= each.end and each != mention
        for each in mentions
        if each.end - each.start > mention.end - mention.start
    )


def values_of(step: Step) -> tuple[str, ...]:
    """The attribute values of a step."""
    operation = OPERATIONS.get(step.operation)  # none of a function of CLEVR, which has a value or nothing
    return (*step.options, *((step.value,) if operation is None or operation.form == "value" else ()))
