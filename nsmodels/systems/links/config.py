"""Configuration of link prediction and its presets. Torch-free."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nsmodels.core.config import Config, runtime_field
from nsmodels.engine.config import Device, TrainingConfig, further_training

CODE_VERSION = "1"
EVALUATION_VERSION = f"{CODE_VERSION}.1"
COMPLEX, RELATIONAL, HYBRID = "complex", "relational", "hybrid"  # phases, in the order of training
METRICS = {COMPLEX: ("mrr",), RELATIONAL: ("mrr",), HYBRID: ("mrr",)}
SECTIONS = {COMPLEX: "complex_training"}


class ComplexConfig(Config):
    """ComplEx with the nuclear 3-norm: an embedding per entity and per relation in each direction."""

    dim: int = Field(default=64, ge=2, le=4096, description="complex numbers of an embedding")
    regularisation: float = Field(
        default=0.01, ge=0, le=10, description="weight of the cubed moduli of what a triple's score is made of"
    )


class RelationalConfig(Config):
    """The source-conditioned network: messages from the query's entity over the whole graph, layer by layer."""

    dim: int = Field(default=32, ge=4, le=1024, description="channels of a node")
    depth: int = Field(default=4, ge=1, le=16, description="layers, hence the longest path that counts")
    is_trained: bool = Field(
        default=True, description="train it alone, too; the hybrid has one of its own, together with ComplEx"
    )


class LinksConfig(Config):
    """Three networks for one knowledge base. Seed, device and trackers of `training` hold for all their trainings."""

    base: str = Field(default="umls", min_length=1, description="name of the base among those of the data")
    complex: ComplexConfig = ComplexConfig()
    relational: RelationalConfig = RelationalConfig()
    training: TrainingConfig = TrainingConfig(epochs=4, batch_size=64, lr=5e-3, weight_decay=0.0, num_workers=0)
    complex_training: TrainingConfig = further_training(has_curriculum=False)
    num_settling: int = Field(
        default=2, ge=0, le=1000, description="hybrid: first epochs, in which only its embeddings are trained"
    )


class EvaluationConfig(Config):
    """What a checkpoint is scored on."""

    split: Literal["test", "val"] = Field(default="test", description="split whose triples are asked for, both ways")
    device: Device = runtime_field("auto", description="auto, cpu, cuda or cuda:N")


EVALUATION_PRESETS = {"default": EvaluationConfig}
