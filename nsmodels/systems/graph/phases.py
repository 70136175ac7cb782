"""The networks of a checkpoint: the trial of each one on the shared loop."""

from __future__ import annotations

from pathlib import Path

from nsmodels.engine.phases import sharing
from nsmodels.engine.trial import Trial
from nsmodels.systems.graph.config import SECTIONS, GraphConfig, Kind
from nsmodels.systems.graph.training.graphs import TrainingGraphs
from nsmodels.systems.graph.training.task import GraphTask

LABELS_ONLY = "labels_only"
KINDS: dict[str, Kind] = {
    "flat": "flat",
    "source": "source",
    "recurrent": "recurrent",
    "budget": "recurrent",
}  # of the others `model.kind` decides


def make_trial(phase: str, config: GraphConfig, data: Path) -> Trial:
    """The task of a phase on the graphs in `data`, and how it is trained. Raises InputError for bad data."""
    training = sharing(getattr(config, SECTIONS.get(phase, "training")), config.training)
    kind = KINDS.get(phase, config.model.kind)
    graphs = TrainingGraphs(data, config.schedule, training, has_levels=kind == "levels")
    if phase == "budget":
        limit = {"model.kind": kind, "model.max_rounds": config.baselines.budget_rounds}
        config = config.with_values(limit)
    return Trial(GraphTask(kind, graphs, config, training, has_trace=phase != LABELS_ONLY), training)
