"""Pictures of proofs: over their image, and as a tree of steps."""

from __future__ import annotations

from pathlib import Path

from nsmodels.datasets.clevr.vocabulary import FUNCTIONS
from nsmodels.formats.images import drawing
from nsmodels.formats.images.drawing import Mark, Node, Row
from nsmodels.systems.visual.reasoning.belief import Array, SceneBelief
from nsmodels.systems.visual.reasoning.proof import Proof, Step

MAX_FACTS = 6


def draw_proof(image: Array, proof: Proof, belief: SceneBelief, path: Path, question: str = "") -> None:
    """Draw `proof` over `image` (height, width, 3 or 4) with its steps beside it, to `path` (.png, .svg or .pdf).

    Every object is labelled with its number and most likely attributes; those that support the answer are highlighted.
    The belief's pixels are scaled from its `image_size` to the size of `image`. Raises InputError for other suffixes.
    """
    rows = [row for step in proof.steps for row in _rows(step)]
    scale = image.shape[1] / belief.image_size[0], image.shape[0] / belief.image_size[1]
    title = drawing.title_of(question, f"{proof.answer}  (confidence {proof.confidence:.2f})")
    drawing.draw_over(image, _marks(proof, belief, *scale), rows, title, path)


def draw_tree(proof: Proof, path: Path) -> None:
    """Draw the steps of `proof` as a tree, the answer on top and the scene below, to `path` (.png, .svg or .pdf).

    Raises InputError for a different suffix.
    """
    drawing.draw_tree([_node(step) for step in proof.steps], path)


def supporting_objects(proof: Proof) -> list[int]:
    """Numbers of the objects that support the answer: members of the last sets, or objects, before it."""
    pending, found = [len(proof.steps) - 1], set()
    while pending:
        step = proof.steps[pending.pop()]
        kind = FUNCTIONS[step.function][1]
        if kind == "set":
            found.update(step.output if isinstance(step.output, list) else [])
        elif kind == "object":
            found.add(step.output)
        else:
            pending.extend(step.inputs)
    return sorted(found)


def _marks(proof: Proof, belief: SceneBelief, scale_x: float, scale_y: float) -> list[Mark]:
    """The objects that are likely, or support the answer."""
    chosen = supporting_objects(proof)
    return [
        Mark(f"o{number} {belief.words(number)}", (x * scale_x, y * scale_y), None, number in chosen)
        for number, (x, y) in enumerate(belief.pixels.tolist(), start=1)
        if belief.presence[number - 1] >= 0.5 or number in chosen
    ]


def _rows(step: Step) -> list[Row]:
    """Lines of the panel: the step, then its least certain facts."""
    rows = [Row(f"s{step.number} {step.call} → {step.result}")]
    shown = sorted(step.facts, key=lambda fact: fact.probability)[:MAX_FACTS] if step.function != "scene" else []
    rows += [
        Row(f"    {'+' if fact.holds else '−'} {fact}   {fact.probability:.3f}", fact.holds)
        for fact in step.facts
        if fact in shown
    ]
    if step.function != "scene" and len(step.facts) > len(shown):
        rows.append(Row(f"    … {len(step.facts) - len(shown)} more, at least as certain", False))
    return rows


def _node(step: Step) -> Node:
    value = f"[{', '.join(step.values)}]" if step.values else ""
    return Node(f"{step.function}{value}\n{step.result}{_weakest(step)}", tuple(step.inputs))


def _weakest(step: Step) -> str:
    """The least certain leaf fact of a step, when one is uncertain."""
    facts = [fact for fact in step.facts if fact.probability < 0.995]
    if not facts:
        return ""
    fact = min(facts, key=lambda fact: fact.probability)
    return f"\n{fact}: {fact.probability:.2f}"
