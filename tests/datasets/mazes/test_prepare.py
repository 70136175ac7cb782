"""Navigation data as a sealed folder: splits without a repeated map, prefixes, local files, faults that are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes import checks
from nsmodels.datasets.mazes.config import KINDS, MazesConfig, debug
from nsmodels.datasets.mazes.drawing.symmetry import mark
from nsmodels.datasets.mazes.files.format import read_index, read_split, splits
from nsmodels.datasets.mazes.look import as_text, contact_sheet, distributions
from nsmodels.datasets.mazes.prepare import prepare

ALL_CHECKS = (checks.disjoint, checks.solvable, checks.labels_agree, checks.detours)
MAP = "type octile\nheight 4\nwidth 5\nmap\n.....\n.@@@.\n.@.T.\n.....\n"
SCEN = "version 1\n0\tarena.map\t5\t4\t0\t0\t2\t2\t6.0\n1\tarena.map\t5\t4\t4\t0\t2\t3\t4.41421356\n"


def made(folder: Path, **fields) -> Path:
    prepare(debug().with_values(fields), "mazes", folder / "mazes")
    return folder / "mazes"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Maps of two shapes."""
    return made(tmp_path_factory.mktemp("drawn"), heights=[8, 9], widths=[8, 6])


def edited(folder: Path, to: Path, split: str, row: int, **values) -> Path:
    """A copy whose index differs in one row of a split."""
    to.mkdir()
    for name in ("cells.bits", "index.parquet"):
        (to / name).write_bytes((folder / name).read_bytes())
    index = pd.read_parquet(to / "index.parquet")
    place = index.index[index["split"] == split][row]
    for name, value in values.items():
        index.loc[place, name] = value
    index.to_parquet(to / "index.parquet", index=False)
    return to


def test_every_split_has_its_number_and_shapes(folder: Path) -> None:
    assert splits(folder) == ["train", "val", "test", "transfer"]
    assert [len(read_split(folder, split).index) for split in splits(folder)] == [64, 24, 24, 4]
    train, transfer = read_split(folder, "train"), read_split(folder, "transfer")
    assert [group.maps.shape for group in train.groups] == [(9, 6), (8, 8)]
    assert [group.maps.shape for group in transfer.groups] == [(12, 12)]
    assert sorted(np.concatenate([group.rows for group in train.groups])) == list(range(64))


def test_index_and_maps_belong_together(folder: Path) -> None:
    data = read_split(folder, "train")
    for group in data.groups:
        rows = data.index.iloc[group.rows]
        assert list(rows["mark"]) == mark(group.maps[:].free)
        assert (rows["num_free"] == group.maps[:].free.sum((1, 2))).all()
        assert (rows[["start_row", "start_col"]].to_numpy() == group.maps.start).all()
        assert np.allclose(rows["density"], 1 - group.maps[:].free.mean((1, 2)))
        assert (rows["cost"] == rows["num_steps"]).all()
        assert np.allclose(rows["detour"], rows["cost"] / rows["manhattan"])
    assert (data.index["path"].str.len() == data.index["num_steps"]).all()


def test_the_manifest_records_source_and_counts(folder: Path) -> None:
    manifest = artifact.read_manifest(folder)
    assert manifest.source == "synthetic mazes"
    assert manifest.metrics["num_maps"] == {"train": 64, "val": 24, "test": 24, "transfer": 4}
    assert manifest.metrics["num_states"] > 116
    assert 0.3 < manifest.metrics["detour_share"]["train"] < 0.9


def test_a_smaller_training_set_is_the_beginning_of_a_larger(folder: Path, tmp_path: Path) -> None:
    larger = made(tmp_path, heights=[8, 9], widths=[8, 6], num_train=3000)
    columns = ["name", "mark", "start_row", "start_col", "goal_row", "goal_col", "path"]
    few, many = (read_index(place, "train")[columns] for place in (folder, larger))
    assert few.equals(many.iloc[:64])
    for split in ("val", "test", "transfer"):
        few, many = (read_index(place, split)[columns].reset_index(drop=True) for place in (folder, larger))
        assert few.equals(many)


@pytest.mark.parametrize(
    "fields",
    [
        {"connectivity": 8},
        {"max_cell_cost": 9},
        {"connectivity": 8, "max_cell_cost": 3, "placement": "far"},
        {"sides": [4, 15], "num_transfer": 0},
    ],
)
def test_whatever_is_made_passes_the_checks(fields: dict, tmp_path: Path) -> None:
    place = made(tmp_path, **fields)
    assert [line for check in ALL_CHECKS for line in check(place)] == []
    assert ("transfer" in splits(place)) == ("num_transfer" not in fields)
    group = read_split(place, "test").groups[0]
    assert (group.maps[:].cost is None) == ("max_cell_cost" not in fields)
    assert group.maps.connectivity == fields.get("connectivity", 4)


def test_costs_come_back_as_they_were_drawn(tmp_path: Path) -> None:
    place = made(tmp_path, max_cell_cost=9, sides=[8, 10])
    for split in splits(place):
        data = read_split(place, split)
        for group in data.groups:
            cost = group.maps[:].cost
            assert cost is not None
            assert (cost.min(), cost.max()) == (1, 9)
    assert checks.solvable(place) == []


def test_when_maps_run_out_the_field_is_named(tmp_path: Path) -> None:
    weights = {f"{kind}_weight": float(kind == "maze") for kind in KINDS}
    with pytest.raises(InputError, match=r"field 'num_test': 24 maps requested, but only \d+ different ones of 4x4"):
        made(tmp_path, sides=[4], **weights)


def test_a_map_turned_into_another_split_is_found(folder: Path, tmp_path: Path) -> None:
    assert checks.disjoint(folder) == []
    test = read_index(folder, "test").query("height == 8").iloc[0]
    row = int(np.flatnonzero(read_index(folder, "train")["height"] == 8)[0])
    ends = ("start_row", "start_col", "goal_row", "goal_col", "mark", "offset")
    place = edited(folder, tmp_path / "copy", "train", row, **{name: test[name] for name in ends})
    found = checks.disjoint(place)
    assert len(found) == 1
    assert "the same map, perhaps turned or mirrored, as train" in found[0]


def test_wrong_paths_costs_and_marks_are_found(folder: Path, tmp_path: Path) -> None:
    assert "test 3" in checks.solvable(edited(folder, tmp_path / "a", "test", 3, path="00"))[0]
    wrong = edited(folder, tmp_path / "b", "test", 0, cost=99.0)
    assert "cost 99.0 in the index, " in checks.labels_agree(wrong)[0]
    assert checks.disjoint(edited(folder, tmp_path / "c", "val", 2, mark="0")) == [
        "val 2: the mark in the index is not that of the map"
    ]


def test_unequal_detours_are_found(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "cells.bits").write_bytes((folder / "cells.bits").read_bytes())
    index = pd.read_parquet(folder / "index.parquet")
    index.loc[index["split"] == "test", "detour"] = 1.0
    index.to_parquet(tmp_path / "copy" / "index.parquet", index=False)
    assert "of train, 0.0% of test" in checks.detours(tmp_path / "copy")[0]


def test_what_cannot_be_read_is_reported_in_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"index.parquet: missing; give a folder from: nsmodels mazes generate"):
        read_split(tmp_path, "test")
    with pytest.raises(InputError, match="no split 'dev'; it has train, val, test, transfer"):
        read_split(folder, "dev")
    copy = edited(folder, tmp_path / "copy", "test", 0)
    (copy / "cells.bits").write_bytes((folder / "cells.bits").read_bytes()[:100])
    with pytest.raises(InputError, match=r"cells.bits: 100 bytes, but index.parquet needs \d+"):
        read_split(copy, "train")
    (copy / "cells.bits").write_bytes(bytes(10_000))
    with pytest.raises(InputError, match=r"a start is in a wall, so it is not the index of cells\.bits"):
        read_split(copy, "train")
    (copy / "index.parquet").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a readable parquet file"):
        read_split(copy, "train")


def test_pictures_text_and_counts(folder: Path) -> None:
    assert contact_sheet(folder).startswith(b"\x89PNG")
    text = as_text(folder, "test", 2)
    assert len(text) == 2
    steps = int(read_index(folder, "test")["num_steps"].iloc[0])
    assert sum(text[0].count(arrow) for arrow in "↑→↓←") == steps - 1
    assert (text[0].count("S"), text[0].count("G")) == (1, 1)
    found = distributions(folder)
    assert found["num_train"] == 64
    assert abs(sum(found["path_length"].values()) - 1) < 1e-9
    assert abs(sum(found["detour"].values()) - 1) < 1e-9


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    """A map with two problems and one without scenarios."""
    place = tmp_path / "maps"
    place.mkdir()
    (place / "arena.map").write_text(MAP)
    (place / "arena.map.scen").write_text(SCEN)
    (place / "plain.map").write_text(MAP.replace(".@.T.", ".@..."))
    return place


def test_movingai_maps_are_read_with_their_problems(maps: Path, tmp_path: Path) -> None:
    place = made(tmp_path, source="local", local_path=str(maps), connectivity=8, problems_per_map=3)
    manifest = artifact.read_manifest(place)
    assert manifest.source == "MovingAI maps from a local folder"
    assert (manifest.metrics["num_compared"], manifest.metrics["num_disagreeing"]) == (2, 1)
    index = read_split(place, "test").index
    assert list(index["name"]) == ["arena.map"] * 2 + ["plain.map"] * 3
    assert splits(place) == ["test"]
    assert (place / "cells.bits").stat().st_size == 2 * 3
    assert [line for check in ALL_CHECKS for line in check(place)] == []


def test_the_name_of_a_maze_hard_table_decides_its_split(tmp_path: Path) -> None:
    mazes = [("S   ## #     #G ", "Soo ##o#  o  #G "), ("S # #   G#      ", "So# #oo G#o ooo ")]
    lines = [f"own,{question},{answer},1" for question, answer in mazes]
    (tmp_path / "val.csv").write_text("\n".join(["source,question,answer,rating", *lines, ""]))
    place = made(tmp_path, source="local", local_path=str(tmp_path / "val.csv"))
    manifest = artifact.read_manifest(place)
    assert manifest.source == "Maze-Hard from a local file"
    assert (manifest.metrics["num_compared"], manifest.metrics["num_disagreeing"]) == (2, 0)
    assert splits(place) == ["val"]
    index = read_index(place, "val")
    assert (list(index["kind"]), list(index["cost"])) == (["maze_hard"] * 2, [5, 8])
    assert contact_sheet(place).startswith(b"\x89PNG")
    assert [line for check in ALL_CHECKS for line in check(place)] == []


def test_the_path_of_a_maze_hard_problem_is_the_answer_of_its_file(tmp_path: Path) -> None:
    """Also where another path is as short; an answer that is longer gives way to a shortest path."""
    rows = [("S   #   G", "Soo #o  G"), ("S  # #  G", "So #o# oG"), ("S     G  ", "Soo  oGoo")]
    lines = [f"own,{question},{answer},1" for question, answer in rows]
    (tmp_path / "test.csv").write_text("\n".join(["source,question,answer,rating", *lines, ""]))
    place = made(tmp_path, source="local", local_path=str(tmp_path / "test.csv"))
    assert list(read_index(place, "test")["path"]) == ["1122", "1221", "22"]
    metrics = artifact.read_manifest(place).metrics
    assert (metrics["num_compared"], metrics["num_disagreeing"]) == (3, 1)
    assert [line for check in ALL_CHECKS for line in check(place)] == []
    turned = made(tmp_path, source="local", local_path=str(tmp_path / "test.csv"), connectivity=8)
    assert [line for check in ALL_CHECKS for line in check(turned)] == []


def test_maps_of_one_name_take_the_scenarios_of_their_own_folder(tmp_path: Path) -> None:
    for name, end in (("a", "4"), ("b", "3")):
        (tmp_path / "maps" / name).mkdir(parents=True)
        (tmp_path / "maps" / name / "arena.map").write_text(MAP)
        scen = f"version 1\n0\tarena.map\t5\t4\t0\t0\t{end}\t0\t{end}\n"
        (tmp_path / "maps" / name / "arena.map.scen").write_text(scen)
    (tmp_path / "maps" / "c").mkdir()
    (tmp_path / "maps" / "c" / "arena.map").write_text(MAP)
    (tmp_path / "maps" / "plain.map").write_text(MAP)
    (tmp_path / "maps" / "a" / "plain.scen").write_text(SCEN)
    place = made(tmp_path, source="local", local_path=str(tmp_path / "maps"), problems_per_map=3)
    index = read_index(place)
    assert index.groupby("name")["goal_col"].agg(list).drop("c/arena.map").to_dict() == {
        "a/arena.map": [4],
        "b/arena.map": [3],
        "plain.map": [2, 2],
    }
    assert (index["name"] == "c/arena.map").sum() == 3
    assert artifact.read_manifest(place).metrics["num_naming_another_map"] == 2


@pytest.mark.parametrize(
    ("out", "source"), [("maps", "maps"), ("maps/out", "maps"), ("", "maps"), ("", "maps/arena.map")]
)
def test_data_are_not_made_among_their_sources(out: str, source: str, maps: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    config = MazesConfig(source="local", local_path=str(tmp_path / source))
    with pytest.raises(InputError, match=r"'local_path' .*; give a different folder as --out"):
        prepare(config, "mazes", tmp_path / out)
    assert sorted(tmp_path.rglob("*")) == before


def test_states_are_cells_with_a_goal(maps: Path, tmp_path: Path) -> None:
    """Two problems on one map with different goals are labelled one by one."""
    place = made(tmp_path, source="local", local_path=str(maps / "arena.map"))
    reached = read_index(place)["num_free"].sum()
    assert artifact.read_manifest(place).metrics["num_states"] == reached


def test_changed_local_files_make_other_data(maps: Path, tmp_path: Path) -> None:
    first = artifact.read_manifest(made(tmp_path, source="local", local_path=str(maps)))
    (maps / "plain.map").write_text(MAP.replace(".@.T.", "..@T."))
    second = artifact.read_manifest(made(tmp_path, source="local", local_path=str(maps)))
    assert first.fingerprint != second.fingerprint


def test_many_local_maps_are_split_by_map(tmp_path: Path) -> None:
    place = tmp_path / "many"
    place.mkdir()
    rng = np.random.default_rng(0)
    for number in range(30):
        cells = rng.choice(list("...@"), (6, 6))
        text = "\n".join("".join(row) for row in cells)
        (place / f"m{number:02d}.map").write_text(f"type octile\nheight 6\nwidth 6\nmap\n{text}\n")
    folder = made(tmp_path, source="local", local_path=str(place), problems_per_map=4)
    counts = artifact.read_manifest(folder).metrics
    assert counts["num_maps"] == {"train": 24, "val": 3, "test": 3}
    assert counts["num_problems"] == {"train": 96, "val": 12, "test": 12}
    assert checks.disjoint(folder) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("nowhere", "no such file or folder; field 'local_path'"),
        ("", "no .map file; field 'local_path' names a folder"),
    ],
)
def test_local_paths_without_maps_are_refused(path: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    config = MazesConfig(source="local", local_path=str(tmp_path / (path or "empty")))
    with pytest.raises(InputError, match=expected):
        prepare(config, "mazes", tmp_path / "out")
