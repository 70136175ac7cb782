"""The navigator that counts: exact values of exact moves, equal results of both ways of computing, and when it ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nsmodels.datasets.mazes.actions import DiagonalRule
from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.drawing.problems import draw
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.prepare import prepare
from nsmodels.datasets.mazes.solving.labels import action_sets, label
from nsmodels.systems.nav.config import ModelConfig, debug
from nsmodels.systems.nav.network.construction import load_navigator, make_navigator
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.values import FAR, ValueNavigator
from nsmodels.systems.nav.phases import make_trial
from nsmodels.systems.nav.planning.plan import plan
from nsmodels.systems.nav.planning.rollout import roll_out

pytestmark = pytest.mark.usefixtures("one_thread")

RULES = [(4, 1, DiagonalRule()), (8, 1, DiagonalRule()), (8, 9, DiagonalRule()), (8, 9, DiagonalRule("unit", "cut"))]


def drawn(connectivity: int, largest: int, diagonals: DiagonalRule, num: int = 40, side: int = 13) -> Maps:
    config = MazesConfig(
        connectivity=connectivity,
        max_cell_cost=largest,
        diagonal_cost=diagonals.cost,
        corner_rule=diagonals.corners,
    )
    return draw(config, num, side, side, np.random.default_rng(3))[0]


def random_navigator(connectivity: int = 4, diagonals: DiagonalRule | None = None) -> ValueNavigator:
    """Random costs, and about a fifth of the kinds of moves closed."""
    torch.manual_seed(5)
    navigator = ValueNavigator(ModelConfig(core="value", dim=8, connectivity=connectivity)).eval()
    with torch.no_grad():
        for weight in navigator.moves.parameters():
            weight.normal_(std=0.4)
        navigator.moves.out.bias[0] = 1.0
    navigator.diagonals = diagonals or DiagonalRule()
    return navigator


def exact_navigator(connectivity: int, diagonals: DiagonalRule) -> ValueNavigator:
    """A navigator whose moves are those of the rule: cost 2 ** (log2 of the cell + a half per √2 diagonal)."""
    navigator = ValueNavigator(ModelConfig(core="value", dim=4, connectivity=connectivity)).eval()
    with torch.no_grad():
        for weight in navigator.moves.parameters():
            weight.zero_()
        navigator.moves.out.bias[0] = 9.0
        navigator.moves.linear.weight[1, 3] = 1.0
        navigator.moves.linear.weight[1, 2] = 0.0 if diagonals.is_unit else 0.5
        if not diagonals.is_cut:  # a hidden unit of 1 where a diagonal has a wall beside it: diagonal − beside
            navigator.moves.hidden.weight[0, 1:3] = torch.tensor([-1.0, 1.0])
            navigator.moves.out.weight[0, 0] = -100.0
        navigator.sharpness.fill_(5.0)
        navigator.certainty.fill_(4.0)
    navigator.diagonals = diagonals
    return navigator


@pytest.mark.parametrize(("connectivity", "largest", "diagonals"), RULES)
def test_exact_moves_give_the_exact_cost_and_only_optimal_actions(
    connectivity: int, largest: int, diagonals: DiagonalRule
) -> None:
    maps = drawn(connectivity, largest, diagonals)
    labels = label(maps)
    policy = exact_navigator(connectivity, diagonals).policy(maps)
    can_reach = np.isfinite(labels.cost_to_go)
    np.testing.assert_allclose(policy.cost_to_go[can_reach], labels.cost_to_go[can_reach], rtol=2e-5)
    assert (policy.cost_to_go[~can_reach] > FAR / 2).all()
    assert ((policy.reachable >= 0.5) == can_reach)[maps.free].all()
    chosen = np.take_along_axis(action_sets(labels.optimal, connectivity), policy.actions[:, None].astype(int), 1)[:, 0]
    assert chosen[labels.optimal != 0].all()
    assert policy.is_final.all()


@pytest.mark.parametrize(("connectivity", "largest", "diagonals"), RULES)
@pytest.mark.parametrize("steps", [4, 12, 400])
def test_visiting_the_frontier_alone_changes_no_value(
    connectivity: int, largest: int, diagonals: DiagonalRule, steps: int
) -> None:
    navigator, maps = random_navigator(connectivity, diagonals), drawn(connectivity, largest, diagonals)
    compiled = navigator.policy(maps, steps)
    in_tensors = Navigator._policy_until_final(navigator, maps, steps // navigator.steps_per_segment)
    for name in ("cost_to_go", "steps", "is_final", "actions"):
        np.testing.assert_array_equal(getattr(compiled, name), getattr(in_tensors, name), err_msg=name)
    for name in ("probabilities", "reachable", "halting"):
        np.testing.assert_allclose(getattr(compiled, name), getattr(in_tensors, name), atol=1e-5, err_msg=name)
    assert compiled.is_final.all() == (steps == 400)


def test_a_final_policy_is_not_changed_by_more_steps() -> None:
    navigator, maps = random_navigator(8), drawn(8, 5, DiagonalRule())
    final = navigator.policy(maps)
    ((_, longer),) = navigator.policies_by_step(maps, [4 * int(final.steps.max())])
    np.testing.assert_array_equal(final.cost_to_go, longer.cost_to_go)
    np.testing.assert_array_equal(final.probabilities, longer.probabilities)


def test_turning_a_map_turns_its_policy() -> None:
    navigator, maps = random_navigator(4), drawn(4, 1, DiagonalRule())
    side = maps.shape[0]
    turned = Maps(
        np.rot90(maps.free, axes=(1, 2)).copy(), maps.start, np.stack([side - 1 - maps.goal[:, 1], maps.goal[:, 0]], 1)
    )
    one, other = navigator.policy(maps), navigator.policy(turned)
    np.testing.assert_array_equal(np.rot90(one.cost_to_go, axes=(1, 2)), other.cost_to_go)


def corridor(length: int) -> np.ndarray:
    free = np.zeros((9, length), bool)
    free[:, :9], free[:, -4:], free[8] = True, True, True
    return free


def test_a_plan_is_undecided_until_enough_steps_have_been_taken() -> None:
    navigator = exact_navigator(4, DiagonalRule())
    free = corridor(60)
    early = plan(navigator, free, (8, 59), (0, 0), max_steps=40)
    assert (early.is_found, early.is_reachable, early.is_final) == (False, True, False)
    assert early.why == "undecided: no path after 40 recursion steps, and more may find one"
    late = plan(navigator, free, (8, 59), (0, 0), max_steps=80)
    assert late.is_found
    assert len(late.actions) == 67
    free[8, 30] = False
    assert plan(navigator, free, (8, 59), (0, 0)).why == "unreachable (certain: exact search found no path)"


def test_the_latent_recursion_goes_on_while_its_frontier_changes() -> None:
    torch.manual_seed(0)
    navigator = make_navigator(ModelConfig(core="conv", dim=16, group_width=16, num_segments=2)).eval()
    maps = Maps(corridor(30)[None], np.int16([[8, 29]]), np.int16([[0, 0]]))
    recursion = navigator.recursion(maps)
    recursion.advance()
    recursion.held.readout.reach[:] = -1.0  # type: ignore[attr-defined]
    earlier = recursion.state  # type: ignore[attr-defined]
    assert not recursion._is_creeping(earlier).any()  # type: ignore[attr-defined]
    earlier.y[0, :, 0, 1] += 0.1  # beside the goal, which always believes
    assert recursion._is_creeping(type(earlier)(earlier.y.clone() - 0.1, earlier.z)).all()  # type: ignore[attr-defined]


def serpentine(side: int) -> Maps:
    free = np.ones((side, side), bool)
    free[1::2] = False
    free[1::4, -1] = free[3::4, 0] = True
    return Maps(free[None], np.int16([[0, 0]]), np.int16([[side - 1, side - 1 if side % 4 == 1 else 0]]))


def test_what_is_learnt_on_small_maps_holds_on_long_ways(tmp_path: Path) -> None:
    data = tmp_path / "mazes"
    values = {"num_train": 600, "num_val": 20, "num_test": 20, "num_transfer": 0, "sides": [6]}
    prepare(MazesConfig(**values, connectivity=8, max_cell_cost=4), "mazes", data)  # type: ignore[arg-type]
    training = {"training.device": "cpu", "training.epochs": 5, "training.lr": 3e-2, "training.batch_size": 32}
    config = debug().with_values({**training, "objective.cost_weight": 1.0, "baselines.is_enabled": False})
    make_trial("navigator", config, data).fit(tmp_path / "model" / "navigator")
    navigator = load_navigator(tmp_path / "model", "cpu")
    maps = drawn(8, 4, DiagonalRule(), num=20, side=40)
    policy, labels = navigator.policy(maps), label(maps)
    rollout = roll_out(policy.actions, maps)
    best = labels.cost_to_go[np.arange(20), *maps.start.T]
    assert rollout.success.all()
    assert (best / rollout.cost).mean() > 0.95
    long = serpentine(33)
    assert roll_out(navigator.policy(Maps(long.free, long.start, long.goal, None, 8)).actions, long).success.all()
