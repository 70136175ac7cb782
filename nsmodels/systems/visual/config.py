"""Configuration of the visual reasoner and its presets. Torch-free."""

from __future__ import annotations

from pydantic import Field

from nsmodels.core.config import Config

CODE_VERSION = "1"


class PerceptionConfig(Config):
    """The network that reads objects from an image."""

    backbone: str = Field("efficientnet_b0", description="any timm model with features_only")
    backbone_channels: list[int] = Field(
        [], description="stage widths of a timm ResNet, to make a narrow one; empty: its own"
    )
    pretrained: bool = Field(False, description="start from timm's ImageNet weights (needs the network once)")
    feature_dim: int = Field(128, ge=8, le=1024, description="channels of the feature pyramid")
    head_dim: int = Field(256, ge=16, le=4096, description="hidden width of the object head")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout in the object head")
    image_width: int = Field(240, ge=32, le=1024, description="input width in pixels; images are resized to it")
    image_height: int = Field(160, ge=32, le=1024, description="input height in pixels")
    augment: float = Field(
        1.0, ge=0, le=2, description="strength of brightness, contrast, blur and noise augmentation; 0: none"
    )
    heat_sigma: float = Field(1.2, gt=0, le=8, description="width of a centre's target in heat-map cells")
