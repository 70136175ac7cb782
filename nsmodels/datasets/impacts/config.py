"""Configuration of the clips: how many, what is confounded in training, or where they are read. Torch-free."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from nsmodels.core.config import LARGEST_SEED, Config, conditional, runtime_field

MAKER = "nsmodels.datasets.impacts"
CODE_VERSION = "1"
# `val`: new objects, confounded like `train`. `test`: new objects of the same materials and shapes, not confounded.
# `novel`: combinations of material and shape that no other split has, not confounded.
SPLITS = ("train", "val", "test", "novel")
CONFOUNDED = ("train", "val")

SHAPES = ("plate", "bar", "box", "disc", "ball")
MATERIALS = ("steel", "aluminium", "glass", "ceramic", "stone", "wood", "plastic", "rubber")
# The combinations of `novel`: two of each shape, each material once or twice.
NOVEL = (
    *(("plate", "steel"), ("plate", "rubber"), ("bar", "glass"), ("bar", "wood"), ("box", "aluminium")),
    *(("box", "stone"), ("disc", "ceramic"), ("disc", "plastic"), ("ball", "wood"), ("ball", "steel")),
)

_LOCAL, _HUB, _SYNTHETIC = {"source": "local"}, {"source": "hub"}, {"source": "synthetic"}


class ImpactsConfig(Config):
    """Clips of a hand that acts on an object: simulated, or read from a folder or from data sets of a hub."""

    source: Literal["synthetic", "local", "hub"] = Field(
        default="synthetic",
        description="synthetic: simulated here; local: pictures, sounds and forces in a folder of yours; hub: data "
        "sets of Hugging Face `datasets`, by name or as a folder",
    )
    local_path: str = conditional(
        "",
        _LOCAL,
        description="source=local: a folder with train/<class>/image_001.jpg, audio_001.wav, proprio_001.npy",
    )
    local_may_lack: bool = conditional(
        default=False,
        applies=_LOCAL,
        description="source=local: whether a clip may lack a picture, a sound or forces that others of its class have",
    )
    hub_vision: str = conditional(
        "", _HUB, description="source=hub: pictures or videos: a name (imagenet-1k, kinetics400) or a folder"
    )
    hub_audio: str = conditional("", _HUB, description="source=hub: sounds: a name (agkphysics/AudioSet) or a folder")
    hub_limit: int = conditional(
        10_000,
        _HUB,
        ge=1,
        le=10_000_000,
        description="source=hub: most clips of a split of each data set, the first ones",
    )
    num_train: int = conditional(1_600, _SYNTHETIC, ge=8, le=10_000_000, description="training clips")
    num_val: int = conditional(200, _SYNTHETIC, ge=8, le=1_000_000, description="validation clips, of other objects")
    num_test: int = conditional(
        400, _SYNTHETIC, ge=8, le=1_000_000, description="test clips of known materials in known shapes"
    )
    num_novel: int = conditional(
        400, _SYNTHETIC, ge=8, le=1_000_000, description="test clips of ten combinations of material and shape held out"
    )
    clips_per_object: int = conditional(
        4, _SYNTHETIC, ge=1, le=64, description="clips of one object, each with an action of its own"
    )
    twins_per_clip: int = conditional(
        4, _SYNTHETIC, ge=0, le=20, description="simulations of a clip once more with one thing changed; 0: no twins"
    )
    confounding: float = conditional(
        0.9,
        _SYNTHETIC,
        ge=0,
        le=0.99,
        description="correlation of colour and density in train and val, within 0.03; in test none",
    )
    painted_share: float = conditional(
        0.5, _SYNTHETIC, ge=0, le=1, description="share of the objects whose paint hides the material"
    )
    seed: int = conditional(0, _SYNTHETIC, ge=0, le=LARGEST_SEED, description="random seed of objects and actions")
    num_workers: int = runtime_field(
        0, applies=_SYNTHETIC, ge=0, le=256, description="processes that simulate; 0: one per core"
    )
    may_download: bool = runtime_field(
        default=False,
        applies=_HUB,
        description="source=hub: whether files that are not on this machine yet are downloaded",
    )

    @property
    def sizes(self) -> dict[str, int]:
        """Number of clips by split."""
        return {split: getattr(self, f"num_{split}") for split in SPLITS}

    @model_validator(mode="after")
    def _source_has_a_place(self) -> ImpactsConfig:
        if self.source == "local" and not self.local_path:
            raise ValueError("source=local needs local_path, a folder with train/<class>/image_001.jpg and so on")
        if self.source == "hub" and not (self.hub_vision or self.hub_audio):
            raise ValueError("source=hub needs hub_vision, hub_audio or both: names of data sets, or folders")
        return self


def debug() -> ImpactsConfig:
    """48 training clips and 16 to 20 of each other split, about a second; for tests."""
    return ImpactsConfig(num_train=48, num_val=16, num_test=16, num_novel=20, twins_per_clip=2)


def quick() -> ImpactsConfig:
    """6,000 training clips and 1,000 others, each of an object of its own, two minutes of CPU time and 1.6 GB.

    For models trained in minutes: what a clip teaches of properties, it teaches once for an object.
    """
    return ImpactsConfig(num_train=6_000, clips_per_object=1)


def base() -> ImpactsConfig:
    """16,000 training clips and 3,000 others, of as many objects, 4.5 GB; for an hour of training on a CPU."""
    return ImpactsConfig(num_train=16_000, num_val=1_000, num_test=1_000, num_novel=1_000, clips_per_object=1)


def paper() -> ImpactsConfig:
    """50,000 training clips and 6,000 others, 13 GB; for the full run on a GPU."""
    return ImpactsConfig(num_train=50_000, num_val=2_000, num_test=2_000, num_novel=2_000)


PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}
