"""Images of VQA data: there, whole, of plain size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nsmodels.core.errors import InputError
from nsmodels.core.hardware import num_cores
from nsmodels.datasets.vqa.files.names import image_name, questions_name
from nsmodels.datasets.vqa.files.questions import read_questions


def require_images(folder: Path, split: str, source: str = "") -> int:
    """Decode every image of a split to its last byte; returns their number.

    Raises `InputError` naming the file, as one below `source` where that is given: from where it was copied.
    """
    images = sorted({question.image for question in read_questions(folder / questions_name(split)).by_id.values()})
    names = [image_name(split, image) for image in images]

    def check(name: str) -> None:
        image_size(folder / name, f"{source}/{name}" if source else "")

    with ThreadPoolExecutor(num_cores()) as pool:
        try:
            for _ in pool.map(check, names):
                pass
        finally:
            pool.shutdown(cancel_futures=True)
    return len(names)


def image_size(path: Path, shown: str = "") -> tuple[int, int]:
    """Width and height of an image that is decoded to its last byte. Raises `InputError`; `shown`: its name there."""
    from PIL import Image

    shown = shown or str(path)

    try:
        with Image.open(path) as image:
            image.load()
            return image.size
    except FileNotFoundError:
        raise InputError(f"{shown}: no such image, though questions are about it; complete the folder") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{shown}: cannot be decoded ({error}); replace it by a whole image") from None
