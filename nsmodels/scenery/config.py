"""Settings of composed scenes, and the splits they belong to. Torch-free."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from nsmodels.core.config import Config

# Position = leading digit of image ids, so that a place must never change; `ood`: reversed priors; `unseen`: other
# sprites for some names.
SPLITS = ("train", "val", "testdev", "test", "challenge", "ood", "unseen")
OOD, UNSEEN = "ood", "unseen"
WIDTH, HEIGHT = 224, 168  # of the sheet on which things are placed; an image of a different size shows it scaled
MOST_SCENES = 1_000_000  # of a split


class ScenerySettings(Config):
    """What scenes contain, and how they are photographed."""

    width: int = Field(default=224, ge=64, le=1024, description="width of an image in pixels")
    height: int = Field(default=168, ge=48, le=1024, description="height of an image in pixels")
    min_things: int = Field(default=3, ge=1, le=16, description="fewest things that a scene is planned with")
    max_things: int = Field(
        default=9, ge=1, le=16, description="most things that a scene is planned with; some may find no room"
    )
    bias: float = Field(
        default=2.0,
        ge=0,
        le=20,
        description="strength of the dependence of attributes on names: 0: none; b: four fifths of a prior per name "
        "are drawn from a Dirichlet distribution of concentration 1/b, the rest is even",
    )
    repeated: float = Field(default=0.4, ge=0, le=1, description="share of scenes with several things of one name")
    tinted: float = Field(default=0.8, ge=0, le=1, description="share of tinted things among those that may be")
    least_visible: float = Field(
        default=0.6, ge=0.3, le=1, description="least visible share of a thing: with less it is moved or left out"
    )
    noise: float = Field(default=4.0, ge=0, le=40, description="standard deviation of the noise, in grey levels of 255")
    quality: int = Field(default=88, ge=20, le=95, description="quality of the JPEG files")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_things > self.max_things:
            raise ValueError(f"min_things={self.min_things} is above max_things={self.max_things}")
        return self
