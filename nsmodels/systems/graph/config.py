"""Configuration of the graph reasoner and its presets by domain. Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import Field

from nsmodels.core.config import Config, conditional, runtime_field
from nsmodels.engine.config import Device, TrainingConfig, further_training

CODE_VERSION = "1"
EVALUATION_VERSION = f"{CODE_VERSION}.1"  # an evaluation is made again, its checkpoint is not
REASONER = "reasoner"  # the phase of the network itself, beside its baselines
# Reported by each training beside its loss; see `engine.system.System.metrics`.
METRICS = {
    REASONER: ("label", "trace", "accuracy", "val/paired_accuracy"),
    "labels_only": ("label", "accuracy", "val/paired_accuracy"),
    "flat": ("label", "trace", "accuracy", "val/paired_accuracy"),
    "source": ("label", "trace", "cycle", "accuracy", "val/paired_accuracy"),
    "recurrent": ("label", "trace", "accuracy", "val/paired_accuracy"),
    "budget": ("label", "trace", "accuracy", "val/paired_accuracy"),
}
SECTIONS = {"flat": "baseline_training", "source": "baseline_training", "recurrent": "baseline_training"}

Kind = Literal["recurrent", "levels", "flat", "source"]


class ModelConfig(Config):
    """The network: one relational update with tied weights, repeated as often as the structure of a graph demands."""

    common = ("kind", "dim", "aggregation")

    kind: Kind = Field(
        default="recurrent",
        description="recurrent: one update, repeated; levels: it and a pooled level; flat: layers of an R-GCN; "
        "source: three coupled levels, as in the source document",
    )
    dim: int = Field(default=48, ge=2, le=1024, description="channels of a node")
    aggregation: Literal["auto", "sum", "max", "both"] = Field(
        default="auto",
        description="how a node combines its messages; both: half of the channels by their sum, half by their "
        "maximum; auto: as the vocabulary of the data declares",
    )
    use_gate: bool = conditional(
        True, {"kind": ("recurrent", "levels")}, description="a learned gate decides how much of a node is replaced"
    )
    cell_layers: Literal[1, 2] = conditional(
        2, {"kind": ("recurrent", "levels")}, description="layers of the update; parity of several messages takes two"
    )
    use_norm: bool = conditional(
        True, {"kind": ("recurrent", "levels")}, description="layer normalisation of a node before it sends"
    )
    num_bases: int = conditional(
        0,
        {"kind": ("recurrent", "levels")},
        ge=0,
        le=64,
        description="matrices that relations combine; 0: a diagonal matrix per relation",
    )
    fine_rounds: int = conditional(
        5, {"kind": "levels"}, ge=1, le=64, description="kind=levels: rounds within the clusters, up and down each"
    )
    num_slots: int = conditional(
        8, {"kind": "levels"}, ge=1, le=64, description="kind=levels: places of a cluster whose nodes are kept apart"
    )
    slot_dim: int = conditional(
        16, {"kind": "levels"}, ge=1, le=1024, description="kind=levels: channels that a cluster keeps of each place"
    )
    max_rounds: int = conditional(
        0, {"kind": "recurrent"}, ge=0, le=1024, description="kind=recurrent: at most so many rounds; 0: no limit"
    )
    max_extra_rounds: int = conditional(
        12,
        {"kind": ("recurrent", "levels")},
        ge=0,
        le=64,
        description="up to so many rounds more than the structure demands, drawn for each graph in training, often few",
    )
    slack_rounds: int = conditional(
        4,
        {"kind": ("recurrent", "levels")},
        ge=0,
        le=64,
        description="rounds more than the structure demands when a trained network predicts",
    )


class ObjectiveConfig(Config):
    """What is asked of the network beside the label."""

    trace_weight: float = Field(
        default=1.0, ge=0, le=100, description="weight of the oracle's trace, round by round; 0: labels alone"
    )
    cycle_weight: float = conditional(
        0.05,
        {"model.kind": "levels"},
        ge=0,
        le=100,
        description="weight of the nodes' reconstruction from their clusters; the source searches 0.01, 0.05, 0.1",
    )


class ScheduleConfig(Config):
    """Which graphs an epoch contains; with `training.curriculum` short ones come first."""

    short_epochs: int = conditional(
        2, {"training.curriculum": True}, ge=0, le=100_000, description="first epochs, with short graphs alone"
    )
    short_share: float = conditional(
        0.25, {"training.curriculum": True}, ge=0, lt=1, description="share of short graphs in later epochs"
    )
    max_pairs: int = Field(default=0, ge=0, description="train on the first so many pairs of each split; 0: all")
    use_random_labels: bool = Field(
        default=False,
        description="control: the labels of a training pair are exchanged at random; scores fall to chance",
    )
    use_checkpointing: bool = runtime_field(
        False,
        applies={"model.kind": ("recurrent", "levels")},
        description="compute the rounds again in the backward pass: less memory, a third more time",
    )


class BaselineConfig(Config):
    """Networks that are trained beside it on the same graphs; evaluations then show their rows."""

    is_plain = False

    labels_only: bool = Field(default=True, description="the same network without the oracle's trace")
    flat: bool = Field(default=True, description="an R-GCN whose layers have weights of their own")
    source: bool = Field(default=True, description="three coupled levels, as in the source document")
    recurrent: bool = Field(default=False, description="one level with as many rounds as the structure demands")
    budget: bool = Field(default=False, description="one level with at most `budget_rounds` rounds")
    budget_rounds: int = conditional(
        12, {"budget": True}, ge=1, le=1024, description="rounds over nodes that two levels are compared at"
    )
    flat_layers: int = Field(default=6, ge=1, le=64, description="layers of the flat R-GCN")
    flat_bases: int = Field(default=4, ge=1, le=64, description="matrices that its relations combine")
    flat_dim: int = Field(default=48, ge=2, le=1024, description="channels of a node of the flat R-GCN")
    source_dim: int = Field(default=48, ge=2, le=1024, description="channels of a node of the coupled levels")
    cycle_weight: float = Field(default=0.1, ge=0, le=100, description="weight of the cycle loss of the coupled levels")


class GraphConfig(Config):
    """The reasoner and its baselines with their trainings. Seed, device, trackers of `training` hold for all."""

    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig(curriculum=True)
    objective: ObjectiveConfig = ObjectiveConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    baselines: BaselineConfig = BaselineConfig()
    baseline_training: TrainingConfig = further_training()


class EvaluationConfig(Config):
    """What a checkpoint is scored on."""

    split: str = Field(
        default="test",
        min_length=1,
        description="split of the data; with test also ood and lengths; a single one anyway",
    )
    extra_rounds: int = Field(default=0, ge=0, le=1024, description="rounds beyond those of the configuration")
    max_graphs: int = Field(default=0, ge=0, description="score the first so many graphs of each split; 0: all")
    use_classifiers: bool = Field(
        default=True, description="train classifiers of counts and colours beside it: seconds for thousands of graphs"
    )
    device: Device = runtime_field("auto", description="auto, cpu, cuda or cuda:N")


_TRAINING = TrainingConfig(epochs=6, batch_size=64, lr=3e-3, curriculum=True, num_workers=0)
_BASELINE = _TRAINING.with_values({"epochs": 3, "curriculum": False})


def debug() -> GraphConfig:
    """A second of one CPU core, to see that everything runs; scores are near chance."""
    training = TrainingConfig(epochs=2, batch_size=16, lr=3e-3, curriculum=True, num_workers=0)
    return GraphConfig(
        model=ModelConfig(dim=8, max_extra_rounds=1, slack_rounds=1),
        training=training,
        schedule=ScheduleConfig(short_epochs=1),
        baselines=BaselineConfig(
            recurrent=True, budget=True, flat_layers=2, flat_bases=2, flat_dim=8, source_dim=8, budget_rounds=4
        ),
        baseline_training=training.with_values({"epochs": 1}),
    )


def causal_quick() -> GraphConfig:
    """20,000 short and 18,000 full causal graphs: 123 to 137 seconds of a busy CPU core for the reasoner.

    Measured with three seeds: both twins right on 96 to 99 % of 500 pairs, and on 97 to 98 % of 500 longer ones never
    seen in training; of the hardest kind, counterfactual queries, on 92 to 98 % and 93 to 95 %; on 95 to 99 % of 407
    pairs on real Bayesian networks.
    """
    return GraphConfig(training=_TRAINING, schedule=ScheduleConfig(short_epochs=3), baseline_training=_BASELINE)


def causal_base() -> GraphConfig:
    """48,000 short and 72,000 full causal graphs: about ten minutes of one CPU core by size. Score not measured yet."""
    return causal_quick().with_values({"schedule.short_epochs": 2})


def causal_paper() -> GraphConfig:
    """480,000 causal graphs on one GPU. Time and score are not measured."""
    return _paper(causal_base())


def planning_quick() -> GraphConfig:
    """10,000 short plans of 7 to 10 steps, and 5,000 of 20 to 28: within two minutes of one CPU core.

    Measured with three seeds: both twins right on 100 % of 500 pairs of 20 to 28 steps, and on 92 to 98 % of 500 of 32
    to 60 steps, among them plans of a domain never seen in training; 45 to 77 seconds of a CPU core.
    """
    return causal_quick().with_values({"training.epochs": 3, "schedule.short_epochs": 2})


def planning_base() -> GraphConfig:
    """As quick with twice the epochs, on more plans. Time and score are not measured."""
    return planning_quick().with_values({"training.epochs": 6, "schedule.short_epochs": 3})


def planning_paper() -> GraphConfig:
    """Plans on one GPU. Time and score are not measured."""
    return _paper(planning_base())


def knowledge_quick() -> GraphConfig:
    """8,000 short and 14,000 full knowledge graphs: 112 seconds of a busy CPU core for the reasoner.

    Measured with three seeds: both twins right on 98 to 99 % of 500 pairs, and on 96 to 99 % of 500 longer ones.
    """
    return causal_quick().with_values({"training.epochs": 4, "schedule.short_epochs": 1})


def knowledge_base() -> GraphConfig:
    """20,000 short and 80,000 full knowledge graphs: about ten minutes of one CPU core by size. Score not measured."""
    return knowledge_quick()


def knowledge_paper() -> GraphConfig:
    """440,000 knowledge graphs on one GPU. Time and score are not measured."""
    return _paper(knowledge_base())


def _paper(base: GraphConfig) -> GraphConfig:
    """The same with twice the channels, for larger data."""
    return base.with_values({"model.dim": 96, "training": {"epochs": 10, "lr": 2e-3, "warmup_epochs": 0.5}})


def chains_debug() -> GraphConfig:
    """As `debug`, with two levels, and one level beside them."""
    return debug().with_values({"model.kind": "levels", "baselines": {"recurrent": True, "budget": True}})


def chains_quick() -> GraphConfig:
    """Long chains: two levels, 75 CPU-seconds; beside them one level, with enough rounds and with at most 12.

    Measured over three seeds: both twins right on 100 % of 500 pairs of 24 to 32 mechanisms, 99 to 100 % of 40 to 52.
    """
    return GraphConfig(
        model=ModelConfig(kind="levels"),
        training=_TRAINING.with_values({"epochs": 7}),
        schedule=ScheduleConfig(short_epochs=4),
        baselines=BaselineConfig(recurrent=True, budget=True),
        baseline_training=_TRAINING.with_values({"epochs": 5}),
    )


def chains_base() -> GraphConfig:
    """Long chains within ten minutes of one CPU core. Time and score are not measured."""
    return chains_quick().with_values({"model.dim": 64, "training.epochs": 10, "baseline_training.epochs": 7})


def chains_paper() -> GraphConfig:
    """Long chains on a GPU, to the end. Time and score are not measured."""
    return chains_base().with_values({"model.dim": 96, "training.epochs": 50, "baseline_training.epochs": 20})


Presets = Mapping[str, Callable[[], GraphConfig]]
PRESETS_BY_DOMAIN: Mapping[str, Presets] = {
    "causal": {"debug": debug, "quick": causal_quick, "base": causal_base, "paper": causal_paper},
    "planning": {"debug": debug, "quick": planning_quick, "base": planning_base, "paper": planning_paper},
    "knowledge": {"debug": debug, "quick": knowledge_quick, "base": knowledge_base, "paper": knowledge_paper},
    "chains": {"debug": chains_debug, "quick": chains_quick, "base": chains_base, "paper": chains_paper},
}
PRESETS = PRESETS_BY_DOMAIN["causal"]
# Key of the dataset that a domain's presets are made for.
DATASETS = {
    "causal": "causal_graphs",
    "planning": "planning_graphs",
    "knowledge": "knowledge_graphs",
    "chains": "long_chains",
}
EVALUATION_PRESETS = {"default": EvaluationConfig}
