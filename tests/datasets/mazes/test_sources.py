"""Folders as people keep them: scenarios of any name, own splits, published tables, files that are not used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes import checks
from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.drawing.symmetry import transform
from nsmodels.datasets.mazes.files import sources
from nsmodels.datasets.mazes.files.format import read_index, splits
from nsmodels.datasets.mazes.files.movingai import write_map
from nsmodels.datasets.mazes.look import files_not_used, problems_left_out
from nsmodels.datasets.mazes.prepare import prepare, recipe_of

MAP = "type octile\nheight 3\nwidth 3\nmap\n.@.\n...\n...\n"
PROBLEM = "0\t{}\t3\t3\t{}\t0\t0\t2\t2\n"


def put(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def scen(*maps: str, column: int = 0) -> str:
    return "version 1\n" + "".join(PROBLEM.format(name, column) for name in maps)


def made(tmp_path: Path, **fields) -> artifact.Manifest:
    config = MazesConfig(source="local", local_path=str(tmp_path / "own"), **fields)
    return prepare(config, "mazes", tmp_path / "mazes")


def random_map(folder: Path, name: str, seed: int, turns: int = 0) -> None:
    free = np.random.default_rng(seed).random((6, 6)) < 0.8
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    write_map(folder / name, transform(free, turns))


def test_one_start_in_a_wall_leaves_the_scenario(tmp_path: Path) -> None:
    put(tmp_path / "own", "a.map", MAP)
    put(tmp_path / "own", "a.map.scen", scen("a.map") + PROBLEM.format("a.map", 1))
    metrics = made(tmp_path, connectivity=8).metrics
    assert metrics["num_problems"] == {"test": 1}
    assert metrics["num_skipped"] == {"start or goal in a wall": 1}
    assert "line 3 column 13: expected a start on a free cell, got x 1, y 0 in a wall" in metrics["skipped"][0]
    assert problems_left_out(tmp_path / "mazes") == ["1 problems left out: start or goal in a wall"]
    assert (metrics["num_compared"], metrics["num_disagreeing"]) == (1, 0)


@pytest.mark.parametrize("name", ["a.map-1.scen", "problems.scen", "below/x.SCEN", "a-hard.scen"])
def test_a_scenario_belongs_to_the_map_that_it_names(name: str, tmp_path: Path) -> None:
    put(tmp_path / "own", "a.map", MAP)
    put(tmp_path / "own", name, scen("maps/a.map"))
    metrics = made(tmp_path).metrics
    assert metrics["num_problems"] == {"test": 1}
    assert (metrics["num_unused_files"], metrics["num_maps_without_scenario"]) == (0, 0)
    only = prepare(MazesConfig(source="local", local_path=str(tmp_path / "own" / "a.map")), "m", tmp_path / "one")
    assert only.metrics["num_problems"]["test"] == (10 if "below" in name else 1)


def test_a_scenario_of_several_maps_serves_each_with_its_problems(tmp_path: Path) -> None:
    put(tmp_path / "own", "x/a.map", MAP)
    put(tmp_path / "own", "x/b.map", MAP.replace(".@.", ".@@"))
    put(tmp_path / "own", "all.scen", scen("a.map", "b.map", "b.map", "c.map"))
    made(tmp_path)
    assert read_index(tmp_path / "mazes").groupby("name").size().to_dict() == {"x/a.map": 1, "x/b.map": 2}


def test_a_scenario_that_names_its_map_only_in_part_gives_that_part(tmp_path: Path) -> None:
    put(tmp_path / "own", "a.map", MAP)
    put(tmp_path / "own", "a.scen", scen("a.map", "elsewhere.map"))
    assert made(tmp_path).metrics["num_skipped"] == {"different map name": 1}


def test_every_file_that_is_not_used_is_named_with_its_reason(tmp_path: Path, caplog) -> None:
    put(tmp_path / "own", "a.map", MAP)
    put(tmp_path / "own", "broken.map", MAP.replace("...\n", "..\n"))
    for name in ("lost.scen", "empty.scen"):
        put(tmp_path / "own", name, scen(*["gone.map"] * (name == "lost.scen")))
    for name in ("b.map.gz", "notes.txt", "train.csv", ".hidden", "solo.MAP"):
        put(tmp_path / "own", name, MAP)
    metrics = made(tmp_path).metrics
    assert metrics["unused_files"] == [
        "b.map.gz: is packed; unpack it first",
        "empty.scen: names no map that is here (none)",
        "lost.scen: names no map that is here (gone.map)",
        "notes.txt: is of no kind that is read",
        "train.csv: is not read beside .map files; give it a folder",
        "broken.map: line 6 column 3: expected a row of 3 tiles, got 2",
    ]
    assert metrics["num_maps_without_scenario"] == 2
    assert len(files_not_used(tmp_path / "mazes")) == 6
    assert "6 files not used: " in caplog.text


def test_two_maps_of_the_name_are_told_apart_by_folder(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        put(tmp_path / "own", f"{folder}/a.map", MAP)
    put(tmp_path / "own", "s/one.scen", scen("maps/y/a.map"))
    put(tmp_path / "own", "s/other.scen", scen("a.map"))
    found = sources.find(tmp_path / "own")
    assert {file.name: len(file.scenarios) for file in found.files} == {"x/a.map": 0, "y/a.map": 1}
    assert found.unused == {"s/other.scen": "names a.map, and there are 2 maps of that name"}


def test_no_usable_problem_is_an_error_with_the_reasons(tmp_path: Path) -> None:
    put(tmp_path / "own", "a.map", MAP)
    put(tmp_path / "own", "a.map.scen", scen("a.map", "a.map", column=1))
    with pytest.raises(InputError, match=r"no problem can be used \(2 start or goal in a wall\); .*line 2 column 13"):
        made(tmp_path)
    assert not (tmp_path / "mazes").exists()


@pytest.mark.parametrize("val", ["val", "valid", "validation"])
def test_folders_of_splits_are_honoured(val: str, tmp_path: Path) -> None:
    for number, name in enumerate(("train/a", "train/deep/b", f"{val}/c", "test/d")):
        random_map(tmp_path / "own", f"{name}.map", number)
    random_map(tmp_path / "own", "stray.map", 9)
    metrics = made(tmp_path, problems_per_map=2).metrics
    assert metrics["num_maps"] == {"train": 2, "val": 1, "test": 1}
    assert metrics["unused_files"] == ["stray.map: is in none of the folders train, val and test"]
    assert made(tmp_path, local_split="test").metrics["num_maps"] == {"test": 4}


def test_a_missing_val_is_a_share_of_train_that_depends_on_the_seed_alone(tmp_path: Path) -> None:
    for number in range(20):
        random_map(tmp_path / "own", f"train/{number:02d}.map", number)
    random_map(tmp_path / "own", "test/same.map", 3, turns=5)  # a training map, turned
    first = made(tmp_path, val_share=0.2, problems_per_map=1)
    assert first.metrics["num_maps"] == {"train": 15, "val": 4, "test": 1}
    assert first.metrics["num_skipped"] == {"the map is in two splits": 1}
    names = set(read_index(tmp_path / "mazes", "val")["name"])
    made(tmp_path, val_share=0.2, problems_per_map=1, seed=1)
    assert set(read_index(tmp_path / "mazes", "val")["name"]) != names
    assert checks.disjoint(tmp_path / "mazes") == []
    assert "val" not in made(tmp_path, val_share=0.0, problems_per_map=1).metrics["num_maps"]


def maze_hard(folder: Path, name: str, seeds: range) -> None:
    """A table of 5x5 mazes: open rooms whose start is the upper left corner and whose goal differs."""
    lines = ["source,question,answer,rating"]
    for seed in seeds:
        question = ["S    ", "#### ", "     ", " ####", f"{'#' * (seed % 4)}{' ' * (4 - seed % 4)}G"]
        question[2] = "".join(" #"[(seed >> 2) >> k & 1] if k in (0, 1) else " " for k in range(5))
        question[3] = "   " + "#" * (seed % 2) + " " * (2 - seed % 2)
        cells = np.array([list(row) for row in question])
        answer = cells.copy()
        for place in ((0, 1), (0, 2), (0, 3), (0, 4), (1, 4), (2, 4), (3, 4)):
            answer[place] = "o"
        lines.append(f"own,{''.join(cells.ravel())},{''.join(answer.ravel())},1")
    put(folder, name, "\n".join([*lines, ""]))


def test_maze_hard_as_published_is_read_with_a_share_for_validation(tmp_path: Path) -> None:
    maze_hard(tmp_path / "own", "train.csv", range(10))
    maze_hard(tmp_path / "own", "test.csv", range(10, 14))
    manifest = made(tmp_path)
    assert manifest.source == "Maze-Hard from a local file"
    assert manifest.metrics["num_problems"] == {"train": 9, "val": 1, "test": 4}
    assert (manifest.metrics["num_compared"], manifest.metrics["num_disagreeing"]) == (14, 0)
    every = (checks.disjoint, checks.solvable, checks.labels_agree)
    assert [line for check in every for line in check(tmp_path / "mazes")] == []
    maze_hard(tmp_path / "own", "val.csv", range(14, 16))
    assert made(tmp_path).metrics["num_problems"] == {"train": 10, "val": 2, "test": 4}
    assert splits(tmp_path / "mazes") == ["train", "val", "test"]


def test_fields_with_their_default_leave_the_recipe_of_local_data_as_it_was(tmp_path: Path) -> None:
    put(tmp_path / "own", "a.map", MAP)
    recipe = recipe_of(MazesConfig(source="local", local_path=str(tmp_path / "own")))
    assert not {"val_share", "diagonal_cost", "corner_rule"} & set(recipe)
    changed = MazesConfig(source="local", local_path=str(tmp_path / "own"), val_share=0.2)
    assert recipe_of(changed)["val_share"] == 0.2


def test_many_problems_on_a_large_map_share_it(tmp_path: Path) -> None:
    free = np.random.default_rng(0).random((200, 200)) < 0.9
    (tmp_path / "own").mkdir()
    write_map(tmp_path / "own" / "a.map", free)
    cells = np.argwhere(free)[:: len(np.argwhere(free)) // 300][:300]
    lines = [f"0\ta.map\t200\t200\t{c}\t{r}\t{cells[0][1]}\t{cells[0][0]}\t1" for r, c in cells.tolist()]
    put(tmp_path / "own", "a.map.scen", "\n".join(["version 1", *lines, ""]))
    made(tmp_path, problems_per_map=300)
    assert (tmp_path / "mazes" / "cells.bits").stat().st_size == 200 * 200 // 8


@pytest.mark.parametrize(
    ("maps", "scenarios"),
    [("{}-map", "{}-scen"), ("map/{}", "scen-even/{}"), ("maps/{}", "scens/{}"), ("{}", "scen/{}")],
)
def test_maps_of_one_name_take_the_scenarios_of_the_folder_that_goes_with_theirs(
    maps: str, scenarios: str, tmp_path: Path
) -> None:
    for game in ("bg", "dao"):
        put(tmp_path / "own", f"{maps.format(game)}/a.map", MAP)
        put(tmp_path / "own", f"{scenarios.format(game)}/a.map.scen", scen("a.map"))
    found = sources.find(tmp_path / "own")
    owned = {file.name: [file.name_of(path) for path, _ in file.scenarios] for file in found.files}
    assert owned == {f"{maps.format(g)}/a.map": [f"{scenarios.format(g)}/a.map.scen"] for g in ("bg", "dao")}
    assert not found.unused


@pytest.mark.parametrize("name", ["train.csv.gz", "maps.zip"])
def test_packed_files_are_to_be_unpacked(name: str, tmp_path: Path) -> None:
    put(tmp_path, name, "")
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(InputError, match="packed; unpack it first"):
            sources.find(path)


@pytest.mark.parametrize("names", [("train-00000-of-00001", "test-00000-of-00001"), ("train_0", "Test")])
def test_tables_of_a_split_in_several_files_keep_their_split(names: tuple[str, str], tmp_path: Path) -> None:
    maze_hard(tmp_path / "own", f"{names[0]}.csv", range(10))
    maze_hard(tmp_path / "own", f"{names[1]}.csv", range(10, 14))
    assert made(tmp_path).metrics["num_problems"] == {"train": 9, "val": 1, "test": 4}


def test_a_table_that_is_a_split_is_not_left_out(tmp_path: Path) -> None:
    maze_hard(tmp_path / "own", "test.csv", range(10))
    put(tmp_path / "own", "train.csv", "question,answer\n    ,    \n")
    with pytest.raises(InputError, match=r"train\.csv: line 2 column 1: expected one start"):
        made(tmp_path)
