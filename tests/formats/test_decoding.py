"""Image files of every kind: read as they are meant, or refused in one line."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nsmodels.core.errors import InputError
from nsmodels.formats.images.cache import read_image, read_pixels, read_size

WIDTH, HEIGHT = 24, 16
GREY = np.linspace(0, 255, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(np.uint8)


def picture() -> Image.Image:
    """A colour picture without two equal corners."""
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))


def saved(folder: Path, image: Image.Image, name: str, **options: Any) -> Path:
    image.save(folder / name, **options)
    return folder / name


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (GREY, "grey.png"),
        (GREY.astype(np.uint16) * 257, "grey16.png"),
        (GREY.astype(np.uint16) * 257, "grey16.tiff"),
        (GREY.astype(np.int32) * 257, "grey32.tiff"),
        (GREY.astype(np.float32) / 255, "unit.tiff"),
        (GREY.astype(np.float32), "float.tiff"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_grey_of_any_depth_is_the_same_grey(tmp_path: Path, values: np.ndarray, name: str) -> None:
    pixels = read_pixels(saved(tmp_path, Image.fromarray(values), name))
    np.testing.assert_array_equal(pixels, np.repeat(GREY[..., None], 3, axis=2))


@pytest.mark.parametrize(
    ("mode", "name"), [("RGB", "a.png"), ("RGBA", "a.png"), ("RGB", "a.webp"), ("CMYK", "a.tiff"), ("P", "a.gif")]
)
def test_colours_survive_their_mode(tmp_path: Path, mode: str, name: str) -> None:
    image = picture().convert(mode)
    options = {"lossless": True} if name.endswith("webp") else {}
    pixels = read_pixels(saved(tmp_path, image, name, **options))
    np.testing.assert_array_equal(pixels, np.asarray(image.convert("RGB")))
    # Hardly different from the picture before it was brought into this mode, either.
    assert np.abs(pixels.astype(int) - np.asarray(picture()).astype(int)).mean() < 40


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    pixels = read_pixels(saved(tmp_path, Image.fromarray(GREY > 127), "bits.png"))
    np.testing.assert_array_equal(pixels[..., 0], np.where(GREY > 127, 255, 0))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_are_white_and_half_transparent_ones_between(tmp_path: Path, mode: str) -> None:
    alpha = Image.new("L", (WIDTH, HEIGHT), 255)
    alpha.paste(0, (0, 0, 8, HEIGHT))
    alpha.paste(128, (8, 0, 16, HEIGHT))
    image = Image.new("RGB" if mode == "RGBA" else "L", (WIDTH, HEIGHT), 0)
    image.putalpha(alpha)
    row = read_pixels(saved(tmp_path, image, "holes.png"))[3, :, 0]
    assert (row[:8] == 255).all()
    assert np.abs(row[8:16].astype(int) - 127).max() <= 1
    assert (row[16:] == 0).all()


@pytest.mark.parametrize("name", ["turned.jpg", "turned.tiff", "turned.png"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_pictures_are_turned_as_their_camera_was_held(tmp_path: Path, name: str, orientation: int) -> None:
    upright = picture().resize((WIDTH * 8, HEIGHT * 8), Image.Resampling.NEAREST)
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    held = upright.transpose(turn[orientation]) if orientation in turn else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, held, name, exif=exif, **({"quality": 98} if name.endswith("jpg") else {}))
    assert read_size(path) == upright.size
    pixels = read_pixels(path)
    assert np.abs(pixels.astype(int) - np.asarray(upright)).mean() < 12  # JPEG is not exact; a wrong turn is 85


def test_several_pictures_in_one_file_are_refused(tmp_path: Path) -> None:
    frames = [picture().rotate(90 * k) for k in range(3)]
    for name in ("moving.gif", "pages.tiff", "moving.webp"):
        path = saved(tmp_path, frames[0], name, save_all=True, append_images=frames[1:])
        with pytest.raises(InputError, match=f"{name}: has 3 pictures, expected one"):
            read_image(path, 8, 8)


def test_images_too_large_for_memory_are_refused_by_their_header(tmp_path: Path) -> None:
    for side in (10_000, 20_000):  # Pillow warns of the first and refuses the second
        header = side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
        path = tmp_path / f"{side}.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b""))
        for read in (read_size, read_pixels):
            with pytest.raises(InputError, match="more than 89 million pixels; scale the image down"):
                read(path)


@pytest.mark.parametrize("values", [np.full((4, 4), np.nan), np.full((4, 4), -1.0), np.full((4, 4), 1e6)])
def test_grey_values_without_a_known_range_are_refused(tmp_path: Path, values: np.ndarray) -> None:
    path = saved(tmp_path, Image.fromarray(values.astype(np.float32)), "odd.tiff")
    with pytest.raises(InputError, match="expected 0 to 1, 0 to 255 or 0 to 65535"):
        read_pixels(path)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # about broken metadata, which is left out
@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "tiff", "webp", "bmp"])
def test_cut_and_garbled_files_are_one_line(tmp_path: Path, kind: str) -> None:
    stream, rng, path = io.BytesIO(), np.random.default_rng(0), tmp_path / f"broken.{kind}"
    picture().save(stream, kind)
    whole = stream.getvalue()
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        garbled = bytearray(whole)
        garbled[length : length + 4] = rng.bytes(4)
        for content in (whole[:length], bytes(garbled)):
            path.write_bytes(content)
            found = error_of(path)  # none where what was harmed does not matter
            assert not found or (found.startswith(f"{path}: ") and "\n" not in found)


def error_of(path: Path) -> str:
    try:
        read_image(path, 8, 8)
    except InputError as error:
        return str(error)
    return ""
