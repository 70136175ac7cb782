"""The backbone of perception: a feature extractor of timm with its weights, and the check before it is trained."""

from __future__ import annotations

import timm
from torch import nn

from nsmodels.core.errors import InputError
from nsmodels.layers.vision.layout import BackboneOptions, Layout, create, layout_of


def build_backbone(config: BackboneOptions) -> tuple[nn.Module, Layout]:
    """A backbone with weights, and its layout. Raises `InputError` as `layout_of`, and for weights not to be had."""
    layout = layout_of(config)
    if config.pretrained:
        _require_weights(config.backbone)
    try:
        return create(config.backbone, config.pretrained, layout.options), layout
    except (OSError, RuntimeError, ValueError) as error:
        if not config.pretrained:
            raise
        raise InputError(
            f"pretrained weights of '{config.backbone}' cannot be fetched ({type(error).__name__}); "
            "use pretrained=false, or put them into the hub cache while online"
        ) from None


def check_backbone(config: BackboneOptions, batch_size: int, memory: float, most_objects: int) -> None:
    """Raise `InputError` for what would fail once the training starts; pretrained weights are fetched here.

    `memory`: of the device that trains, in bytes. `most_objects`: in an image, each of which takes a cell.
    """
    layout = layout_of(config)
    _require_cells(config, layout, most_objects)
    # Weights, gradients and two moments of AdamW in float32, activations in 16 bits: it takes no less.
    needed = 16 * layout.num_parameters + 2 * batch_size * layout.num_activations
    if needed > memory:
        size = f"{layout.num_parameters / 1e6:,.1f} million weights and {batch_size} images at a time"
        raise InputError(
            f"backbone '{config.backbone}': {size} need {needed / 2**30:,.1f} GiB or more, there are "
            f"{memory / 2**30:,.1f}; choose a smaller backbone, image size or batch_size"
        )
    if config.pretrained:
        build_backbone(config)


def _require_cells(config: BackboneOptions, layout: Layout, most_objects: int) -> None:
    if layout.num_cells < most_objects:
        raise InputError(
            f"backbone '{config.backbone}': {layout.num_cells} cells of {layout.stride} pixels cannot hold the "
            f"{most_objects} objects of an image; raise image_width and image_height, or choose one of smaller stride"
        )


def _require_weights(name: str) -> None:
    known = timm.get_pretrained_cfg(name)
    if known is not None and not known.has_weights:
        raise InputError(f"backbone '{name}': timm has no pretrained weights of it; use pretrained=false")
