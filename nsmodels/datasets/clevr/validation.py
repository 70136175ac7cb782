"""Validation of CLEVR data as a whole: before they are sealed, and before a training or an evaluation on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.core.hardware import num_cores
from nsmodels.datasets.clevr.config import MAKER
from nsmodels.datasets.clevr.files.format import check_split, image_path, require_bytes, splits, verify_image
from nsmodels.datasets.clevr.files.schema import points_of
from nsmodels.datasets.clevr.files.split import SplitCheck
from nsmodels.datasets.clevr.questions.executor import Compiled, compile, disagreement

Record = dict[str, Any]
Size = tuple[int, int]
VALIDATED = "validated"  # figure in the manifest of data whose content was validated before they were sealed
# That many centres do not all lie in the upper left quarter of their images by chance.
TELLING_POINTS = 20


class ContentCheck(SplitCheck):
    """A split whose answers are executed too, and whose centres are kept to be compared with the images.

    Attributes:
        wrong: questions whose recorded answer is not that of the executor, as of `executor.agreement`, with `where`.
        points: centres of the objects of each image in pixels, by image index.
    """

    def __init__(self, scenes: str, questions: str, answered: bool = True) -> None:
        super().__init__(scenes, questions, answered)
        self.wrong: list[Record] = []
        self.points: dict[int, list[tuple[float, float]]] = {}
        self._numbers: dict[int, int] = {}
        self._compiled: dict[int, Compiled] = {}

    def add_scene(self, scene: Record, number: int) -> Record:
        """See `SplitCheck.add_scene`."""
        super().add_scene(scene, number)
        index = scene["image_index"]
        self.points[index], self._numbers[index], self._compiled[index] = points_of(scene), number, compile(scene)
        return scene

    def add_question(self, question: Record, number: int) -> Record:
        """See `SplitCheck.add_question`; a wrong answer is recorded, not raised."""
        super().add_question(question, number)
        if self.answered and (wrong := disagreement(question, self._compiled[question["image_index"]])):
            self.wrong.append({**wrong, "where": f"{self.questions}: questions[{number}]"})
        return question

    def require_answers(self) -> None:
        """Raise `InputError` with the number of wrong answers and the first of them."""
        if self.wrong:
            first = self.wrong[0]
            raise InputError(
                f"{first['where']}: field 'answer': {first['answer']!r}, but the program gives {first['executed']!r} "
                f"in this scene; {len(self.wrong):,} of {self.num_questions:,} answers are wrong: are scenes and "
                "questions of the same images?"
            )

    def require_images(self, sizes: Iterable[Size], shown: Callable[[str], str]) -> None:
        """Raise `InputError` for centres outside of their images, and for images of different sizes.

        `sizes`: width and height of each image in the order of `images`; `shown`: name of an image file in messages.
        """
        found = list(zip(self.images.items(), sizes, strict=True))
        is_corner = True
        for (index, name), size in found:
            if size != found[0][1]:
                raise InputError(
                    f"{shown(name)}: {_by(size)} pixels, but {shown(found[0][0][1])} has {_by(found[0][1])}; the "
                    "images of a split must have one size"
                )
            for number, (x, y) in enumerate(self.points[index]):
                if not (0 <= x <= size[0] and 0 <= y <= size[1]):
                    raise InputError(
                        f"{self.scenes}: scenes[{self._numbers[index]}]: objects[{number}]: field 'pixel_coords': "
                        f"({x:g}, {y:g}) is outside of {name}, {_by(size)} pixels; were the images made smaller?"
                    )
                is_corner = is_corner and 2 * x < size[0] and 2 * y < size[1]
        if is_corner and sum(map(len, self.points.values())) >= TELLING_POINTS:
            raise InputError(
                f"{self.scenes}: field 'pixel_coords': all objects are in the upper left quarter of images of "
                f"{_by(found[0][1])} pixels; were the images made larger?"
            )


def validate(
    root: Path, split: str, size_of: Callable[[Path], Size] | None = None, answered: bool = True
) -> ContentCheck:
    """Validate a split of a CLEVR tree: records, programs, answers, images.

    `size_of` gives width and height of an image file: `image_size` (default) reads its header, `verify_image` decodes
    the whole of it. Raises `InputError` for the first fault: the file, the item, the field.
    """
    require_split(root, split)
    check = check_split(root, split, answered, ContentCheck)
    check.require_answers()
    check.require_images(_sizes(root, split, check, size_of or image_size), lambda name: str(_path(root, split, name)))
    return check


def require_valid(root: Path, names: Sequence[str]) -> None:
    """Raise `InputError` for splits that cannot be trained on or scored; data that `prepare` validated are taken as so.

    Of sealed data the records are checked by whatever reads them, and the bytes by their seal.
    """
    for split in names:
        if is_validated(root):
            require_split(root, split)
        else:
            validate(root, split)


def is_validated(root: Path) -> bool:
    """Whether a folder is sealed data whose content `prepare` made itself or validated."""
    if not (Path(root) / artifact.MANIFEST).is_file():
        return False
    manifest = artifact.read_manifest(Path(root))
    is_made_here = manifest.config.get("source") == "synthetic"
    return manifest.maker == MAKER and (is_made_here or VALIDATED in manifest.metrics)


def require_split(root: Path, split: str) -> None:
    """Raise `InputError` naming the splits that there are when `split` is not among them."""
    found = splits(root)
    if split not in found:
        raise InputError(f"{root}: no split '{split}' (there are: {', '.join(found) or 'none'})")


def image_size(path: Path) -> Size:
    """Width and height of an image file, from its header; raises `InputError` when it is missing or no image."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            require_bytes(path, image.mode)
            return image.size
    except FileNotFoundError:
        raise InputError(f"{path}: no such image") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be decoded ({error}); replace it by a whole image") from None


def require_images(root: Path, split: str, check: ContentCheck, shown: Callable[[str], str]) -> None:
    """Decode every image of a split and compare it with the scenes; `shown`: name of an image file in messages."""

    def size_of(path: Path) -> Size:
        try:
            return verify_image(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), shown(path.name), 1)) from None

    check.require_images(_sizes(root, split, check, size_of), shown)


def _sizes(root: Path, split: str, check: ContentCheck, size_of: Callable[[Path], Size]) -> Iterator[Size]:
    with ThreadPoolExecutor(num_cores()) as pool:
        try:
            yield from pool.map(size_of, [_path(root, split, name) for name in check.images.values()])
        finally:
            pool.shutdown(cancel_futures=True)


def _path(root: Path, split: str, name: str) -> Path:
    return image_path(root, split, {"image_filename": name})


def _by(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
