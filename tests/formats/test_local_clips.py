"""Pictures, sounds and forces of one's own become clips; what is wrong with one of them is one line that names it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.formats.clips import files, local, recordings
from nsmodels.formats.clips.names import PROPRIO

CLASSES = ("glass", "wood")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Two clips of each class in train and val."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for label in CLASSES:
            folder = tmp_path / "mine" / split / label
            folder.mkdir(parents=True)
            for number in ("001", "002"):
                pixels = rng.integers(0, 255, (90, 70, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"image_{number}.jpg")
                soundfile.write(folder / f"audio_{number}.wav", rng.normal(0, 0.1, 20_000), 16_000)
                np.save(folder / f"proprio_{number}.npy", rng.normal(size=(16, len(PROPRIO))))
    return tmp_path / "mine"


def test_a_folder_of_recordings_is_read_by_the_command(mine: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "clips"
    assert main(["impacts", "generate", "--source", "local", "--local-path", str(mine), "--out", str(out)]) == 0
    assert "clips from local files, clips: 4 train, 4 val" in capsys.readouterr().out
    clips = files.read(out, "train")
    assert clips.ids.tolist() == [f"train/{label}/{number}" for label in CLASSES for number in ("001", "002")]
    assert clips.words["label"] == CLASSES
    assert clips.columns["label"].tolist() == [0, 0, 1, 1]
    assert clips.observed.all()
    assert clips.states is None
    place = mine / "train" / "wood"
    sound, _ = soundfile.read(place / "audio_002.wav", frames=16_000, dtype="float32")
    assert clips.audio is not None
    assert clips.proprio is not None
    np.testing.assert_allclose(clips.audio[3], sound, atol=1e-3)
    np.testing.assert_allclose(clips.proprio[3], np.load(place / "proprio_002.npy"), rtol=1e-6)
    assert main(["impacts", "verify", "--data", str(out)]) == 0


def silent(path: Path) -> None:
    soundfile.write(path, np.zeros(44_100), 44_100)


BROKEN: list[tuple[str, Callable[[Path], object], str]] = [
    ("audio_001.wav", Path.unlink, "missing beside image_001.jpg"),
    ("audio_001.wav", silent, "has 44,100 Hz; expected 16,000 Hz"),
    ("audio_001.wav", lambda path: soundfile.write(path, np.zeros(4_000), 16_000), r"lasts 0.25 s; expected 1 s"),
    ("audio_001.wav", lambda path: path.write_bytes(b"RIFF"), "not readable as a sound"),
    ("image_001.jpg", lambda path: path.write_bytes(b"x"), "not readable as a picture"),
    ("proprio_001.npy", lambda path: np.save(path, np.zeros((16, 3))), r"has float64 \(16, 3\); expected .*\(16, 20\)"),
    ("proprio_001.npy", lambda path: np.save(path, np.full((16, 20), np.nan)), "has values that are no numbers"),
    ("proprio_001.npy", lambda path: path.write_bytes(b"x"), "not readable as an array"),
    ("image_001.png", lambda path: path.write_bytes(b"x"), "a second image of number 001"),
    ("notes.txt", lambda path: path.write_text("mine"), "unexpected name; expected image_"),
]


@pytest.mark.parametrize(("name", "harm", "words"), BROKEN, ids=[f"{name}-{words[:12]}" for name, _, words in BROKEN])
def test_what_is_wrong_with_a_file_is_one_line(mine: Path, tmp_path: Path, name: str, harm, words: str) -> None:
    path = mine / "train" / "glass" / name
    harm(path)
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: {words}"):
        recordings.write_splits(tmp_path / "out", local.read(mine))


def test_a_modality_that_is_missing_is_not_observed(mine: Path, tmp_path: Path) -> None:
    for path in (mine / "val").rglob("audio_*"):
        path.unlink()
    (mine / "train" / "glass" / "image_001.jpg").unlink()
    recordings.write_splits(tmp_path / "out", local.read(mine, may_lack=True))
    train, val = (files.read(tmp_path / "out", split) for split in ("train", "val"))
    assert train.has("vision").tolist() == [False, True, True, True]
    assert not val.has("audio").any()
    assert val.audio is None


def test_folders_that_are_no_clips_are_refused(mine: Path, tmp_path: Path) -> None:
    (mine / "test").mkdir()
    with pytest.raises(InputError, match="test: empty; expected a folder for each class"):
        local.find(mine)
    with pytest.raises(InputError, match=r"audio_001.wav: unexpected here; expected a folder for each split"):
        local.find(mine / "train" / "wood")
    with pytest.raises(InputError, match="no such folder"):
        local.find(tmp_path / "nowhere")
