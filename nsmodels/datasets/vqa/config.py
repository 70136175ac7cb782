"""Configuration of the VQA v2 dataset: source, size, the twin. Torch-free."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from nsmodels.core.config import LARGEST_SEED, Config, conditional, runtime_field
from nsmodels.scenery.config import MOST_SCENES, OOD, UNSEEN, ScenerySettings

MAKER = "nsmodels.datasets.vqa"
CODE_VERSION = "1"
RELEASED_TRAIN, RELEASED_VAL = 82_783, 40_504  # images
RELEASED_QUESTIONS = {"train": 443_757, "val": 214_354}

COCO_URL = "http://images.cocodataset.org"
VQA_URL = "https://s3.amazonaws.com/cvmlp/vqa/mscoco/vqa"

_LOCAL, _SYNTHETIC, _ARCHIVE = ({"source": names} for names in ("local", ("synthetic", "auto"), ("archive", "auto")))
_READ = {"source": ("local", "archive", "auto")}


class VqaConfig(Config):
    """VQA v2 or its synthetic twin, whole or a subset of its images with all their questions."""

    source: Literal["auto", "archive", "synthetic", "local"] = Field(
        default="auto",
        description="archive: the released files, or what a URL of yours has, called so; synthetic: drawn here; "
        "local: a folder you have; auto: data on disk, else the archive when its hosts answer, else synthetic with a "
        "warning",
    )
    local_path: str = conditional("", _LOCAL, description="source=local: a folder in the layout of the release")
    num_train: int = Field(default=RELEASED_TRAIN, ge=1, le=MOST_SCENES, description="training images")
    num_val: int = Field(default=RELEASED_VAL, ge=1, le=MOST_SCENES, description="validation images")
    pairs: bool = conditional(
        False,
        _READ,
        description="keep complementary pairs together: for each image those that its questions are paired with; "
        "there may be a few images fewer than asked for",
    )
    least_occurrences: int = Field(
        default=9, ge=1, le=1000, description="occurrences from which on an answer is in the vocabulary of answers"
    )
    num_ood: int = conditional(
        0, _SYNTHETIC, ge=0, le=MOST_SCENES, description="synthetic: images of the split ood, with reversed priors"
    )
    num_unseen: int = conditional(
        0, _SYNTHETIC, ge=0, le=MOST_SCENES, description="synthetic: images of the split unseen, with other sprites"
    )
    questions_per_image: int = conditional(
        5, _SYNTHETIC, ge=1, le=40, description="synthetic: questions per image (the release: 5.4)"
    )
    paired: float = conditional(
        0.5, _SYNTHETIC, ge=0, le=1, description="synthetic: share of images in complementary pairs"
    )
    yes_share: float = conditional(
        0.5, _SYNTHETIC, ge=0, le=1, description="synthetic: share of questions of yes or no that are asked for yes"
    )
    scenery: ScenerySettings = conditional(
        ScenerySettings(), _SYNTHETIC, description="synthetic: what scenes contain, and how they are photographed"
    )
    seed: int = conditional(0, _SYNTHETIC, ge=0, le=LARGEST_SEED, description="synthetic: random seed")
    coco_url: str = conditional(
        COCO_URL, _ARCHIVE, description="host of COCO: has zips/train2014.zip, zips/val2014.zip and annotations/"
    )
    vqa_url: str = conditional(VQA_URL, _ARCHIVE, description="folder with the zips of questions and annotations")
    verify_release: bool = conditional(
        True, _ARCHIVE, description="demand sizes and checksums of the release; false: of files of yours"
    )
    num_workers: int = runtime_field(
        0, applies=_SYNTHETIC, ge=0, le=256, description="processes that draw; 0: one per core"
    )

    @model_validator(mode="after")
    def _local_needs_a_path(self) -> Self:
        if self.source == "local" and not self.local_path:
            raise ValueError("source=local needs local_path, a folder in the layout of the release")
        return self

    @property
    def sizes(self) -> dict[str, int]:
        """Number of images by split."""
        more = {OOD: self.num_ood, UNSEEN: self.num_unseen} if self.source == "synthetic" else {}
        return {"train": self.num_train, "val": self.num_val} | {split: num for split, num in more.items() if num}


def full() -> VqaConfig:
    """VQA v2 whole: 82,783 + 40,504 images with 658,111 questions, 21 GB to download."""
    return VqaConfig()


def mini() -> VqaConfig:
    """10,000 + 1,000 images with all their questions; about 2 GB of the archives, or drawn here in 2 CPU-minutes."""
    return VqaConfig(num_train=10_000, num_val=1_000, num_ood=1_000, num_unseen=1_000)


def quick() -> VqaConfig:
    """4,000 + 500 synthetic images, and 250 each of two shifted splits: half a minute on two CPU cores."""
    return VqaConfig(source="synthetic", num_train=4_000, num_val=500, num_ood=250, num_unseen=250)


def debug() -> VqaConfig:
    """Seconds on a CPU: 24 + 12 small synthetic images."""
    return VqaConfig(
        source="synthetic",
        num_train=24,
        num_val=12,
        questions_per_image=4,
        least_occurrences=2,
        scenery=ScenerySettings(width=112, height=84),
    )


PRESETS = {"full": full, "mini": mini, "quick": quick, "debug": debug}
