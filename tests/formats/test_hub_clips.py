"""Data sets of the package `datasets` become clips, from folders on this machine and without any request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from nsmodels.core.errors import InputError
from nsmodels.datasets.impacts.config import ImpactsConfig
from nsmodels.datasets.impacts.prepare import prepare
from nsmodels.formats.clips import files, hub

datasets = pytest.importorskip("datasets")
LABELS = ("cat", "dog")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_MODULES_CACHE", str(tmp_path / "modules"))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """An imagefolder and an audiofolder: two of each class in train and validation."""
    rng = np.random.default_rng(0)
    for split in ("train", "validation"):
        for label in LABELS:
            pictures, sounds = (tmp_path / kind / split / label for kind in ("pictures", "sounds"))
            pictures.mkdir(parents=True)
            sounds.mkdir(parents=True)
            for number in range(2):
                Image.fromarray(rng.integers(0, 255, (80, 60, 3), dtype=np.uint8)).save(pictures / f"{number}.png")
                soundfile.write(sounds / f"{number}.wav", np.sin(np.arange(50_000) / 44_100 * 440 * 2 * np.pi), 44_100)
    return tmp_path / "pictures", tmp_path / "sounds"


def test_pictures_and_sounds_are_clips_of_one_modality_each(folders: tuple[Path, Path], tmp_path: Path) -> None:
    pictures, sounds = map(str, folders)
    manifest = prepare(ImpactsConfig(source="hub", hub_vision=pictures, hub_audio=sounds), "impacts", tmp_path / "out")
    assert manifest.source == "pictures and sounds by Hugging Face datasets"
    assert files.splits(tmp_path / "out") == ["train", "val"]
    clips = files.read(tmp_path / "out", "val")
    assert clips.observed.tolist() == [[True, False, False]] * 4 + [[False, True, False]] * 4
    assert clips.words["label"] == LABELS
    assert clips.columns["label"].tolist() == [0, 0, 1, 1] * 2
    assert clips.audio is not None
    spectrum = np.abs(np.fft.rfft(np.asarray(clips.audio[7], np.float64)))
    assert spectrum.argmax() == 440  # resampled, not played slower


def test_the_first_of_each_split_are_taken(folders: tuple[Path, Path], tmp_path: Path) -> None:
    prepare(ImpactsConfig(source="hub", hub_vision=str(folders[0]), hub_limit=3), "impacts", tmp_path / "out")
    clips = files.read(tmp_path / "out", "train")
    assert len(clips) == 3
    assert clips.video is not None
    assert clips.video.shape == (3, 1, 64, 64, 3)


def test_what_cannot_be_read_is_one_line_and_nothing_is_fetched(folders: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match=r"pictures: no column of type Audio for audio; has image \(Image\)"):
        hub.read([hub.Request(str(folders[0]), "audio", 10)])
    with pytest.raises(
        InputError, match=r"^imagenet-1k: not readable as a data set .* allow downloads with may_download"
    ):
        hub.read([hub.Request("imagenet-1k", "vision", 10)])
