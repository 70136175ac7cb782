"""What the paper is made of: trainings with their seeds, figures and studies, by asset key; and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nsmodels.core.artifact import MANIFEST
from nsmodels.core.errors import InputError
from nsmodels.evaluation.measure import FEWEST_SEEDS
from nsmodels.evaluation.replication import REPLICATES, evaluations_of
from nsmodels.paper.recipes import materialize

SEEDS = f"0...{FEWEST_SEEDS - 1}"
TRAININGS = {  # by system, those over seeds
    "visual": ("clevr_mini",),
    "natural": ("gqa_mini", "vqa_mini"),
    "graph": ("causal", "planning", "knowledge", "long_chains"),
    "nav": ("nav",),
    "world": ("world",),
}
ABLATIONS = ("visual_ablations", "graph_ablations", "nav_ablations", "world_ablations")
STUDIES = (*ABLATIONS, "visual_baselines")
FIGURES = {  # by the system that the last of their inputs is of
    "visual": ("reasoning_depth", "training_curves"),
    "natural": (
        "ablation_study",
        "performance_comparison",
        "gqa_training_curves",
        "gqa_reasoning_depth",
        "gqa_consistency",
    ),
    "graph": (
        *(f"{name}_{end}" for name in TRAININGS["graph"] for end in ("training_curves", "accuracy")),
        "graph_ablation_study",
    ),
    "nav": ("nav_training_curves", "nav_success", "nav_policies", "nav_ablation_study"),
    "world": ("world_phase_curves", "world_scores", "world_ablation_study"),
}
TABLES, SUPPLEMENT, MODEL_CARDS, DATASET_CARDS = "paper_tables", "supplement", "model_cards", "dataset_cards"
PAPER = (TABLES, SUPPLEMENT, MODEL_CARDS, DATASET_CARDS)


class NothingSealed(InputError):
    """Nothing that a part of the paper is made from lies under the data root, or of too few seeds."""


def missing(root: Path) -> Iterator[str]:
    """A line with its command for each training over seeds, study and figure that is not sealed under a data root."""
    for names in TRAININGS.values():
        for name in names:
            place = root / f"{name}{REPLICATES}"
            num = len(evaluations_of(place))
            if num < FEWEST_SEEDS:
                yield f"{name}{REPLICATES}: {num} of {FEWEST_SEEDS} seeds: {materialize(place.name, SEEDS)}"
    for key in (*STUDIES, *(name for names in FIGURES.values() for name in names)):
        if not (root / key / MANIFEST).is_file():
            yield f"{key}: {materialize(key)}"
