"""What is made for the paper, by system, beside replicates: models, evaluations, studies, figures; and their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nsmodels.paper.contents import FIGURES, TRAININGS
from pipeline.assets import comparison
from pipeline.assets.systems import trainings
from pipeline.lib.training import Training

STUDIES = {  # by system: many trainings for a report each
    "visual": ("clevr_mini_baselines",),
    "natural": ("gqa_mini_baselines", "vqa_mini_baselines", "visual_ablations", "visual_baselines"),
    "graph": ("graph_ablations",),
    "nav": ("nav_ablations",),
    "world": ("world_ablations",),
}
SHOWN = {  # figures that need nothing but one study
    "visual_ablations": ("ablation_study",), "graph_ablations": ("graph_ablation_study",),
    "nav_ablations": ("nav_ablation_study",), "world_ablations": ("world_ablation_study",),
}  # fmt: skip
AFTER = {"natural": ("visual",)}  # whose figures show what the other one makes, by system
GATHERED = comparison.visual_baselines.key.to_user_string()  # takes all seeds of its models that there are
COPYING = {"world_ablations": "world"}  # studies whose full models are copies of the replicates of a training


def beside_seeds(family: str) -> Iterator[str]:
    """Keys of the models, evaluations, studies and figures of a system, in the order in which they are made."""
    for each in trainings_of([family]):
        yield from (part.model_key for part in each.chain)
        yield each.evaluation_key
    yield from (*STUDIES.get(family, ()), *FIGURES[family])


def trainings_of(families: Sequence[str]) -> list[Training[Any, Any]]:
    """The trainings of systems that the paper shows."""
    names = {name for family in families for name in TRAININGS[family]}
    return [each for each in trainings() if each.name in names]
