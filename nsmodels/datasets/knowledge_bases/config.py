"""Configuration of the knowledge bases: source and size. Torch-free."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from nsmodels.core.config import LARGEST_SEED, Config, conditional

MAKER = "nsmodels.datasets.knowledge_bases"
CODE_VERSION = "1"
BASES = ("umls", "kinships", "nations")
SPLITS = ("train", "val", "test")

# The package whose wheel holds the files of the bases. It is read, and neither installed nor imported.
PACKAGE, VERSION = "pykeen", "1.11.1"
SHA256 = "b6cc0ab012fc6ba4f37b58fb7081a409a5c1f04cbbb0e0e9c2256e911757d4ba"
LICENCES = {
    "umls": "semantic network of the UMLS (McCray 2003); from a copy (ZhenfengLei/KGDatasets) without a licence",
    "kinships": "kinship terms of the Alyawarra (Denham 1973), published by Kemp et al. 2006 without a licence",
    "nations": "relations of nations (Rummel 1976), published by Kemp et al. 2006 without a licence",
}
PACKAGE_LICENCE = "MIT: the code of the package, not the data"


class KnowledgeBasesConfig(Config):
    """Knowledge bases for link prediction: triples (head, relation, tail) in the splits train, val and test."""

    source: Literal["auto", "archive", "synthetic", "local"] = Field(
        default="auto",
        description="archive: umls, kinships and nations as the package pykeen ships them; synthetic: families drawn "
        "here; local: files of yours; auto: data on disk, else the archive when pip delivers it, else synthetic with a "
        "warning",
    )
    local_path: str = conditional(
        "",
        {"source": "local"},
        description="source=local: a folder with train.txt, valid.txt and test.txt, a folder of such folders, or the "
        "wheel",
    )
    bases: list[str] = conditional(
        list(BASES), {"source": ("auto", "archive", "synthetic")}, min_length=1, description="the bases, by name"
    )
    num_people: int = conditional(
        100, {"source": ("auto", "synthetic")}, ge=20, le=5_000, description="synthetic: people in each base"
    )
    seed: int = conditional(
        0,
        {"source": ("auto", "synthetic")},
        ge=0,
        le=LARGEST_SEED,
        description="synthetic: random seed of the families",
    )

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if self.source == "local" and not self.local_path:
            raise ValueError("source=local needs local_path: a folder with train.txt, valid.txt and test.txt")
        unknown = [name for name in self.bases if name not in BASES]
        if unknown or len(set(self.bases)) < len(self.bases):
            raise ValueError(f"bases: expected different ones of {', '.join(BASES)}, got {', '.join(self.bases)}")
        return self


def debug() -> KnowledgeBasesConfig:
    """The same bases, drawn, of 30 people; a second, for tests, without a network."""
    return KnowledgeBasesConfig(source="synthetic", num_people=30)


def quick() -> KnowledgeBasesConfig:
    """umls, kinships and nations: 5,216, 8,544 and 1,592 training triples, a wheel of 0.7 MB to fetch."""
    return KnowledgeBasesConfig()


PRESETS = {"debug": debug, "quick": quick}
