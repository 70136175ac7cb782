"""Centres of objects as a heat map (Zhou et al. 2019, "Objects as points"): its target, its loss, its peaks.

Shapes: b images, n objects per image (padded to the most), h × w cells.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor


def centre_heat(
    points: Float[Tensor, "b n 2"], exists: Bool[Tensor, "b n"], height: int, width: int, sigma: float
) -> Float[Tensor, "b 1 h w"]:
    """Target heat map: a Gaussian of height 1, `sigma` cells wide, at each centre's cell; their maximum at overlaps.

    `points`: (x, y) in 0..1 of the map; only those that exist count.
    """
    # exp(−((x − c_x)² + (y − c_y)²) / 2σ²) is the product of a factor per column and one per row, which takes w + h
    # exponentials per object instead of w · h.
    cells = (points * points.new_tensor([width, height])).floor()
    x = torch.arange(width, device=cells.device) - cells[..., :1]
    y = torch.arange(height, device=cells.device) - cells[..., 1:]
    across, down = torch.exp(-x.square() / (2 * sigma**2)), torch.exp(-y.square() / (2 * sigma**2))
    down = down * exists[..., None]  # padded objects leave no trace
    return (down[..., :, None] * across[..., None, :]).amax(1, keepdim=True)


def focal_loss(
    logits: Float[Tensor, "b 1 h w"], heat: Float[Tensor, "b 1 h w"], typical_objects: float
) -> Float[Tensor, ""]:
    """Penalty-reduced focal loss of a centre heat map (Law & Deng 2018, equation 1; alpha 2, beta 4), per image.

    `typical_objects`: number in an image by which the sum is divided, not the batch's own, so that equal shards of a
    batch average to the loss of the whole batch.
    """
    # With p = σ(logit) and the target Y, a sum over cells:
    #     at centres, Y = 1:  −(1 − p)² log p
    #     elsewhere:          −(1 − Y)⁴ p² log(1 − p)
    # The squares reduce the loss of cells that are already right, the many with p near 0 above all; (1 − Y)⁴ reduces it
    # next to a centre, where a high p is a small error of position.
    # log p and log(1 − p) = log σ(−logit) are computed from the logit: p itself rounds to 0 or 1.
    probability = logits.sigmoid()
    positive = F.logsigmoid(logits) * (1 - probability).square() * (heat > 0.999)
    negative = F.logsigmoid(-logits) * probability.square() * (1 - heat).pow(4) * (heat <= 0.999)
    return -(positive + negative).sum() / (len(logits) * typical_objects)


def without_padding(heat: Float[Tensor, "b 1 h w"], covered: tuple[float, float]) -> Float[Tensor, "b 1 h w"]:
    """The heat map with −∞ in the cells that show nothing of the image; `covered`: as of a `Layout`."""
    columns, rows = (math.ceil(side * part) for side, part in zip(reversed(heat.shape[2:]), covered, strict=True))
    shown = heat.new_zeros(heat.shape[2:], dtype=torch.bool)
    shown[:rows, :columns] = True
    return heat.masked_fill(~shown, -torch.inf)


def find_peaks(heat: Float[Tensor, "b 1 h w"], num: int) -> tuple[Float[Tensor, "b n 2"], Float[Tensor, "b n"]]:
    """Centres of the strongest local maxima, (x, y) in 0..1 of the map, and their values; n is `num` or all cells."""
    # Non-maximum suppression: a cell is a peak when no cell of its 3×3 neighbourhood is higher.
    peaks = heat.masked_fill(heat < F.max_pool2d(heat, 3, stride=1, padding=1), -torch.inf)
    values, cells = peaks.flatten(1).topk(min(num, peaks[0].numel()))
    size = heat.new_tensor([heat.shape[-1], heat.shape[-2]])
    # From the flat index to column x and row y; the centre of a cell is half a cell further.
    return (torch.stack([cells % heat.shape[-1], cells // heat.shape[-1]], dim=-1) + 0.5) / size, values
