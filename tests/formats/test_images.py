"""The cache of decoded images: one process fills it, a full disk is one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from nsmodels.formats.images import cache, drawing

NUM_IMAGES = 40
# Waits for a line on standard input, reads the images through the cache, saves the result.
READER = """
import resource, sys, time
from pathlib import Path
import numpy as np
from nsmodels.formats.images import cache

root, out, limit = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
cache.SMALLEST_CACHE = 1
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
paths = [root / "images" / f"{k:06d}.png" for k in range(int(sys.argv[4]))]
print("ready", flush=True)
while not (root / "go").exists():
    time.sleep(0.001)
pixels, sizes = cache.read_images(paths, 120, 80)
np.save(out, pixels)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of noise images."""
    rng, folder = np.random.default_rng(0), tmp_path / "images"
    folder.mkdir(parents=True)
    for number in range(NUM_IMAGES):
        pixels = rng.integers(0, 256, (160, 240, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:06d}.png")
    return tmp_path


def start(root: Path, out: Path, limit: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", READER, str(root), str(out), str(limit), str(NUM_IMAGES)]
    environment = os.environ | {"NSMODELS_DATA": str(root / "data"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def left_behind(root: Path) -> list[str]:
    return sorted(path.suffixes[0] for path in (root / "data" / ".cache").iterdir())


def test_processes_that_need_the_cache_at_once_all_get_it_whole(root: Path) -> None:
    readers = [start(root, root / f"{name}.npy") for name in "abc"]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    (root / "go").touch()
    for reader in readers:
        assert reader.communicate()[1] == ""
    paths = sorted((root / "images").iterdir())
    expected = np.stack([cache.read_image(path, 120, 80) for path in paths])
    for name in "abc":
        np.testing.assert_array_equal(np.load(root / f"{name}.npy"), expected)
    assert left_behind(root) == [".lock", ".npy"]


def test_a_disk_that_fills_up_is_an_error_and_leaves_no_part(root: Path) -> None:
    (root / "go").touch()
    reader = start(root, root / "a.npy", limit=100_000)
    errors = reader.communicate()[1]
    assert reader.returncode == 1  # not killed by a signal
    assert "InputError" in errors
    assert "no space left on the disk" in errors
    assert left_behind(root) == [".lock"]


def test_the_file_has_its_blocks_before_it_is_mapped(tmp_path: Path) -> None:
    cache._create(tmp_path / "array.npy", (10, 80, 120, 3))
    assert (tmp_path / "array.npy").stat().st_blocks * 512 >= 10 * 80 * 120 * 3
    np.testing.assert_array_equal(np.load(tmp_path / "array.npy"), np.zeros((10, 80, 120, 3), np.uint8))


def test_texts_with_dollar_signs_are_drawn_as_they_are(tmp_path: Path) -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    question = drawing.title_of("does a $_$ b cost $5 or $6 at $\\price$?", "yes")
    rows = [drawing.Row("worn(o1, $^$)", None)]
    drawing.draw_over(image, [drawing.Mark("o1 $_$", (2, 2))], rows, question, tmp_path / "drawn.pdf")
    text = PdfReader(tmp_path / "drawn.pdf").pages[0].extract_text()
    for part in ("a $_$ b", "$\\price$", "worn(o1, $^$)", "o1 $_$"):
        assert part in text
