"""Simulated clips: the same whatever makes them, apart where they have to be, and every check of them can fail."""

from __future__ import annotations

import dataclasses
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsmodels.__main__ import main
from nsmodels.core import artifact, discover
from nsmodels.core.errors import InputError
from nsmodels.datasets.impacts import blocks, checks
from nsmodels.datasets.impacts.config import MATERIALS, NOVEL, SHAPES, ImpactsConfig, debug, paper
from nsmodels.datasets.impacts.prepare import estimate, prepare
from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import EVENTS, PLACEBO, PROPERTIES, VARIABLES
from nsmodels.formats.clips.tables import Clips
from tests.children import Child, signal_at_save
from tests.shared import Shared


def test_clips_do_not_depend_on_the_number_of_processes(shared: Shared, tmp_path: Path) -> None:
    made = prepare(debug().with_values({"num_workers": 2}), "impacts", tmp_path / "impacts")
    assert made.files == artifact.read_manifest(shared.data("impacts")).files
    assert made.fingerprint == artifact.read_manifest(shared.data("impacts")).fingerprint


def simulate_alone(folder: str) -> None:
    prepare(debug().with_values({"num_workers": 1}), "impacts", Path(folder))


def test_a_killed_simulation_goes_on_where_it_was_and_gives_the_same_bytes(shared: Shared, tmp_path: Path) -> None:
    whole = artifact.read_manifest(shared.data("impacts"))
    in_second_block = partial(signal_at_save, signal.SIGKILL, "train-32.npz", 1)
    child = Child(simulate_alone, str(tmp_path / "impacts"), setup=in_second_block)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    child.close()
    half = tmp_path / ".impacts.partial"
    assert [path.name for path in sorted((half / blocks.FOLDER).glob("*.npz"))] == ["train-0.npz"]
    # A trace in a block that is done: it is still there at the end, so that the block was not simulated again.
    files.opened(half, "train", "proprio")[0, 0, 0] = 77
    made = prepare(debug(), "impacts", tmp_path / "impacts")
    assert files.read(tmp_path / "impacts", "train").proprio[0, 0, 0] == 77  # pyright: ignore[reportOptionalSubscript]
    assert made.fingerprint == whole.fingerprint
    assert {name for name in whole.files if made.files.get(name) != whole.files[name]} == {"train/proprio.npy"}
    assert made.files.keys() == whole.files.keys()


def test_combinations_of_novel_are_two_of_each_shape_and_in_no_other_split(shared: Shared) -> None:
    assert [sum(shape == one for shape, _ in NOVEL) for one in SHAPES] == [2] * len(SHAPES)
    assert {material for _, material in NOVEL} == set(MATERIALS)
    novel, train = (files.read(shared.data("impacts"), split) for split in ("novel", "train"))
    held = {SHAPES.index(shape) * len(MATERIALS) + MATERIALS.index(material) for shape, material in NOVEL}
    assert set(novel.columns["combination"].tolist()) <= held
    assert not set(train.columns["combination"].tolist()) & held


def changed(clips: Any, **arrays: Any) -> Any:
    return dataclasses.replace(clips, **arrays)


def with_columns(clips: Any, **columns: Any) -> Any:
    return changed(clips, columns={**clips.columns, **columns})


def rewritten(folder: Path, split: str, change: Callable[[Any], Any]) -> None:
    clips = files.read(folder, split)
    files.write(folder, split, change(clips.take(np.arange(len(clips)))))


def with_a_novel_plate(folder: Path) -> None:
    rewritten(
        folder, "train", lambda clips: with_columns(clips, material=np.full(len(clips), MATERIALS.index("steel")))
    )


def with_an_object_of_train(folder: Path) -> None:
    there = files.read(folder, "train").columns["object"]
    rewritten(folder, "test", lambda clips: with_columns(clips, object=there[: len(clips)]))


def with_a_clip_of_train(folder: Path) -> None:
    there: Any = files.read(folder, "train")
    rewritten(
        folder,
        "test",
        lambda clips: changed(clips, audio=there.audio[:16], video=there.video[:16], proprio=there.proprio[:16]),
    )


def with_colours_the_other_way(folder: Path) -> None:
    rewritten(folder, "train", lambda clips: with_columns(clips, hue=1 / clips.columns["density"]))


def with_a_state_moved(folder: Path) -> None:
    rewritten(folder, "val", lambda clips: changed(clips, states=clips.states + np.float32(1e-4)))


def with_sounds_of_a_higher_pitch(folder: Path) -> None:
    played = (1.2 * np.arange(16_000)).astype(int) % 16_000
    rewritten(folder, "train", lambda clips: changed(clips, audio=np.asarray(clips.audio)[:, played]))


def with_an_affordance_turned(folder: Path) -> None:
    rewritten(folder, "val", lambda clips: changed(clips, affordances=~clips.affordances))


def with_an_effect_of_colour(folder: Path) -> None:
    twins = files.read_twins(folder, "train")
    assert twins is not None
    row = int(np.flatnonzero(twins.variable == VARIABLES.index(PLACEBO))[0])
    twins.events[row, EVENTS.index("broke")] ^= True
    files.write_twins(folder, "train", twins)


def with_values_where_nothing_is_observed(folder: Path) -> None:
    rewritten(folder, "test", lambda clips: changed(clips, observed=~clips.observed))


HARMS: list[tuple[str, Callable[[Path], None], str]] = [
    ("splits_are_disjoint", with_a_novel_plate, "steel as a plate is not for other splits"),
    ("splits_are_disjoint", with_an_object_of_train, "is also in test"),
    ("splits_are_disjoint", with_a_clip_of_train, "is the same recording as test-0000000 of test"),
    ("confounded_in_training_only", with_colours_the_other_way, "train: colour and density have the correlation -"),
    ("clips_are_reproducible", with_a_state_moved, "val: states of a sample"),
    ("sound_has_the_frequencies_of_the_modes", with_sounds_of_a_higher_pitch, "the nearest mode has"),
    ("affordances_are_simulated", with_an_affordance_turned, "pushable is not what a test gives"),
    ("placebo_changes_nothing", with_an_effect_of_colour, "train: events change with the colour"),
    ("schema", with_values_where_nothing_is_observed, "a clip without vision has values"),
]


@pytest.mark.parametrize(("check", "harm", "words"), HARMS, ids=[harm.__name__ for _, harm, _ in HARMS])
def test_a_check_finds_its_fault(shared: Shared, tmp_path: Path, check: str, harm, words: str) -> None:
    folder = Path(shutil.copytree(shared.data("impacts"), tmp_path / "impacts"))
    harm(folder)
    found = discover.checks("impacts")[check](folder)
    assert any(words in line for line in found), found


def test_a_property_that_no_modality_shows_is_a_fault(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        shown = rng.random((240, len(PROPERTIES)), np.float32)
        proprio = np.zeros((240, 16, 20), np.float32)
        proprio[:, 0, :9] = shown
        proprio[:, 0, PROPERTIES.index("weight")] = 0
        ids, observed = np.array([f"{split}-{k}" for k in range(240)]), np.tile([False, False, True], (240, 1))
        files.write(tmp_path, split, Clips(ids, observed, proprio=proprio, properties=shown))
    (line,) = checks.properties_are_identifiable(tmp_path)
    assert line.startswith("weight: no modality shows it")


def test_large_data_are_made_only_when_agreed(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    needed = estimate(paper())
    assert needed is not None
    assert needed.is_large
    assert main(["impacts", "generate", "--preset", "paper", "--out", str(tmp_path / "clips")]) == 2
    assert "56,000 clips" in capsys.readouterr().err
    assert not (tmp_path / "clips").exists()


def test_a_source_needs_its_place() -> None:
    for source, words in {"local": "needs local_path", "hub": "needs hub_vision, hub_audio or both"}.items():
        with pytest.raises(InputError, match=words):
            ImpactsConfig().with_values({"source": source})
