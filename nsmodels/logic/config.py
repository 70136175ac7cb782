"""Options of questions to rules, and of learning rules."""

from __future__ import annotations

from pydantic import Field

from nsmodels.core.config import Config

CODE_VERSION = "1"


class AskConfig(Config):
    """How far a question may go, and what is done beyond exact counting."""

    budget: int = Field(default=1_000_000, ge=1, description="derivations, at most")
    max_nodes: int = Field(
        default=100_000, ge=10, description="nodes of the diagrams of exact counting; beyond, worlds are sampled"
    )
    num_worlds: int = Field(default=16_384, ge=64, multiple_of=8, description="sampled worlds")
    seed: int = Field(default=0, ge=0, description="of the sampled worlds")
    max_proofs: int = Field(default=100, ge=0, description="answers that come with a proof, the most probable first")


class LearnConfig(Config):
    """The search for rules."""

    min_examples: int = Field(default=5, ge=1, description="examples that a literal must hold for, and fail for")
    max_literals: int = Field(default=4, ge=1, le=8, description="literals of a clause")
    max_clauses: int = Field(default=20, ge=1, description="clauses of a target")
    num_pairs: int = Field(default=256, ge=0, description="pairs of literals, tried because examples share them")
    first_beam: int = Field(default=16, ge=1, description="single literals that are extended")
    beam: int = Field(default=8, ge=1, description="longer clauses that are extended at once")
    min_precision: float = Field(
        default=0.5,
        ge=0.0,
        le=1.0,
        description="share of the examples that a clause alone covers and that have the label",
    )
    min_saving: float = Field(
        default=20.0, ge=0.0, description="bits that a clause must save beyond its own; more where facts are perceived"
    )
    num_passes: int = Field(default=3, ge=0, description="rounds of refinement, at most")
