"""Images of VQA data: there, whole, of plain size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nsmodels.core.errors import InputError
from nsmodels.core.hardware import num_cores
from nsmodels.datasets.vqa.files.names import image_name, questions_name
from nsmodels.datasets.vqa.files.questions import read_questions


def require_images(folder: Path, split: str) -> int:
    """Decode every image of a split to its last byte; returns their number. Raises `InputError` naming the file."""
    images = sorted({question.image for question in read_questions(folder / questions_name(split)).by_id.values()})
    paths = [folder / image_name(split, image) for image in images]
    with ThreadPoolExecutor(num_cores()) as pool:
        try:
            for _ in pool.map(image_size, paths):
                pass
        finally:
            pool.shutdown(cancel_futures=True)
    return len(paths)


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of an image that is decoded to its last byte. Raises `InputError`."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
            return image.size
    except FileNotFoundError:
        raise InputError(f"{path}: no such image, though questions are about it; complete the folder") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be decoded ({error}); replace it by a whole image") from None
