"""Configuration of the GQA dataset: source and size. Torch-free."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from nsmodels.core.config import LARGEST_SEED, Config, conditional, partly_decided, runtime_field
from nsmodels.datasets.gqa.files.release import (
    EVAL,
    GRAPHS,
    IMAGES,
    QUESTIONS,
    RELEASED_TRAIN,
    RELEASED_VAL,
    URLS,
    Unbalanced,
    Wanted,
)
from nsmodels.datasets.gqa.questions.config import QuestionSettings
from nsmodels.scenery.config import OOD, UNSEEN, ScenerySettings

MAKER = "nsmodels.datasets.gqa"
CODE_VERSION = "1"
# With auto either may come to act.
_LOCAL, _SYNTHETIC, _ARCHIVE = ({"source": names} for names in ("local", ("synthetic", "auto"), ("archive", "auto")))
_READ = {"source": ("local", "archive", "auto")}  # files that exist


class GqaConfig(Config):
    """GQA or its synthetic twin: whole, or a part of its images with their scene graphs and questions."""

    source: Literal["auto", "archive", "synthetic", "local"] = Field(
        default="auto",
        description="archive: the released files; synthetic: composed here; local: a folder you have; auto: data "
        "on disk, else the archive when its host answers, else synthetic with a warning",
    )
    local_path: str = conditional(
        "", _LOCAL, description="source=local: a folder with images/ sceneGraphs/ questions/ as released"
    )
    num_train: int = Field(default=RELEASED_TRAIN, ge=1, le=1_000_000, description="training images with scene graphs")
    num_val: int = Field(default=RELEASED_VAL, ge=1, le=1_000_000, description="validation images with scene graphs")
    unbalanced: Unbalanced = conditional(
        "val",
        _READ,
        description="unbalanced questions to take: of val (for the metric consistency), of all splits, or none",
    )
    graphs_url: str = conditional(URLS[GRAPHS], _ARCHIVE, description="sceneGraphs.zip (43 MB), or a mirror of it")
    questions_url: str = conditional(
        URLS[QUESTIONS], _ARCHIVE, description="questions1.2.zip (1.4 GB), or a mirror with HTTP ranges"
    )
    eval_url: str = conditional(URLS[EVAL], _ARCHIVE, description="eval.zip: choices, or a mirror; empty: none")
    images_url: str = conditional(
        URLS[IMAGES], _ARCHIVE, description="images.zip (20 GB), or a mirror with HTTP ranges"
    )
    num_ood: int = conditional(
        0,
        _SYNTHETIC,
        ge=0,
        le=1_000_000,
        description="synthetic: images of split ood, where attributes go against names",
    )
    num_unseen: int = conditional(
        0, _SYNTHETIC, ge=0, le=1_000_000, description="synthetic: images of split unseen, with other pictures of names"
    )
    seed: int = conditional(
        0, _SYNTHETIC, ge=0, le=LARGEST_SEED, description="synthetic: random seed of scenes and questions"
    )
    num_workers: int = runtime_field(
        0, applies=_SYNTHETIC, ge=0, le=256, description="processes that compose scenes; 0: one per core"
    )
    # Sections come last: flags of the same name belong to the fields above.
    scenery: ScenerySettings = conditional(
        ScenerySettings(), _SYNTHETIC, description="synthetic: what scenes contain, and how they are photographed"
    )
    questions: QuestionSettings = partly_decided(QuestionSettings(), {"seed": "the field seed decides it"}, _SYNTHETIC)

    @model_validator(mode="after")
    def _local_needs_a_path(self) -> Self:
        if self.source == "local" and not self.local_path:
            raise ValueError("source=local needs local_path, a folder with images/ sceneGraphs/ questions/")
        return self

    @property
    def wanted(self) -> Wanted:
        """The part of the release that it names."""
        urls = {GRAPHS: self.graphs_url, QUESTIONS: self.questions_url, EVAL: self.eval_url, IMAGES: self.images_url}
        return Wanted(self.num_train, self.num_val, self.unbalanced, urls)

    @property
    def composed(self) -> dict[str, int]:
        """Number of scenes of each split of the twin."""
        sizes = {"train": self.num_train, "val": self.num_val, OOD: self.num_ood, UNSEEN: self.num_unseen}
        return {split: number for split, number in sizes.items() if number}


def full() -> GqaConfig:
    """GQA whole: 74,942 + 10,696 images with scene graphs, those of testdev, and all questions; 22 GB to download."""
    return GqaConfig(unbalanced="all")


def mini() -> GqaConfig:
    """10,000 + 1,000 images with their graphs and questions; about 2 GB of the archives, or composed here."""
    return GqaConfig(num_train=10_000, num_val=1_000, num_ood=1_000, num_unseen=1_000)


def quick() -> GqaConfig:
    """4,000 + 500 synthetic images, about a minute on two CPU cores, with 300 each of two shifted splits."""
    return GqaConfig(
        source="synthetic",
        num_train=4_000,
        num_val=500,
        num_ood=300,
        num_unseen=300,
        scenery=ScenerySettings(width=160, height=120),
    )


def debug() -> GqaConfig:
    """Seconds on a CPU: 40 + 16 synthetic images."""
    return GqaConfig(
        source="synthetic",
        num_train=40,
        num_val=16,
        num_ood=8,
        num_unseen=8,
        scenery=ScenerySettings(width=96, height=72),
    )


PRESETS = {"full": full, "mini": mini, "quick": quick, "debug": debug}
