"""Planning sets of Neural A*, laid out as they are published, solved by a search of the test's own."""

from __future__ import annotations

import zipfile
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes import checks
from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.files import neural_astar
from nsmodels.datasets.mazes.files.format import read_index
from nsmodels.datasets.mazes.prepare import prepare

# In the order of the published files: (rows, columns) of their actions.
MOVES = ((-1, 0), (0, 1), (0, -1), (1, 0), (-1, 1), (-1, -1), (1, 1), (1, -1))
SIDE = 7


def solved(free: np.ndarray, goal: tuple[int, int], num_moves: int) -> tuple[np.ndarray, np.ndarray]:
    """Negated distances (h, w) and one-hot policies (a, h, w), breadth first: every move costs 1, corners are cut."""
    far = SIDE * SIDE
    distance, policy = np.full(free.shape, float(far)), np.zeros((num_moves, *free.shape))
    distance[goal], queue = 0, deque([goal])
    while queue:
        row, column = queue.popleft()
        for rows, columns in MOVES[:num_moves]:
            r, c = row - rows, column - columns
            if 0 <= r < SIDE and 0 <= c < SIDE and free[r, c] and distance[r, c] == far:
                distance[r, c] = distance[row, column] + 1
                queue.append((r, c))
    for row, column in np.argwhere(free).tolist():
        for action, (rows, columns) in enumerate(MOVES[:num_moves]):
            r, c = row + rows, column + columns
            if 0 <= r < SIDE and 0 <= c < SIDE and free[r, c] and distance[r, c] == distance[row, column] - 1:
                policy[action, row, column] = 1
                break
    return -distance, policy


def arrays(num_moves: int = 8, numbers: tuple[int, int, int] = (12, 4, 5), seed: int = 0) -> list[np.ndarray]:
    rng, found = np.random.default_rng(seed), []
    for number in numbers:
        free = rng.random((number, SIDE, SIDE)) < 0.7
        goal = np.stack([rng.choice(np.argwhere(cells)) for cells in free]) if number else np.zeros((0, 2), int)
        goals = np.zeros((number, 1, SIDE, SIDE))
        goals[np.arange(number), 0, goal[:, 0], goal[:, 1]] = 1
        pairs = [solved(cells, tuple(place), num_moves) for cells, place in zip(free, goal.tolist(), strict=True)]
        found += [
            free.astype(float),
            goals,
            np.array([policy for _, policy in pairs]).reshape(number, num_moves, 1, SIDE, SIDE),
            np.array([distance for distance, _ in pairs]).reshape(number, 1, SIDE, SIDE),
        ]
    return found


@pytest.fixture
def moore(tmp_path: Path) -> Path:
    np.savez_compressed(tmp_path / "moore.npz", *arrays())
    return tmp_path / "moore.npz"


NEURAL = {"connectivity": 8, "diagonal_cost": "unit", "corner_rule": "cut"}


def test_a_set_is_read_with_its_splits_and_its_distances_agree(moore: Path, tmp_path: Path) -> None:
    config = MazesConfig(source="local", local_path=str(moore), **NEURAL)
    manifest = prepare(config, "mazes", tmp_path / "mazes")
    metrics = manifest.metrics
    assert manifest.source == "planning sets of Neural A* from a local file"
    total = sum(metrics["num_problems"].values()) + sum(metrics["num_skipped"].values())
    assert total == 21
    assert metrics["num_problems"]["train"] > 8
    assert metrics["num_compared"] == sum(metrics["num_problems"].values())
    assert metrics["num_disagreeing"] == 0
    every = (checks.disjoint, checks.solvable, checks.labels_agree)
    assert [line for check in every for line in check(tmp_path / "mazes")] == []
    assert set(read_index(tmp_path / "mazes")["diagonal_cost"]) == {"unit"}


def test_under_other_moves_nothing_is_compared_and_a_line_reports_it(moore: Path, tmp_path: Path, caplog) -> None:
    manifest = prepare(MazesConfig(source="local", local_path=str(moore)), "mazes", tmp_path / "mazes")
    assert (manifest.metrics["num_compared"], manifest.metrics["num_disagreeing"]) == (0, 0)
    assert "diagonals of cost 1 that may cut corners, these data 4-connected: they are not compared" in caplog.text


def test_sets_of_four_moves_and_folders_of_sets(moore: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    for seed in range(2):
        np.savez(tmp_path / "own" / f"{seed}.npz", *arrays(4, (3, 0, 2), seed))
    manifest = prepare(MazesConfig(source="local", local_path=str(tmp_path / "own")), "mazes", tmp_path / "mazes")
    assert manifest.metrics["num_disagreeing"] == 0
    assert manifest.metrics["num_compared"] == sum(manifest.metrics["num_problems"].values())
    assert set(read_index(tmp_path / "mazes")["name"]) == {"0.npz", "1.npz"}


def test_verify_compares_every_cell(moore: Path, tmp_path: Path, capsys) -> None:
    assert main(["mazes", "verify", "--npz", str(moore)]) == 0
    assert "train: 12 maps, 12 agree in every cell" in capsys.readouterr().out
    wrong = arrays()
    wrong[3][2, 0][wrong[3][2, 0] > -SIDE * SIDE] -= 1
    wrong[9][0] = 0
    np.savez(tmp_path / "wrong.npz", *wrong)
    assert main(["mazes", "verify", "--npz", str(tmp_path / "wrong.npz")]) == 1
    printed = capsys.readouterr().out
    assert "train: 12 maps, 11 agree in every cell" in printed
    assert "test map 0: expected one goal, got 0" in printed


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda a: a[:11], "no array arr_11; expected the 12 arrays"),
        (lambda a: [a[0], a[1][:, 0], *a[2:]], r"arr_1, the goals of train: expected shape \(12, 1, 7, 7\)"),
        (lambda a: [a[1], a[0], *a[2:]], "arr_0, the maps of train: expected 3 dimensions"),
        (lambda a: [*a[:2], np.repeat(a[2], 4, 2), *a[3:]], r"arr_2, the policies of train: expected shape"),
        (lambda a: [*a[:2], a[2][:, :3], *a[3:]], "arr_2: 3 actions; sets of 4 and of 8 moves are read"),
        (lambda a: [a[0].astype(complex), *a[1:]], "array arr_0 contains complex128, not numbers"),
        (lambda a: [np.array([{}], object), *a[1:]], "array arr_0 contains object, not numbers"),
    ],
)
def test_what_is_no_such_set_is_one_line(change, expected: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", *change(arrays()))
    with pytest.raises(InputError, match=expected):
        list(neural_astar.read(tmp_path / "a.npz"))


def test_damaged_doubled_and_lying_files_are_one_line(moore: Path, tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("nothing")
    with pytest.raises(InputError, match=r"not an \.npz file"):
        list(neural_astar.read(tmp_path / "text.npz"))
    cut = bytearray(moore.read_bytes())
    cut[200:260] = bytes(60)
    (tmp_path / "cut.npz").write_bytes(cut)
    with pytest.raises(InputError, match="cannot be read"):
        list(neural_astar.read(tmp_path / "cut.npz"))
    head = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (9999999, 999, 999), }".ljust(117)
        + b"\n"
    )
    with zipfile.ZipFile(moore) as archive:
        rest = {name: archive.read(name) for name in archive.namelist()}
    for name, members in {"large": [*(rest | {"arr_0.npy": head}).items()], "twice": [*rest.items()] * 2}.items():
        with zipfile.ZipFile(tmp_path / f"{name}.npz", "w") as archive:
            for member, content in members:
                if name == "twice" and member in archive.namelist():
                    with pytest.warns(UserWarning, match="Duplicate name"):
                        archive.writestr(member, content)
                else:
                    archive.writestr(member, content)
    with pytest.raises(InputError, match=r"array arr_0 of shape \(9999999, 999, 999\) needs"):
        list(neural_astar.read(tmp_path / "large.npz"))
    with pytest.raises(InputError, match=r"two members are called arr_0\.npy"):
        list(neural_astar.read(tmp_path / "twice.npz"))


def test_a_split_of_bad_maps_alone_is_left_out(tmp_path: Path) -> None:
    walls = arrays()
    walls[0] = np.zeros_like(walls[0])
    np.savez(tmp_path / "walls.npz", *walls)
    train, val, _ = neural_astar.read(tmp_path / "walls.npz")
    assert (len(train.maps), len(train.faults), len(val.maps)) == (0, 12, 4)
    assert train.faults[0].endswith("train map 0: the goal is in a wall")
