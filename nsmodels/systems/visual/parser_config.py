"""The question parser: its size and regularisation. Torch-free."""

from __future__ import annotations

from pydantic import Field

from nsmodels.core.config import Config


class ParserConfig(Config):
    """Options of the question parser, an encoder-decoder GRU with attention over a typed grammar."""

    embedding_dim: int = Field(64, ge=4, le=1024, description="width of word and program-token embeddings")
    hidden_dim: int = Field(
        128, ge=8, le=2048, multiple_of=2, description="width of the decoder; half of it per encoder direction"
    )
    num_layers: int = Field(1, ge=1, le=4, description="layers of the bidirectional encoder")
    dropout: float = Field(0.1, ge=0, lt=1, description="dropout on embeddings and before the output layer")
    word_dropout: float = Field(0.0, ge=0, le=0.5, description="share of training words replaced by the unknown word")
    max_program_length: int = Field(48, ge=4, le=256, description="longest program that is decoded, in functions")
    curriculum_fraction: float = Field(
        0.4, gt=0, le=1, description="curriculum: share of epochs before all are admitted"
    )
