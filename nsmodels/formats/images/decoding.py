"""Image files of every kind as upright RGB pictures of 8 bits, or one line about the reason why not."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from nsmodels.core.artifact import remedy
from nsmodels.core.errors import InputError

Size = tuple[int, int]  # width and height in pixels

# What Pillow raises for broken and hostile files. It only warns of sizes between its limit and twice that.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")  # about broken EXIF, which is then left out
WIDE = ("I", "F")  # first letter of Pillow's modes with one channel of 16 or 32 bits
TURNED = range(5, 9)  # values of the orientation in EXIF that exchange width and height
WHITE = (255, 255, 255, 255)  # behind transparent parts


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """The image file, of which only the header is read.

    Raises `InputError` when it is missing, broken, larger than Pillow's limit, or has several pictures, also for errors
    of what is done with it.
    """
    try:
        with Image.open(path) as image:
            # Photographs of phones (MPO) hold the same view again; the pictures of other files differ.
            if getattr(image, "is_animated", False) and image.format != "MPO":
                number = getattr(image, "n_frames", 2)
                raise InputError(f"{path}: has {number} pictures, expected one; save the one that you mean as a file")
            yield image
    except FileNotFoundError:
        raise InputError(f"{path}: no such image") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        limit = (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        raise InputError(f"{path}: more than {limit:.0f} million pixels; scale the image down") from None
    except InputError:
        raise
    except UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: cannot be decoded ({reason}); {remedy(path)}") from None


def upright_size(image: Image.Image) -> Size:
    """Width and height of an opened image as it is shown, from its header."""
    return (image.height, image.width) if _orientation(image) in TURNED else image.size


def upright_rgb(image: Image.Image) -> Image.Image:
    """An opened image in RGB, turned as EXIF demands, over white where it is transparent.

    A channel of 16 or 32 bits is scaled by `bytes_of`, which raises ValueError for values without a known range.
    """
    turned = ImageOps.exif_transpose(image) if _orientation(image) > 1 else image
    if turned.mode.startswith(WIDE):
        return Image.fromarray(bytes_of(np.asarray(turned), is_16_bit=turned.mode.startswith("I;16"))).convert("RGB")
    if not turned.has_transparency_data:
        return turned.convert("RGB")
    picture = turned.convert("RGBA")
    if picture.getchannel("A").getextrema() == (255, 255):
        return picture.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", picture.size, WHITE), picture).convert("RGB")


def bytes_of(values: np.ndarray, is_16_bit: bool) -> np.ndarray:
    """Grey values as uint8: whole numbers of 16 bits, or the narrowest of 0..1 (floats only), 0..255 and 0..65535.

    Raises ValueError for values that are not finite, negative or larger.
    """
    least, most = float(values.min()), float(values.max())
    if not (least >= 0 and most <= 65535):  # also of what is not a number
        raise ValueError(f"grey values from {least:g} to {most:g}, expected 0 to 1, 0 to 255 or 0 to 65535")
    is_unit = values.dtype.kind == "f" and most <= 1
    top = 65535 if is_16_bit or most > 255 else 1 if is_unit else 255
    return np.rint(values.astype(np.float64) * (255 / top)).astype(np.uint8)


def _orientation(image: Image.Image) -> int:
    # TIFFs are turned by Pillow. Of a PNG the header alone is searched: looking further would decode the whole of it.
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return 1
    return int(image.getexif().get(ExifTags.Base.Orientation, 1) or 1)
