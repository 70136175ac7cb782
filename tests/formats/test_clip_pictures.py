"""Figures, GIF and WAV of clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.formats.clips import files, pictures
from nsmodels.formats.clips.tables import Clips
from tests.shared import Shared


def test_a_clip_is_drawn_and_written(shared: Shared, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    draw, wav, gif = (tmp_path / name for name in ("clips.png", "clip.wav", "clip.gif"))
    command = ["impacts", "show", "--data", str(shared.data("impacts")), "--number", "2"]
    assert main([*command, "--draw", str(draw), "--wav", str(wav), "--gif", str(gif)]) == 0
    clips = files.read(shared.data("impacts"), "test")
    assert clips.audio is not None
    sound, rate = soundfile.read(wav)
    assert rate == 16_000
    np.testing.assert_allclose(sound, np.clip(clips.audio[0].astype(float), -1, 1), atol=1e-4)
    with Image.open(gif) as pictured, Image.open(draw) as figure:
        assert getattr(pictured, "n_frames", 1) > 1
        assert pictured.size == (256, 256)
        assert min(figure.size) > 200
    assert str(clips.ids[1]) in capsys.readouterr().out


def test_a_clip_without_a_modality_leaves_its_part_empty(tmp_path: Path) -> None:
    clips = Clips(np.array(["one"]), np.array([[True, False, False]]), video=np.zeros((1, 1, 64, 64, 3), np.uint8))
    axes = pictures.figure_of(clips).axes
    assert [len(axis.images) + len(axis.lines) for axis in axes] == [1, 0, 0]
    with pytest.raises(InputError, match="clip one has no audio"):
        pictures.write_wav(clips, tmp_path / "one.wav")
    assert not list(tmp_path.iterdir())


def test_a_tone_is_a_line_of_its_level_in_the_spectrogram() -> None:
    tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    level = pictures.spectrogram(tone)
    assert (level.argmax(axis=0) * 16_000 / 512 == 1000).all()
    np.testing.assert_allclose(level.max(axis=0), -20, atol=0.1)
