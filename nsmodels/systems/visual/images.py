"""Images of a CLEVR tree as one array at the network's input size, decoded once and kept on disk."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from nsmodels.core.artifact import data_root, full_disk
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.format import image_path

# Below so many images decoding takes seconds and leaves nothing on disk.
SMALLEST_CACHE = 500


def read_image(path: Path, width: int, height: int) -> np.ndarray:
    """One image file as uint8 (height, width, 3); raise `InputError` when it is missing or broken."""
    try:
        with Image.open(path) as image:
            # The box filter averages the pixels of a cell, as the supersampled renderer does.
            return np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.BOX))
    except FileNotFoundError:
        raise InputError(f"{path}: no such image") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path}: cannot be decoded ({error}); delete it and make the dataset again") from None


def image_sizes(root: Path, split: str, scenes: list[dict[str, Any]]) -> np.ndarray:
    """Width and height of each scene's image file, (n, 2), from the files' headers."""
    sizes = []
    for scene in scenes:
        path = image_path(root, split, scene)
        try:
            with Image.open(path) as image:
                sizes.append(image.size)
        except (OSError, SyntaxError) as error:
            raise InputError(f"{path}: cannot be read as an image ({error}); make the dataset again") from None
    return np.array(sizes, np.float32).reshape(-1, 2)


def read_images(
    root: Path, split: str, scenes: list[dict[str, Any]], width: int, height: int, num_workers: int = 4
) -> np.ndarray:
    """Images of `scenes` as uint8 (n, height, width, 3), from a memory-mapped cache when there are many."""
    paths = [image_path(root, split, scene) for scene in scenes]
    if len(paths) < SMALLEST_CACHE:
        return _decode(paths, np.empty((len(paths), height, width, 3), np.uint8), num_workers)
    cache = data_root() / ".cache" / f"images_{_tree_mark(paths, width, height)}.npy"
    if not cache.exists():
        _fill_cache(cache, paths, (len(paths), height, width, 3), num_workers)
    return np.load(cache, mmap_mode="r")


def _tree_mark(paths: list[Path], width: int, height: int) -> str:
    # Size and time of every file: a changed or replaced image gives another cache.
    stats = [(path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.exists()]
    return fingerprint([str(paths[0].resolve()), len(paths), stats, width, height])


def _fill_cache(cache: Path, paths: list[Path], shape: tuple[int, ...], num_workers: int) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    beside = cache.with_suffix(".partial.npy")
    try:
        array = np.lib.format.open_memmap(beside, mode="w+", dtype=np.uint8, shape=shape)
        _decode(paths, array, num_workers)
        array.flush()
        beside.replace(cache)
    except OSError as error:
        raise full_disk(error, cache) from error
    finally:
        beside.unlink(missing_ok=True)


def _decode(paths: list[Path], into: np.ndarray, num_workers: int) -> np.ndarray:
    height, width = into.shape[1:3]

    def one(index: int) -> None:
        into[index] = read_image(paths[index], width, height)

    with ThreadPoolExecutor(max(1, num_workers)) as pool:
        todo = pool.map(one, range(len(paths)))
        for _ in tqdm(todo, total=len(paths), desc="decode", unit="image", leave=False, disable=None):
            pass
    return into
