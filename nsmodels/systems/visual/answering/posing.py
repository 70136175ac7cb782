"""Questions that are well posed in a scene and ill posed in others: data on what a question takes for granted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nsmodels.datasets.clevr.questions.executor import IllPosed, compile, execute


class Posed(NamedTuple):
    """A question about a scene, by number of each, and whether it is well posed there."""

    question: int
    scene: int
    is_well_posed: bool


def posed_pairs(
    scenes: Sequence[Mapping[str, Any]], questions: Sequence[Mapping[str, Any]], num: int, seed: int
) -> list[Posed]:
    """`num` questions that refer to a single object, or as many as there are, each twice: about its own scene, in which
    it is well posed, and about one in which the exact executor finds it ill posed.
    """
    rng = np.random.default_rng(seed)
    place = {scene["image_index"]: k for k, scene in enumerate(scenes)}
    masks = [compile(dict(scene)) for scene in scenes]
    asked = [
        k
        for k, question in enumerate(questions)
        if question["image_index"] in place and any(node["function"] == "unique" for node in question["program"])
    ]
    found: list[Posed] = []
    for k in rng.permutation(asked).tolist():
        if len(found) >= 2 * num:
            break
        own = place[questions[k]["image_index"]]
        others = [other for other in rng.permutation(len(scenes))[:20].tolist() if other != own]
        ill = next((other for other in others if _is_ill_posed(questions[k]["program"], masks[other])), None)
        if ill is not None:
            found += [Posed(k, own, True), Posed(k, ill, False)]
    return found


def _is_ill_posed(program: list[dict[str, Any]], scene: Any) -> bool:
    try:
        execute(program, scene)
    except IllPosed:
        return True
    return False
