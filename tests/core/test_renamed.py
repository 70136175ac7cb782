"""Folders under the old name of an asset key are taken over, and never replace one under the current name."""

from pathlib import Path

import pytest

from nsmodels.core import renamed


def test_keys_and_places_below_them_have_a_current_name() -> None:
    assert renamed.current("mazes_replicates") == "nav_replicates"
    assert renamed.current("mazes_trials/quick_lr=0.1") == "nav_trials/quick_lr=0.1"
    assert renamed.current("mazes") == "mazes"


def test_a_folder_under_the_old_name_is_renamed_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old = tmp_path / "mazes_replicates" / "3" / "model"
    old.mkdir(parents=True)
    (old / "weights").write_text("kept")
    renamed.take_over("nav_replicates", tmp_path)
    assert (tmp_path / "nav_replicates" / "3" / "model" / "weights").read_text() == "kept"
    assert not (tmp_path / "mazes_replicates").exists()
    assert "renamed to nav_replicates" in caplog.text
    renamed.take_over("nav_replicates", tmp_path)
    assert caplog.text.count("renamed to") == 1


def test_nothing_is_replaced_and_other_keys_are_left_alone(tmp_path: Path) -> None:
    for name in ("mazes_replicates", "nav_replicates", "mazes_trials"):
        (tmp_path / name).mkdir()
    renamed.take_over("nav_replicates", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mazes_replicates", "mazes_trials", "nav_replicates"]
