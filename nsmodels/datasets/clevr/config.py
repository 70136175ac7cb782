"""Configuration of the CLEVR dataset: source and size. Torch-free."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from nsmodels.core.config import LARGEST_SEED, Config, added_field, conditional, runtime_field

MAKER = "nsmodels.datasets.clevr"
CODE_VERSION = "1"
# Raised whenever the same seed gives different pixels: part of the recipe of synthetic data and of each image, so that
# data of two renderers are never confused or mixed.
RENDERER_VERSION = 2
RELEASED_TRAIN, RELEASED_VAL = 70_000, 15_000

ARCHIVE_URL = "https://dl.fbaipublicfiles.com/clevr/CLEVR_v1.0.zip"
ARCHIVE_BYTES = 19_021_600_724
ARCHIVE_SHA256 = "5cd61cf1096ed20944df93c9adb31e74d189b8459a94f54ba00090e5c59936d1"
ANNOTATIONS_URL = "https://dl.fbaipublicfiles.com/clevr/CLEVR_v1.0_no_images.zip"
# With auto either may come to act.
_LOCAL, _SYNTHETIC, _ARCHIVE = ({"source": names} for names in ("local", ("synthetic", "auto"), ("archive", "auto")))
_READ = {"source": ("local", "archive", "auto")}  # files that exist, with splits of their own


SPLIT = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


class ClevrConfig(Config):
    """CLEVR v1.0 or its synthetic twin, whole or a subset of its first images."""

    source: Literal["auto", "archive", "synthetic", "local"] = Field(
        default="auto",
        description="archive: the released files, or what a URL of yours has, called so; synthetic: rendered here; "
        "local: a folder you have; auto: data on disk, else the archive when its host answers, else synthetic with a "
        "warning",
    )
    local_path: str = conditional(
        "", _LOCAL, description="source=local: a folder with images/ scenes/ questions/, or the zip"
    )
    num_train: int = Field(
        default=RELEASED_TRAIN, ge=1, le=1_000_000, description="training images, the first of the release"
    )
    num_val: int = Field(
        default=RELEASED_VAL, ge=1, le=1_000_000, description="validation images, the first of the release"
    )
    train_split: str = added_field(
        "train", applies=_READ, pattern=SPLIT, description="name of the training split, as trainA of CLEVR-CoGenT"
    )
    val_split: str = added_field(
        "val", applies=_READ, pattern=SPLIT, description="name of the validation split, as valA"
    )
    more_splits: list[str] = added_field(
        [], applies=_READ, description="further splits to take, as valB; of each the first num_val images"
    )
    questions_per_image: int = conditional(
        10, _SYNTHETIC, ge=1, le=40, description="synthetic: questions per image, as the release"
    )
    image_width: int = conditional(
        480, _SYNTHETIC, ge=48, le=1920, description="synthetic: pixels across (the release: 480)"
    )
    image_height: int = conditional(
        320, _SYNTHETIC, ge=32, le=1280, description="synthetic: pixels down (the release: 320)"
    )
    seed: int = conditional(
        0, _SYNTHETIC, ge=0, le=LARGEST_SEED, description="synthetic: random seed of scenes and questions"
    )
    archive_url: str = conditional(ARCHIVE_URL, _ARCHIVE, description="the released zip; any mirror with HTTP ranges")
    annotations_url: str = conditional(ANNOTATIONS_URL, _ARCHIVE, description="the released zip without images (89 MB)")
    archive_mirrors: list[str] = conditional(
        [], _ARCHIVE, description="other addresses of the same zip, tried in order"
    )
    archive_bytes: int = conditional(ARCHIVE_BYTES, _ARCHIVE, ge=0, description="expected size of the zip; 0: unknown")
    archive_sha256: str = conditional(
        ARCHIVE_SHA256, _ARCHIVE, description="expected SHA-256 of the zip; empty: unknown"
    )
    num_workers: int = runtime_field(
        0, applies=_SYNTHETIC, ge=0, le=256, description="processes that render; 0: one per core"
    )

    @model_validator(mode="after")
    def _local_needs_a_path(self) -> ClevrConfig:
        if self.source == "local" and not self.local_path:
            raise ValueError("source=local needs local_path, a folder with images/ scenes/ questions/")
        return self

    @model_validator(mode="after")
    def _splits_have_names_of_their_own(self) -> ClevrConfig:
        names = [self.train_split, self.val_split, *self.more_splits]
        if len(set(names)) < len(names) or not all(re.match(SPLIT, name) for name in names):
            raise ValueError(f"splits need names of their own of letters, digits, '_' and '-', got {', '.join(names)}")
        return self

    @property
    def sizes(self) -> dict[str, int]:
        """Number of images by split."""
        more = dict.fromkeys(self.more_splits, self.num_val)
        return {self.train_split: self.num_train, self.val_split: self.num_val} | more


def full() -> ClevrConfig:
    """CLEVR v1.0 whole: 70,000 + 15,000 images, 18 GB to download."""
    return ClevrConfig()


def mini() -> ClevrConfig:
    """The first 10,000 + 1,000 images with all their questions; about 2 GB of the archive, or rendered here."""
    return ClevrConfig(num_train=10_000, num_val=1_000, image_width=240, image_height=160)


def quick() -> ClevrConfig:
    """3,000 + 500 synthetic images, about a minute on two CPU cores: the demonstration's data."""
    return ClevrConfig(source="synthetic", num_train=3_000, num_val=500, image_width=240, image_height=160)


def small() -> ClevrConfig:
    """2,000 + 300 synthetic images, 1.5 minutes on two CPU cores: the first model on a machine without a GPU."""
    return quick().with_values({"num_train": 2_000, "num_val": 300})


def debug() -> ClevrConfig:
    """Seconds on a CPU: 24 + 12 tiny synthetic images."""
    return ClevrConfig(
        source="synthetic", num_train=24, num_val=12, image_width=96, image_height=64, questions_per_image=4
    )


PRESETS = {"full": full, "mini": mini, "quick": quick, "small": small, "debug": debug}
