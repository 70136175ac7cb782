"""Keys of the project's own assets, for messages: which name a person may have meant, and whether one can be made.

The definitions are Dagster's and take seconds to load; a test compares this list with them.
"""

from __future__ import annotations

from collections.abc import Iterable

TRAINED = (
    "causal", "clevr", "clevr_mini", "gqa", "gqa_mini", "kinships", "knowledge", "long_chains", "multi_dataset",
    "nations", "nav", "planning", "umls", "vqa", "vqa_mini", "world",
)  # fmt: skip
PARENTS = ("world_audio", "world_dynamics", "world_fusion", "world_vision")  # have no evaluation of their own
OTHERS = (
    "ablation_study", "causal_accuracy", "causal_graphs", "causal_networks", "causal_networks_evaluation",
    "causal_training_curves", "clevr", "clevr_ablations", "clevr_archive", "clevr_mini", "clevr_mini_baselines",
    "cross_domain_comparison", "dataset_cards", "gqa", "gqa_archive", "gqa_consistency", "gqa_mini",
    "gqa_mini_baselines", "gqa_reasoning_depth", "gqa_training_curves", "graph_ablation_study", "graph_ablations",
    "graph_hyperparameters", "impacts", "knowledge_accuracy", "knowledge_bases", "knowledge_graphs",
    "knowledge_training_curves", "leaderboard", "long_chains", "long_chains_accuracy", "long_chains_training_curves",
    "mazes", "model_cards", "nav_ablation_study", "nav_ablations", "nav_data_scaling", "nav_grid_search",
    "nav_policies", "nav_success", "nav_training_curves", "paper_tables", "performance_comparison",
    "planning_accuracy", "planning_graphs", "planning_problems", "planning_problems_evaluation",
    "planning_training_curves", "reasoning_depth", "replication_report", "rule_learning", "supplement",
    "training_curves", "visual_ablations", "visual_baselines", "vqa", "vqa_archive", "vqa_mini",
    "vqa_mini_baselines", "world_ablation_study", "world_ablations", "world_phase_curves", "world_scores",
)  # fmt: skip


def _of_trainings(names: Iterable[str], parts: Iterable[str]) -> list[str]:
    return [f"{name}_{part}" for name in names for part in parts]


_PARTS = ("model", "replicates", "search", "trials")
ASSETS = frozenset((*_of_trainings(TRAINED, (*_PARTS, "evaluation")), *_of_trainings(PARENTS, _PARTS), *OTHERS))
