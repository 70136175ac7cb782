"""Configuration of link prediction and its presets. Torch-free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import Field

from nsmodels.core.config import Config, runtime_field
from nsmodels.engine.config import Device, TrainingConfig, further_training

CODE_VERSION = "1"
EVALUATION_VERSION = f"{CODE_VERSION}.2"
COMPLEX, RELATIONAL, HYBRID = "complex", "relational", "hybrid"  # phases, in the order of training
METRICS = {COMPLEX: ("mrr",), RELATIONAL: ("mrr",), HYBRID: ("mrr",)}
SECTIONS = {RELATIONAL: "relational_training", HYBRID: "relational_training"}


class ComplexConfig(Config):
    """ComplEx with the nuclear 3-norm: an embedding per entity and per relation in each direction."""

    dim: int = Field(default=64, ge=2, le=4096, description="complex numbers of an embedding")
    regularisation: float = Field(
        default=0.01, ge=0, le=10, description="weight of the cubed moduli of what a triple's score is made of"
    )


class RelationalConfig(Config):
    """The source-conditioned network: messages from the query's entity over the whole graph, layer by layer."""

    dim: int = Field(default=48, ge=4, le=1024, description="channels of a node")
    depth: int = Field(default=4, ge=1, le=16, description="layers, hence the longest path that counts")
    asked_share: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description="share of the queries of a source that are asked for in an epoch; their edges are hidden from it, "
        "the others are what it reasons from",
    )
    is_alone: bool = Field(default=True, description="train it alone, too, beside the one of the hybrid")


def _training(epochs: int, batch_size: int, lr: float = 5e-3) -> TrainingConfig:
    """The options of a training; matrices are not decayed, since the embeddings have the norm of their own."""
    return TrainingConfig(
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        weight_decay=0.0,
        monitor="val/mrr",
        monitor_mode="max",
        num_workers=0,
    )


class LinksConfig(Config):
    """Networks for one knowledge base. Seed, device and trackers of `training` hold for all their trainings."""

    base: str = Field(default="umls", min_length=1, description="name of the base among those of the data")
    complex: ComplexConfig = ComplexConfig()
    relational: RelationalConfig = RelationalConfig()
    training: TrainingConfig = _training(20, 256)  # of ComplEx, by query
    relational_training: TrainingConfig = further_training(has_curriculum=False)  # of both others, by source


class EvaluationConfig(Config):
    """What a checkpoint is scored on."""

    split: Literal["test", "val"] = Field(default="test", description="split whose triples are asked for, both ways")
    device: Device = runtime_field("auto", description="auto, cpu, cuda or cuda:N")


EVALUATION_PRESETS = {"default": EvaluationConfig}
BASES = ("umls", "kinships", "nations")


def debug() -> LinksConfig:
    """A second on one CPU core, to see that everything runs; scores are near those of frequency."""
    return LinksConfig(
        complex=ComplexConfig(dim=4),
        relational=RelationalConfig(dim=8, depth=2),
        training=_training(2, 128, lr=0.02),
        relational_training=_training(2, 8, lr=0.02),
    )


def quick() -> LinksConfig:
    """Two CPU-minutes: mean reciprocal rank on umls .96, where ComplEx alone has .95 and frequency .66."""
    return LinksConfig(relational_training=_training(40, 4))


def base() -> LinksConfig:
    """Ten CPU-minutes: wider, and more epochs; not measured."""
    return quick().with_values({"relational.dim": 64, "relational_training.epochs": 100, "training.epochs": 40})


def paper() -> LinksConfig:
    """For one GPU: wider still, and more epochs; not measured."""
    return base().with_values({"complex.dim": 256, "relational.dim": 96, "relational_training.epochs": 200})


PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}


def presets_of(name: str) -> dict[str, Callable[[], LinksConfig]]:
    """The presets for the base of that name."""

    def of(preset: Callable[[], LinksConfig]) -> Callable[[], LinksConfig]:
        return lambda: preset().with_values({"base": name})

    return {label: of(preset) for label, preset in PRESETS.items()}
