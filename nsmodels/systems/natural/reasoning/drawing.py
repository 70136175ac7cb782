"""Pictures of proofs: over their photograph, with the boxes of the objects, and as a tree of steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from nsmodels.formats.images import drawing
from nsmodels.formats.images.drawing import Mark, Node, Row
from nsmodels.systems.natural.reasoning.proof import Proof, ProofStep

MAX_FACTS = 6


def draw_proof(image: UInt8[np.ndarray, "height width channels"], proof: Proof, path: Path, question: str = "") -> None:
    """Draw `proof` over its image with its steps beside it, to `path` (.png, .svg or .pdf).

    The objects of the proof's world have their boxes, numbers and names; those that the answer rests on are
    highlighted. Raises InputError for other suffixes.
    """
    scale = image.shape[1] / proof.size[0], image.shape[0] / proof.size[1]
    rows = [row for step in proof.steps for row in _rows(step)]
    title = drawing.title_of(question, f"{proof.answer}  (confidence {proof.confidence:.2f})")
    drawing.draw_over(image, _marks(proof, *scale), rows, title, path)


def draw_tree(proof: Proof, path: Path) -> None:
    """Draw the steps of `proof` as a tree, the answer on top, to `path` (.png, .svg or .pdf); others: `InputError`."""
    drawing.draw_tree([Node(f"{step.call}\n{step.result}{_weakest(step)}", step.inputs) for step in proof.steps], path)


def _marks(proof: Proof, across: float, down: float) -> list[Mark]:
    chosen = {each.number for each in proof.evidence}
    marks = []
    for each in proof.objects:
        x, y, w, h = each.box
        centre = ((x + w / 2) * across, (y + h / 2) * down)
        marks.append(Mark(f"o{each.number} {each.name}", centre, (w * across, h * down), each.number in chosen))
    return marks


def _rows(step: ProofStep) -> list[Row]:
    """Lines of the panel: the step, then its least certain facts."""
    shown = sorted(step.facts, key=lambda fact: fact.probability)[:MAX_FACTS]
    rows = [Row(f"s{step.number} {step.call} → {step.result}")]
    rows += [
        Row(f"    {'+' if fact.holds else '−'} {fact}   {fact.probability:.3f}", fact.holds)
        for fact in step.facts
        if fact in shown
    ]
    rest = len(step.facts) - len(shown)
    return [*rows, Row(f"    … {rest} more, at least as certain", False)] if rest else rows


def _weakest(step: ProofStep) -> str:
    """The least certain leaf fact of a step, when one is uncertain."""
    fact = min(step.facts, key=lambda fact: fact.probability, default=None)
    return f"\n{fact}: {fact.probability:.2f}" if fact and fact.probability < 0.995 else ""
