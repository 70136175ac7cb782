"""What frozen perception gives to the network that chooses answers, computed once per image, in a memory map.

Shapes: m images, n objects per image (padded), d features of an object, c channels of a cell, p·p pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from nsmodels.core.artifact import data_root
from nsmodels.core.config import fingerprint
from nsmodels.core.disk import full_disk, require_space
from nsmodels.core.progress import counted
from nsmodels.formats.images.cache import locked, read_images
from nsmodels.systems.natural.config import AnswersConfig
from nsmodels.systems.natural.perception.decoding import Read, look_at
from nsmodels.systems.natural.perception.network import Levels, Perception
from nsmodels.systems.natural.perception.regions import sample_boxes

BATCH = 32
PATCH = 6  # side in pixels of the part of the image that belongs to a cell of the coarse map
SMALLEST_CACHE = 500  # fewer images are read in seconds, and kept in memory
VERSION = 1  # of what is kept


@dataclass(frozen=True)
class FeatureShape:
    """Sizes of the features of an image: objects, features, names, values, scene, crop, cells and their channels."""

    objects: int
    features: int
    names: int
    values: int
    scene: int
    crop: int
    map_width: int
    map_height: int
    channels: int

    @classmethod
    def of(cls, model: Perception, config: AnswersConfig) -> Self:
        """Sizes of what a network reads for the answers of `config`."""
        space, words = model.space, model.space.words
        return cls(
            objects=min(config.max_objects, model.config.max_objects),
            features=model.config.head_dim,
            names=len(words.names),
            values=len(space.values),
            scene=len(words.locations) + len(words.weathers) + len(space.concepts),
            crop=config.crop_size,
            map_width=config.map_width,
            map_height=config.map_height,
            channels=model.pyramid.level_channels[-1],
        )

    @property
    def cells(self) -> int:
        """Number of cells of the coarse map."""
        return self.map_width * self.map_height

    @property
    def record(self) -> np.dtype[Any]:
        """The features of one image as one record of numpy."""
        n, half = self.objects, "<f2"
        return np.dtype(
            [
                ("presence", half, (n,)),
                ("boxes", half, (n, 4)),
                ("features", half, (n, self.features)),
                ("names", half, (n, self.names)),
                ("values", half, (n, self.values)),
                ("crops", "u1", (n, self.crop, self.crop, 3)),
                ("scene", half, (self.scene,)),
                ("cells", half, (self.cells, self.channels)),
                ("patches", "u1", (self.cells, PATCH * PATCH * 3)),
            ]
        )


@torch.inference_mode()
def read_features(model: Perception, pixels: np.ndarray, shape: FeatureShape) -> np.ndarray:
    """Records (b,) of images (b, h, w, 3) at the size of the network; objects that do not exist have presence 0."""
    return glimpse(model, pixels, shape)[0]


@torch.inference_mode()
def glimpse(model: Perception, pixels: np.ndarray, shape: FeatureShape) -> tuple[np.ndarray, Read]:
    """Records of images, and what perception read in them, from which beliefs are made."""
    images = torch.tensor(np.asarray(pixels), device=model.mean.device).permute(0, 3, 1, 2)
    scaled = model.normalised(images)
    levels = model.levels(scaled)
    read = look_at(model, scaled, levels)
    return _records(model, images.float(), levels, read, shape), read


def _records(
    model: Perception, images: Float[Tensor, "b 3 h w"], levels: Levels, read: Read, shape: FeatureShape
) -> np.ndarray:
    boxes, presence, exists, objects, scene = read
    presence = presence * exists
    chosen = presence.sort(descending=True, stable=True).indices[:, : shape.objects]
    kinds = torch.tensor(model.space.type_numbers, device=boxes.device, dtype=torch.long)
    values = objects.values.sigmoid() * objects.stated.sigmoid()[..., kinds]
    tables = {"presence": presence, "boxes": boxes, "features": objects.features, "names": objects.names.exp()}
    tables |= {"values": values}
    found = np.zeros(len(boxes), shape.record)
    for name, table in tables.items():
        index = chosen.view(*chosen.shape, *[1] * (table.ndim - 2)).expand(-1, -1, *table.shape[2:])
        found[name][:, : chosen.shape[1]] = table.gather(1, index).half().cpu().numpy()
    if shape.crop:
        kept = boxes.gather(1, chosen[..., None].expand(-1, -1, 4))
        crops = sample_boxes(images, kept, shape.crop).round().clamp(0, 255).byte().cpu().numpy()
        found["crops"][:, : chosen.shape[1]] = _pixels_last(crops, shape.crop)
    parts = (scene.locations.softmax(-1), scene.weathers.softmax(-1), scene.concepts.sigmoid())
    found["scene"] = torch.cat(parts, -1).half().cpu().numpy()
    size = (shape.map_height, shape.map_width)
    # Of maps that were padded only the part that shows the image.
    covered = [max(1, round(s * c)) for s, c in zip(levels[-1].shape[:1:-1], model.layout.covered, strict=True)]
    coarse = F.adaptive_avg_pool2d(levels[-1].float()[:, :, : covered[1], : covered[0]], size)
    found["cells"] = coarse.flatten(2).transpose(1, 2).half().cpu().numpy()
    small = F.adaptive_avg_pool2d(images, (size[0] * PATCH, size[1] * PATCH)).round().byte()
    patches = F.unfold(small.float(), PATCH, stride=PATCH).transpose(1, 2)
    found["patches"] = patches.byte().cpu().numpy()
    return found


def _pixels_last(crops: np.ndarray, side: int) -> np.ndarray:
    """From what `sample_boxes` reads, (b, n, side² · 3), to (b, n, side, side, 3)."""
    return crops.reshape(*crops.shape[:2], side, side, 3)


def cached_features(
    model: Perception, weights: str, paths: Sequence[Path], shape: FeatureShape, num_workers: int
) -> np.ndarray:
    """Records (m,) of image files; of many they are a memory map below the data root, written on first use.

    `weights`: what tells this perception from others, as its checksum. Raises `InputError` for a broken image, and when
    the disk cannot hold the records.
    """
    config = model.config
    pixels, _ = read_images(list(paths), config.image_width, config.image_height, num_workers)
    if len(paths) < SMALLEST_CACHE:
        return _filled(model, pixels, shape, np.zeros(len(paths), shape.record))
    stats = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    key = fingerprint([VERSION, weights, asdict(shape), stats])
    cache = data_root() / ".cache" / f"features_{key}.npy"
    if not cache.exists():
        with locked(cache):
            if not cache.exists():  # otherwise a different process wrote it in the meantime
                _write(cache, model, pixels, shape)
    return np.load(cache, mmap_mode="r", allow_pickle=False)


def _write(cache: Path, model: Perception, pixels: np.ndarray, shape: FeatureShape) -> None:
    beside = cache.with_suffix(".partial.npy")
    try:
        require_space(cache.parent, len(pixels) * shape.record.itemsize, "features of images")
        into = np.lib.format.open_memmap(beside, mode="w+", dtype=shape.record, shape=(len(pixels),))
        _filled(model, pixels, shape, into).flush()  # type: ignore[attr-defined]
        beside.replace(cache)
    except OSError as error:
        raise full_disk(error, cache) from error
    finally:
        beside.unlink(missing_ok=True)


def _filled(model: Perception, pixels: np.ndarray, shape: FeatureShape, into: np.ndarray) -> Any:
    starts = range(0, len(pixels), BATCH)
    for first in counted(starts, len(starts), "perception", "batch", has_end=False):
        into[first : first + BATCH] = read_features(model, pixels[first : first + BATCH], shape)
    return into
