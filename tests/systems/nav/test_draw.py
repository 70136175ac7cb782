"""Paths, policies and the recursion as text and pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, label
from nsmodels.systems.nav.network.readout import Policy
from nsmodels.systems.nav.pictures import drawing
from nsmodels.systems.nav.planning.plan import plans_from, problem

pytestmark = pytest.mark.usefixtures("one_thread")

FREE = np.array([[c == "." for c in row] for row in ("....", ".##.", "....")])


@pytest.fixture
def maps() -> Maps:
    return problem(FREE, (0, 0), (2, 3))


@pytest.fixture
def labels(maps: Maps) -> Labels:
    return label(maps)


@pytest.fixture
def policy(maps: Maps, labels: Labels) -> Policy:
    return Policy.from_labels(labels, maps)


def test_a_path_as_text(maps: Maps, policy: Policy) -> None:
    (plan,) = plans_from(policy, maps)
    assert drawing.as_text(maps, 0, plan) == "S→→↓\n.##↓\n...G"
    assert drawing.as_text(maps, 0) == "S...\n.##.\n...G"


def test_a_failed_walk_as_text(maps: Maps, policy: Policy) -> None:
    actions = policy.actions.copy()
    actions[0, 0, 2] = 3
    (plan,) = plans_from(replace(policy, actions=actions), maps)
    assert plan.why == "loop at (0, 1)"
    assert drawing.as_text(maps, 0, plan) == "S→←.\n.##.\n...G"


@pytest.mark.parametrize("suffix", drawing.SUFFIXES)
@pytest.mark.parametrize("is_found", [True, False])
def test_pictures_of_a_path(suffix: str, is_found: bool, maps: Maps, policy: Policy, tmp_path: Path) -> None:
    actions = policy.actions if is_found else np.zeros_like(policy.actions)
    (plan,) = plans_from(replace(policy, actions=actions), maps)
    path = tmp_path / "deep" / f"plan{suffix}"
    drawing.draw_plan(plan, maps, 0, path, best=np.array([(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (2, 3)]))
    head = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert path.read_bytes().startswith(head)
    if suffix == ".png":
        assert has_colour(path, drawing.MODEL) == is_found
        assert has_colour(path, drawing.FAILED) != is_found
    if suffix == ".svg":
        assert ("<!-- it ends here -->" in path.read_text() or "no path was tried" in path.read_text()) != is_found
        assert all(f"<!-- {word} -->" in path.read_text() for word in ("row", "column", "3"))


def test_a_picture_shows_the_path_that_a_fallback_replaced(maps: Maps, policy: Policy, tmp_path: Path) -> None:
    actions = policy.actions.copy()
    actions[0, 0, 2] = 3
    (plan,) = plans_from(replace(policy, actions=actions), maps, fallback=True)
    drawing.draw_plan(plan, maps, 0, tmp_path / "plan.png")
    assert plan.source == "astar"
    assert all(has_colour(tmp_path / "plan.png", colour) for colour in (drawing.EXACT, drawing.FAILED))


def test_other_files_are_refused(maps: Maps, policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"plan\.jpg: cannot draw to this kind of file; name it \.png, \.svg or \.pdf"):
        drawing.draw_plan(plans_from(policy, maps)[0], maps, 0, tmp_path / "plan.jpg")
    with pytest.raises(InputError, match="cannot draw"):
        drawing.draw_policy(policy, maps, 0, tmp_path / "policy")


def test_verdicts_on_cells(maps: Maps, policy: Policy, labels: Labels) -> None:
    actions, reachable = policy.actions.copy(), policy.reachable.copy()
    actions[0, 2, 1] = 0  # into a wall
    reachable[0, 0, 1] = 0.1
    right, wrong, undecided = drawing.classify_cells(
        replace(policy, actions=actions, reachable=reachable), maps, 0, labels
    )
    assert np.argwhere(wrong).tolist() == [[2, 1]]
    assert np.argwhere(undecided).tolist() == [[0, 1]]
    assert right.sum() == FREE.sum() - 3  # these two and the goal
    assert drawing.describe(policy, maps, 0, labels) == "100.0 % of 9 cells right"


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).reshape(-1, 3)


def has_colour(path: Path, colour: str) -> bool:
    wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return bool((abs(pixels(path).astype(int) - wanted).max(1) <= 2).any())


def test_wrong_cells_of_a_policy_stand_out(maps: Maps, policy: Policy, labels: Labels, tmp_path: Path) -> None:
    path = tmp_path / "policy.png"
    drawing.draw_policy(policy, maps, 0, path, labels)
    assert not has_colour(path, drawing.WRONG)
    drawing.draw_policy(replace(policy, actions=np.zeros_like(policy.actions)), maps, 0, path, labels)
    assert has_colour(path, drawing.WRONG)


def test_the_recursion_moves(maps: Maps, policy: Policy, labels: Labels, tmp_path: Path) -> None:
    near = policy.reachable * (labels.cost_to_go <= 2)
    steps = [(4, replace(policy, reachable=near)), (8, policy)]
    figure = drawing.draw_recursion(steps, maps, 0, labels)
    assert [axis.get_title() for axis in figure.axes] == [
        "4 steps\n44.4 % of 9 cells right",
        "8 steps\n100.0 % of 9 cells right",
    ]
    drawing.animate(steps, maps, 0, labels, tmp_path / "recursion.gif", "four cells by three")
    with Image.open(tmp_path / "recursion.gif") as image:
        assert image.n_frames == 2
    assert [file.name for file in tmp_path.iterdir()] == ["recursion.gif"]


def test_a_large_weighted_map_shows_some_of_its_arrows(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    free = rng.random((90, 140)) > 0.2
    free[0, 0] = free[89, 139] = True
    cost = rng.integers(1, 9, free.shape)
    maps = problem(free, (0, 0), (89, 139), cost, connectivity=8)
    policy = Policy.from_labels(label(maps), maps)
    drawing.draw_policy(policy, maps, 0, tmp_path / "policy.png")
    drawing.draw_plan(plans_from(policy, maps)[0], maps, 0, tmp_path / "plan.png")
    assert has_colour(tmp_path / "plan.png", drawing.MODEL)
