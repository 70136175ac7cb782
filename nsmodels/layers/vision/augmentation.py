"""Brightness, contrast, colour cast, blur and noise of images, drawn apart from where they are applied.

Shapes: b images of h × w pixels, values 0..255.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def draw_augmentation(num: int, strength: float, rng: np.random.Generator) -> Float[Tensor, "b 6"]:
    """Augmentation of each image: gains of red, green and blue, a shift, an amount of blur, the deviation of noise.

    Shift and noise are in units of pixel values, 0..255.
    """
    # Gains are 1 ± 0.12 for all channels together (contrast), ± 0.03 for each (colour cast), times `strength`.
    spread = np.array([1, 1, 1, 12, 0.175, 1.5]) * strength
    drawn = rng.uniform(-1, 1, (num, 6))
    drawn[:, :3] = 0.03 * drawn[:, :3] + 0.12 * rng.uniform(-1, 1, (num, 1))
    augmentation = drawn * spread + np.array([1, 1, 1, 0, 0.075 * strength, 1.5 * strength])
    return torch.from_numpy(augmentation.astype(np.float32))


def augment_images(
    images: Float[Tensor, "b 3 h w"], augmentation: Float[Tensor, "b 6"], noise_seed: int
) -> Float[Tensor, "b 3 h w"]:
    """Apply brightness, contrast, colour cast, blur and noise as drawn by `draw_augmentation`.

    The images of a batch get the same noise, each at its own strength, so that a part of a batch needs no other part.
    """
    num, channels, height, width = images.shape
    gains, shift, blur, deviation = augmentation.split([3, 1, 1, 1], dim=1)
    # Linear interpolation from the image to its 3×3 mean by the amount of blur (a negative amount sharpens) is a
    # convolution; the gain is a factor of its kernel, the shift its bias. All images at once, each a group of its own:
    # one pass over the pixels in place of ten.
    kernels = (blur / 9).view(num, 1, 1, 1).expand(num, channels, 3, 3).clone()
    kernels[..., 1, 1] += 1 - blur
    kernels = (kernels * gains[..., None, None]).view(num * channels, 1, 3, 3)
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate").reshape(1, num * channels, height + 2, width + 2)
    with torch.autocast(images.device.type, enabled=False):  # the 8 bits of a bfloat16 are too few for differences
        biases = shift.expand(num, channels).flatten()
        changed = F.conv2d(padded, kernels, biases, groups=num * channels).view(images.shape)
    source = torch.Generator(images.device).manual_seed(noise_seed)
    noise = torch.randn(images.shape[1:], generator=source, device=images.device)
    return changed.addcmul_(noise, deviation[..., None, None])
