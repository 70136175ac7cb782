"""The ablations: the reasoner without one thing after the other, over the same seeds, on one or several datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from nsmodels.core.artifact import Manifest
from nsmodels.core.orders import DATA, Order
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.coarsening import with_clusters
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.studies.comparison import Counts
from nsmodels.studies.study import run_study
from nsmodels.studies.trials import Arm
from nsmodels.studies.variant import Variant
from nsmodels.systems.graph import SYSTEM
from nsmodels.systems.graph.config import EvaluationConfig, GraphConfig
from nsmodels.systems.graph.evaluation.rivals import Scored
from nsmodels.systems.graph.evaluation.summary import outcomes_of
from nsmodels.systems.graph.network import kinds
from nsmodels.systems.graph.reasoner import Reasoner
from nsmodels.systems.graph.studies.variants import (
    ONE_LEVEL,
    ROUNDS,
    SHORT,
    TERMS,
    TWO_LEVELS,
    AblationConfig,
)

HELD_OUT = {"test": "", "ood": "ood_"}  # splits, and how the names of their metrics begin


def ablate(order: Order[AblationConfig]) -> Manifest:
    """Train and score every variant over all seeds on the datasets of an order, and seal the table.

    A stopped study resumes. Raises `InputError` for bad data, and as `run_study`.
    """
    return run_study(order, arms_for, SYSTEM.package, "ablations")


def arms_for(order: Order[AblationConfig]) -> list[Arm]:
    """A part of the study for each dataset."""
    return [arm_of(order.config, key, data) for key, data in order.inputs.datasets.items()]


def arm_of(config: AblationConfig, key: str, data: Path) -> Arm:
    """The part of the study on one dataset: of two levels where its graphs declare clusters."""
    graphs = files.read_split(data, "val")
    has_levels = bool((graphs.clusters >= 0).any())
    whole = config.whole
    if has_levels:
        epochs = {"training.epochs": config.level_epochs, "schedule.short_epochs": config.level_short_epochs}
        whole = whole.with_values({"model.kind": "levels", **epochs})
    longest = files.read_split(data, "ood" if "ood" in files.splits(data) else "test")

    def count(own: GraphConfig, _: EvaluationConfig) -> Counts:
        return {TERMS: len(terms_of(own)), ROUNDS: rounds_of(own, longest), SHORT: num_short(own, data)}

    return Arm(
        name=data.name if key == DATA else key,
        system=SYSTEM,
        config=whole,
        evaluation=EvaluationConfig(device=config.training.device),
        data={key: data},
        variants=variants_of(config, graphs, files.splits(data)),
        score=score,
        count=count,
    )


def variants_of(config: AblationConfig, graphs: Graphs, splits: list[str]) -> dict[str, Variant]:
    """The variants for such graphs; a verdict is given on longer graphs too where there are any."""
    if (graphs.clusters >= 0).any():
        chosen = {name: TWO_LEVELS[name] for name in config.level_variants}
        if "one_level" in chosen:
            limit = {"model.max_rounds": config.baselines.budget_rounds}
            chosen["one_level"] = replace(chosen["one_level"], values={**chosen["one_level"].values, **limit})
    else:
        has_short = "short" in splits
        chosen = {name: ONE_LEVEL[name] for name in config.variants if has_short or name != "no_short"}
    if "other_aggregation" in chosen:
        declared = graphs.vocabulary.aggregation
        other = "max" if declared == "sum" else "sum"
        about, values = f"{declared} of messages, against {other}", {"model.aggregation": other}
        chosen["other_aggregation"] = replace(chosen["other_aggregation"], about=about, values=values)
    also = ("ood_paired_accuracy",) if "ood" in splits else ()
    return {name: replace(variant, also=also) for name, variant in chosen.items()}


def score(order: Order[EvaluationConfig]) -> list[Outcomes]:
    """Pairs and graphs that are right, of `test` and, where there is one, of `ood`."""
    reasoner, found = Reasoner.load(order.model, order.config.device), []
    for split, prefix in HELD_OUT.items():
        if split in files.splits(order.data):
            graphs = files.read_split(order.data, split)
            given = Scored({split: reasoner.predict(graphs).probability}, {})
            found += outcomes_of(graphs, given, split, prefix)
    return found


# --- what a variant lacks --------------------------------------------------------------------------------------------


def terms_of(config: GraphConfig) -> list[str]:
    """Terms of the loss that reach the network."""
    weights: Mapping[str, float] = {
        "label": 1.0,
        "trace": config.objective.trace_weight,
        "cycle": {"levels": config.objective.cycle_weight, "source": config.baselines.cycle_weight}.get(
            config.model.kind, 0.0
        ),
    }
    return [name for name, weight in weights.items() if weight]


def rounds_of(config: GraphConfig, graphs: Graphs) -> int:
    """The most rounds that the network takes on these graphs."""
    with torch.device("meta"):
        network = kinds.build(config.model.kind, config, graphs.vocabulary)
    asked = with_clusters(graphs) if config.model.kind == "levels" else graphs
    return int(network.rounds_of(asked, config.model.slack_rounds).max())  # pyright: ignore


def num_short(config: GraphConfig, data: Path) -> int:
    """Short graphs that are trained on first."""
    if not config.training.curriculum or not config.schedule.short_epochs or "short" not in files.splits(data):
        return 0
    return len(files.read_split(data, "short"))
