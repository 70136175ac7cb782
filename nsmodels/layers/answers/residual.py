"""The image feature of ResNet+LSTM: the mean over the cells of the last map of a timm network, then a linear layer.

Shapes: i images, h × w pixels, f features.
"""

from __future__ import annotations

from pathlib import Path
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.layers.answers.config import ResidualConfig
from nsmodels.layers.vision.backbone import build_backbone
from nsmodels.layers.vision.layout import shortened

# Of the images of ImageNet, by channel: what the weights of timm's ResNets expect.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MOST_NAMED = 3


@final
class ResidualViewer(nn.Module):
    """A timm network, the mean of its last map, a linear layer: images (i, 3, h, w) in [-1, 1] to features (i, f).

    Args:
        config: network, input size and first weights.
        hidden: number of features.
        is_trained: the weights come from a checkpoint of ours: `config.weights` are not read again.

    Raises `InputError` for a network or weights that are not to be had.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: ResidualConfig, hidden: int, is_trained: bool = False) -> None:
        super().__init__()
        first = "" if is_trained else config.weights
        plain = config.with_values({"weights": first if config.pretrained and not is_trained else ""})
        self.backbone, self.layout = build_backbone(plain)
        if first and not config.pretrained:
            fill_backbone(self.backbone, weights_file(first))
        self.feature = nn.Linear(self.layout.channels[-1], hidden)
        for name, values in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, images: Float[Tensor, "i 3 h w"]) -> Float[Tensor, "i f"]:
        """Features of images."""
        cells = self.layout.maps(self.backbone, ((images + 1) / 2 - self.mean) / self.deviation)[-1]
        return torch.relu(self.feature(cells.float().mean((2, 3))))


def weights_file(path: str) -> Path:
    """The file of weights; raises `InputError` when it is missing."""
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; weights are a .safetensors or .pth file of the timm network")
    return Path(path)


def fill_backbone(backbone: nn.Module, path: Path) -> None:
    """Fill a feature extractor with the weights of the whole network in a file; its classifier is left out.

    Raises `InputError` for a file without weights, and for those of a different network.
    """
    from timm.models import load_state_dict

    try:
        state = load_state_dict(str(path), use_ema=False, device="cpu", weights_only=True)
        missing = backbone.load_state_dict(state, strict=False).missing_keys
    except Exception as error:
        raise InputError(f"{path}: cannot be used as weights of this network ({shortened(error)})") from None
    if missing:
        named = ", ".join(missing[:MOST_NAMED])
        raise InputError(f"{path}: {len(missing)} weights of this network are missing ({named} …); give those of it")
