"""Image files as one array at the input size of a network, decoded once and kept on disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from nsmodels.core import locks
from nsmodels.core.artifact import data_root, require_listed
from nsmodels.core.config import fingerprint
from nsmodels.core.disk import full_disk, require_space
from nsmodels.core.errors import InputError
from nsmodels.core.progress import counted
from nsmodels.formats.images.decoding import Size, opened, upright_rgb, upright_size

# Fewer images are decoded in seconds, without a cache on disk.
SMALLEST_CACHE = 500
ZEROS = 2**24  # bytes per write where space cannot be reserved


def read_image(path: Path, width: int, height: int) -> np.ndarray:
    """One image file as RGB, uint8 (height, width, 3), resized; raise `InputError` when it is missing or broken."""
    with opened(path) as image:
        # The box filter averages the pixels of a cell, as the supersampled renderer does.
        return np.asarray(upright_rgb(image).resize((width, height), Image.Resampling.BOX))


def read_pixels(path: Path) -> np.ndarray:
    """One image file as RGB at its own size, uint8 (height, width, 3); raise `InputError` as `read_image` does."""
    with opened(path) as image:
        return np.asarray(upright_rgb(image))


def read_size(path: Path) -> Size:
    """Width and height of an image file in pixels, from its header; raise `InputError` when it is missing or broken."""
    with opened(path) as image:
        return upright_size(image)


def read_images(paths: Sequence[Path], width: int, height: int, num_workers: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Image files, uint8 (n, height, width, 3), and their own width and height in pixels, float32 (n, 2).

    From `SMALLEST_CACHE` images on they are a memory-mapped cache under the data root, written on first use by one
    process while others wait. Raises InputError for an image that is missing or broken, and when the disk cannot hold
    the cache.
    """
    require_listed(paths)
    sizes = np.array([read_size(path) for path in paths], np.float32).reshape(-1, 2)
    if len(paths) < SMALLEST_CACHE:
        return _decode(paths, np.empty((len(paths), height, width, 3), np.uint8), num_workers), sizes
    cache = data_root() / ".cache" / f"images_{_cache_key(paths, width, height)}.npy"
    if not cache.exists():
        with locked(cache):
            if not cache.exists():  # otherwise a different process wrote it in the meantime
                _fill_cache(cache, paths, (len(paths), height, width, 3), num_workers)
    return _mapped(cache), sizes


def _mapped(cache: Path) -> np.ndarray:
    try:
        return np.load(cache, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{cache}: not a cache of images ({reason}); remove it, it is written again") from None


def _cache_key(paths: Sequence[Path], width: int, height: int) -> str:
    # Size and time of every file: a changed or replaced image gives a different key.
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    return fingerprint([str(paths[0].parent.resolve()), stats, width, height])


@contextmanager
def locked(cache: Path) -> Iterator[None]:
    """Hold the cache's lock, after waiting until it is free; the kernel drops the lock with the process."""
    with ExitStack() as held:
        try:
            cache.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(locks.waiting(cache.with_suffix(".lock")))
        except OSError as error:
            raise full_disk(error, cache) from error
        yield


def _fill_cache(cache: Path, paths: Sequence[Path], shape: tuple[int, ...], num_workers: int) -> None:
    beside = cache.with_suffix(".partial.npy")
    try:
        require_space(cache.parent, int(np.prod(shape)), "decoded images")
        _create(beside, shape)
        array = np.lib.format.open_memmap(beside, mode="r+")
        _decode(paths, array, num_workers)
        array.flush()
        beside.replace(cache)
    except OSError as error:
        raise full_disk(error, cache) from error
    finally:
        beside.unlink(missing_ok=True)


def _create(path: Path, shape: tuple[int, ...]) -> None:
    """Create a uint8 array file with all blocks allocated: on a full disk, writing to a mapped hole raises SIGBUS."""
    with path.open("wb") as stream:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        stream.flush()
        _reserve(stream, int(np.prod(shape)))


def _reserve(stream: BinaryIO, num_bytes: int) -> None:
    """Append `num_bytes` zero bytes, allocated on the disk; raise OSError when it is full."""
    if hasattr(os, "posix_fallocate"):
        try:
            return os.posix_fallocate(stream.fileno(), stream.tell(), num_bytes)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                raise
    for first in range(0, num_bytes, ZEROS):
        stream.write(bytes(min(ZEROS, num_bytes - first)))
    return None


def _decode(paths: Sequence[Path], into: np.ndarray, num_workers: int) -> np.ndarray:
    height, width = into.shape[1:3]

    def one(index: int) -> None:
        into[index] = read_image(paths[index], width, height)

    with ThreadPoolExecutor(max(1, num_workers)) as pool:
        decoded = pool.map(one, range(len(paths)))
        for _ in counted(decoded, len(paths), "decoding", "image", has_end=False):
            pass
    return into
