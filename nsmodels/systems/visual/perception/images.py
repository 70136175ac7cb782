"""Images of a CLEVR tree as one array at the network's input size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.datasets.clevr.files.format import image_path
from nsmodels.formats.images import cache


def read_images(
    root: Path, split: str, scenes: list[dict[str, Any]], width: int, height: int, num_workers: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """Images of `scenes`, uint8 (n, height, width, 3), and width and height of their files in pixels, float32 (n, 2).

    Cached, and with the errors, as `formats.images.cache.read_images`.
    """
    return cache.read_images([image_path(root, split, scene) for scene in scenes], width, height, num_workers)
