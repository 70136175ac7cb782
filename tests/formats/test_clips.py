"""Clips survive their files, which are read as they are needed; a broken file is one line that names it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import AFFORDANCES, EVENTS, OUTCOMES, PROPERTIES, PROPRIO, STATES
from nsmodels.formats.clips.tables import Clips, Twins
from tests.systems.world.sample import sample_clips

NUM = 6


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    """Clips without sound in the split train; the last one has no pictures."""
    rng = np.random.default_rng(0)
    observed = np.tile([True, False, True], (NUM, 1))
    observed[-1, 0] = False
    video = rng.integers(0, 255, (NUM, 16, 8, 8, 3), dtype=np.uint8)
    video[-1] = 0
    made = Clips(
        np.array([f"clip {k}" for k in range(NUM)]),
        observed,
        video=video,
        proprio=rng.random((NUM, 16, len(PROPRIO)), np.float32),
        properties=rng.random((NUM, len(PROPERTIES)), np.float32),
        columns={"label": np.arange(NUM) % 2, "mass": rng.random(NUM, np.float32)},
        words={"label": ("glass", "wood")},
        frame_rate=25.0,
    )
    files.write(tmp_path, "train", made)
    return made


def test_clips_survive_their_files(clips: Clips, tmp_path: Path) -> None:
    again = files.read(tmp_path, "train")
    assert isinstance(again.video, np.memmap)
    assert again.audio is None
    assert (again.words, again.frame_rate, again.sample_rate) == (clips.words, 25.0, 16_000)
    for each in ("ids", "observed", "video", "proprio", "properties"):
        np.testing.assert_array_equal(getattr(again, each), getattr(clips, each))
    for name, column in clips.columns.items():
        np.testing.assert_array_equal(again.columns[name], column)
    some = again.take(np.array([4, 1]))
    assert some.ids.tolist() == ["clip 4", "clip 1"]
    assert some.columns["label"].tolist() == [0, 1]


def test_parts_of_an_array_are_written_one_after_the_other(clips: Clips, tmp_path: Path) -> None:
    files.create(tmp_path, "train", {"affordances": (9, len(AFFORDANCES))})
    files.opened(tmp_path, "train", "affordances")[3:5] = True
    files.shorten(tmp_path, "train", "affordances", NUM)
    found = files.read(tmp_path, "train").affordances
    assert found is not None
    assert found.any(axis=1).tolist() == [False, False, False, True, True, False]


def test_twins_survive_their_file(clips: Clips, tmp_path: Path) -> None:
    assert files.read_twins(tmp_path, "train") is None
    shapes = {"states": (2, 16, len(STATES)), "properties": (2, len(PROPERTIES)), "outcomes": (2, len(OUTCOMES))}
    shapes |= {"affordances": (2, len(AFFORDANCES)), "events": (2, len(EVENTS))}
    arrays = {each.name: np.full(shapes.get(each.name, (2,)), 1.5) for each in dataclasses.fields(Twins)}
    files.write_twins(tmp_path, "train", Twins(**arrays))
    again = files.read_twins(tmp_path, "train")
    assert again is not None
    assert all(np.array_equal(getattr(again, name), values) for name, values in arrays.items())
    (tmp_path / "train" / files.TWINS).write_bytes(b"PK")
    with pytest.raises(InputError, match=r"twins.npz: not readable as twins"):
        files.read_twins(tmp_path, "train")


BROKEN = {
    "video.npy": (lambda path: path.unlink(), "missing, and .*clips.parquet lists clips that have vision"),
    "proprio.npy": (lambda path: np.save(path, np.zeros((NUM, 16, 3), np.float32)), r"expected float32 \(6, ..., 20\)"),
    "properties.npy": (lambda path: np.save(path, np.zeros((2, 9), np.float32)), r"has float32 \(2, 9\); expected"),
    "states.npy": (lambda path: path.write_bytes(b"x"), r"not a readable .npy file"),
    "clips.parquet": (lambda path: path.write_bytes(b"x"), "not a readable parquet file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_line(clips: Clips, tmp_path: Path, name: str) -> None:
    harm, words = BROKEN[name]
    path = tmp_path / "train" / name
    harm(path)
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: .*{words}|^{re.escape(str(path))}: {words}"):
        files.read(tmp_path, "train")


def test_a_split_that_is_not_there_names_those_that_are(clips: Clips, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"val/clips.parquet: missing; the splits here are train"):
        files.read(tmp_path, "val")


@pytest.mark.parametrize("name", ["audio", "proprio", "states"])
def test_a_value_that_is_no_number_is_named_with_its_file_and_clip(tmp_path: Path, name: str) -> None:
    clips = sample_clips(5)
    files.write(tmp_path, "train", clips)
    assert len(files.read_finite(tmp_path, "train")) == 5
    values = np.array(getattr(clips, name))
    values[3].reshape(-1)[1] = np.nan
    np.save(files.path_of(tmp_path, "train", name), values)
    with pytest.raises(InputError, match=rf"{name}\.npy: clip 0-3 has values that are no numbers"):
        files.read_finite(tmp_path, "train")


def test_arrays_of_different_numbers_of_steps_are_refused(tmp_path: Path) -> None:
    clips = sample_clips(5)
    files.write(tmp_path, "train", clips)
    np.save(files.path_of(tmp_path, "train", "states"), np.asarray(clips.states)[:, :8])
    with pytest.raises(InputError, match=r"states\.npy: has 8 steps, and others have 16"):
        files.read(tmp_path, "train")
