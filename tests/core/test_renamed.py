"""Folders under the old name of an asset key are taken over, and never replace one under the current name."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nsmodels.core.sealed import renamed


def test_keys_and_places_below_them_have_a_current_name() -> None:
    assert renamed.current("mazes_replicates") == "nav_replicates"
    assert renamed.current("mazes_trials/quick_lr=0.1") == "nav_trials/quick_lr=0.1"
    assert renamed.current("mazes") == "mazes"


def test_partitions_under_the_old_name_are_moved_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old = tmp_path / "mazes_replicates" / "3" / "model"
    old.mkdir(parents=True)
    (old / "weights").write_text("kept")
    assert renamed.place_of("nav_replicates/3/model", tmp_path) == old
    renamed.take_over("nav_replicates", tmp_path)
    assert renamed.place_of("mazes_replicates/3/model", tmp_path) == tmp_path / "nav_replicates" / "3" / "model"
    assert (tmp_path / "nav_replicates" / "3" / "model" / "weights").read_text() == "kept"
    assert not (tmp_path / "mazes_replicates").exists()
    assert "1 entries moved to nav_replicates" in caplog.text
    renamed.take_over("nav_replicates", tmp_path)
    assert caplog.text.count("moved to") == 1


def test_a_partition_of_both_names_stays_and_other_keys_are_left_alone(tmp_path: Path) -> None:
    for place in ("mazes_replicates/1", "mazes_replicates/2", "nav_replicates/2", "mazes_trials/a"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "nav_replicates/2/mine").touch()
    renamed.take_over("nav_replicates", tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")}
    assert found == {"mazes_replicates/2", "nav_replicates/1", "nav_replicates/2", "mazes_trials/a"}
    assert (tmp_path / "nav_replicates/2/mine").exists()


def test_several_processes_may_take_over_at_once(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / "mazes_trials" / str(number)).mkdir(parents=True)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: renamed.take_over("nav_trials", tmp_path), range(8)))
    assert len(list((tmp_path / "nav_trials").iterdir())) == 200
