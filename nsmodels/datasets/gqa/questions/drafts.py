"""A question before it gets its number: program, answer, templates, groups, and what its answer establishes."""

from __future__ import annotations

from dataclasses import dataclass, field

from nsmodels.datasets.gqa.questions.nouns import Noun, Program
from nsmodels.datasets.gqa.questions.wording.templates import Slots

Claim = tuple  # as `entailment` reads it: ("some", noun), ("has", noun, type, value) ...


@dataclass(slots=True)
class Draft:
    """A question to be asked.

    Attributes:
        family: its row of the wanted mix.
        detailed, semantic, structural: its types in the release.
        program: its steps.
        answer: its answer.
        asked: templates of its wording, one is taken; `asked_slots` fill them.
        told: template of its full answer.
        place: its global group, None for yes and no.
        group: its local group.
        nouns: descriptions that fit one object each.
        asserts: what question and answer establish together.
        needs: alternatives, each of which makes its answer follow; by default `asserts`.
        rival: the wrong option of a choice.
        scope: where valid and plausible answers come from: ("value", name, type), ("name", category, ...) ...
        named: position of the object that the answer names; -1: none.
    """

    family: str
    detailed: str
    semantic: str
    structural: str
    program: Program
    answer: str
    asked: tuple[str, ...]
    told: str
    slots: Slots
    group: str
    place: str | None = None
    nouns: tuple[Noun, ...] = ()
    asserts: tuple[Claim, ...] = ()
    needs: tuple[tuple[Claim, ...], ...] | None = None
    rival: str = ""
    scope: tuple[str, ...] = ()
    named: int = -1
    told_slots: Slots = field(default_factory=dict)
