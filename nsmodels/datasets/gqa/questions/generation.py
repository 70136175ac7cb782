"""Questions of one image: proposed, answered, worded, with what follows from each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from nsmodels.datasets.gqa.questions.asking import Asker, Chance, Source
from nsmodels.datasets.gqa.questions.config import QuestionSettings
from nsmodels.datasets.gqa.questions.drafts import Draft
from nsmodels.datasets.gqa.questions.entailment import entailed
from nsmodels.datasets.gqa.questions.families import FAMILIES
from nsmodels.datasets.gqa.questions.nouns import Program
from nsmodels.datasets.gqa.questions.view import View
from nsmodels.datasets.gqa.questions.wording.templates import fill
from nsmodels.formats.scenes.graphs import SceneGraph

WORDINGS = 3  # tries to word a question differently from an earlier one of the same program


@dataclass(frozen=True, slots=True)
class Made:
    """A finished question before balancing.

    Attributes:
        id: its id.
        draft: what it was made from.
        record: as released, `isBalanced` false.
    """

    id: str
    draft: Draft
    record: dict[str, Any]


def questions_of(graph: SceneGraph, source: Source, settings: QuestionSettings, split: str) -> list[Made]:
    """The questions of an image, all of them; they depend on seed, split, image and the frequencies of the split."""
    rng = Chance(f"{settings.seed} {split} {graph.image}")
    view = View(graph, source.words)
    drafts = list(_drafts(Asker(view, source, rng), settings, rng))
    texts = _worded(drafts, view.ids, rng)
    kept = [number for number, text in enumerate(texts) if text is not None]
    drafts, found = [drafts[i] for i in kept], [text for text in texts if text is not None]
    ids = [f"{graph.image}{number:03d}" for number in range(len(drafts))]
    follows = entailed(drafts, source.words, view.count)
    alike = _equivalent(drafts)
    return [
        Made(ids[i], draft, _record(draft, graph.image, ids, follows[i], alike[i], *found[i]))
        for i, draft in enumerate(drafts)
    ]


def _drafts(ask: Asker, settings: QuestionSettings, rng: Random) -> list[Draft]:
    found = []
    for family in FAMILIES.values():
        wanted = family.tries * settings.effort
        for _ in range(int(wanted) + (rng.random() < wanted % 1)):
            draft = family.propose(ask)
            if draft is not None:
                found.append(draft)
                if rng.random() < settings.repeated:
                    found.append(draft)
    return found


Text = tuple[str, dict[str, str], str, dict[str, str]]


def _worded(drafts: list[Draft], ids: tuple[str, ...], rng: Random) -> list[Text | None]:
    """Question and full answer with their spans; None where the image has the same question already."""
    seen: set[str] = set()
    found: list[Text | None] = []
    for draft in drafts:
        for _ in range(WORDINGS):
            text, spans = fill(rng.choice(draft.asked), draft.slots, ids, rng)
            if text not in seen:
                break
        else:
            found.append(None)
            continue
        seen.add(text)
        found.append((text, spans, *fill(draft.told, draft.told_slots, ids, rng)))
    return found


def _equivalent(drafts: list[Draft]) -> list[list[int]]:
    """For each question those of the same form that establish the same, itself among them."""
    groups: dict[Any, list[int]] = {}
    for number, draft in enumerate(drafts):
        groups.setdefault((draft.structural, draft.answer, draft.asserts or str(draft.program.steps)), []).append(
            number
        )
    found: list[list[int]] = [[] for _ in drafts]
    for group in groups.values():
        for number in group:
            found[number] = group
    return found


def as_text(program: Program) -> str:
    """The program in one line, as `semanticStr` of the release."""
    return "->".join([
        f"{operation}: {argument} [{', '.join(map(str, inputs))}]" if inputs else f"{operation}: {argument}"
        for operation, inputs, argument in program.steps
    ])  # fmt: skip


def _record(
    draft: Draft, image: str, ids: list[str], follows: list[int], alike: list[int],
    question: str, spans: dict[str, str], told: str, told_spans: dict[str, str],
) -> dict[str, Any]:  # fmt: skip
    named = {"0": draft.program.ids[draft.named]} if draft.named >= 0 else {}
    return {
        "semantic": [
            {"operation": operation, "dependencies": inputs, "argument": argument}
            for operation, inputs, argument in draft.program.steps
        ],
        "entailed": [ids[i] for i in follows],
        "equivalent": [ids[i] for i in alike],
        "question": question,
        "imageId": image,
        "isBalanced": False,
        "groups": {"global": draft.place, "local": draft.group},
        "answer": draft.answer,
        "semanticStr": as_text(draft.program),
        "annotations": {"answer": named, "question": spans, "fullAnswer": told_spans},
        "types": {"detailed": draft.detailed, "semantic": draft.semantic, "structural": draft.structural},
        "fullAnswer": told,
    }


def as_json(record: dict[str, Any]) -> str:
    """The record as a line of JSON."""
    return json.dumps(record)
