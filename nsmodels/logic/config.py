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
    has_proofs: bool = Field(default=True, description="whether answers come with a proof")
