"""The recursive network: locality, borders, cores, halting, the surest answer kept."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import label
from nsmodels.systems.nav.config import ModelConfig
from nsmodels.systems.nav.network.construction import make_navigator
from nsmodels.systems.nav.network.encoding import MapBatch, encode
from nsmodels.systems.nav.network.latents import update_held
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.readout import Policy, Readout
from nsmodels.systems.nav.planning.rollout import roll_out

pytestmark = pytest.mark.usefixtures("one_thread")

CORES = ("conv", "attention", "mixer")


def random_maps(num: int, height: int, width: int, seed: int = 0, density: float = 0.2) -> Maps:
    random = np.random.default_rng(seed)
    free = random.random((num, height, width)) >= density
    free[:, 0, 0] = free[:, -1, -1] = True
    start, goal = np.zeros((num, 2), np.int16), np.tile(np.int16([height - 1, width - 1]), (num, 1))
    return Maps(free, start, goal)


def network(core: str = "conv", **fields) -> Navigator:
    torch.manual_seed(0)
    model = make_navigator(
        ModelConfig(**{"core": core, "dim": 16, "group_width": 16, "num_segments": 2, **fields})
    ).eval()
    torch.nn.init.normal_(model.read.weight)  # the initial readout is 0 in every cell
    return model


@torch.inference_mode()
def logits(model: Navigator, maps: Maps, segments: int = 2) -> torch.Tensor:
    return model(encode(maps), segments).actions


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("connectivity", [4, 8])
def test_every_core_answers_for_all_cells(core: str, connectivity: int) -> None:
    model, maps = network(core, connectivity=connectivity), random_maps(3, 8, 8)
    policy = model.policy(Maps(maps.free, maps.start, maps.goal, None, connectivity))
    assert policy.probabilities.shape == (3, connectivity, 8, 8)
    assert ((policy.probabilities >= 0) & (policy.probabilities <= 1)).all()
    assert policy.steps.max() <= model.default_steps(8, 8) + model.steps_per_segment


@pytest.mark.parametrize("core", CORES)
def test_gradients_reach_every_weight(core: str) -> None:
    model = network(core)
    answer = model.train()(encode(random_maps(2, 8, 8)))
    sum(part.square().sum() for part in answer).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_a_border_is_a_wall() -> None:
    model, maps = network(), random_maps(5, 7, 9)
    walled = np.pad(maps.free, ((0, 0), (3, 2), (4, 1)))
    wider = Maps(walled, maps.start + np.int16([3, 4]), maps.goal + np.int16([3, 4]))
    inner = logits(model, wider)[:, :, 3:10, 4:13]
    free = torch.from_numpy(maps.free)[:, None]
    torch.testing.assert_close(inner * free, logits(model, maps) * free, atol=1e-4, rtol=1e-4)


def test_word_travels_no_faster_than_the_core_reaches() -> None:
    model, far = network(num_inner=1, depth=1), 40
    free = np.ones((1, 3, far), np.bool_)
    maps = [Maps(free, np.int16([[0, 0]]), np.int16([[1, column]])) for column in (far - 1, far - 2)]
    one, other = (logits(model, lot, 2) for lot in maps)
    differs = (one != other).any(1)[0].any(0).nonzero()
    carried = 2 * model.steps_per_segment * model.core.reach
    assert far - 2 - carried - 1 <= differs.min() < far - 2


def test_the_mixer_takes_one_size_and_the_others_take_any() -> None:
    for core in ("conv", "attention"):
        assert logits(network(core), random_maps(2, 5, 11)).shape == (2, 4, 5, 11)
    with pytest.raises(InputError, match=r"core=mixer takes maps of 8x8 only, got 5x11; train with core=conv"):
        logits(network("mixer"), random_maps(2, 5, 11))


def test_maps_of_another_connectivity_are_refused() -> None:
    maps = random_maps(1, 8, 8)
    with pytest.raises(InputError, match="8-connected, but the checkpoint has 4 actions"):
        network().policy(Maps(maps.free, maps.start, maps.goal, None, 8))


@pytest.mark.parametrize("fields", [{"dim": 20}, {"core": "attention", "dim": 20}])
def test_widths_that_do_not_divide_are_refused(fields: dict) -> None:
    with pytest.raises(InputError, match=r"model\.(group_width|num_heads): expected"):
        network(**fields)


def test_more_steps_never_take_a_sure_answer_back() -> None:
    model, maps = network(), random_maps(8, 8, 8)
    sureness = [policy.confidence for _, policy in model.policies_by_step(maps, [4, 8, 16, 64])]
    for before, after in itertools.pairwise(sureness):
        assert (after >= before).all()


def test_a_cell_may_change_its_mind_only_while_its_window_is_open() -> None:
    def readout(sureness: float, reach: float) -> Readout:
        cell = torch.full((1, 1, 1), reach)
        return Readout(torch.full((1, 4, 1, 1), sureness), cell, cell, torch.zeros(1))

    held = None
    for answer in (readout(-9, -1), readout(1, 1), readout(2, 1), readout(3, 1), readout(4, 1)):
        held = update_held(held, answer, window=2)
    assert held is not None
    assert held.readout.actions.unique().tolist() == [2]  # signal at the second readout, a window of two
    assert update_held(held, readout(5, 1), window=0).readout.actions.unique().tolist() == [5]
    assert update_held(update_held(None, readout(2, 1), 2), readout(1, 1), 2).readout.actions.unique().tolist() == [2]


def test_halting_gives_each_map_its_own_policy() -> None:
    model, maps = network(), random_maps(40, 8, 8)
    together = model.policy(maps, 64)
    for row in range(0, 40, 7):
        alone = model.policy(maps[row : row + 1], 64)
        assert np.array_equal(alone.actions[0], together.actions[row])
        assert alone.steps[0] == together.steps[row]


def test_the_perfect_policy_walks_shortest_paths() -> None:
    maps = random_maps(50, 9, 9, density=0.3)
    labels = label(maps)
    policy = Policy.from_labels(labels, maps)
    length = labels.cost_to_go[:, 0, 0]
    rollout = roll_out(policy.actions, maps)
    assert np.array_equal(rollout.success, np.isfinite(length))
    assert np.array_equal(rollout.cost[rollout.success], length[rollout.success])


def test_costs_are_seen_and_walls_are_not() -> None:
    maps = random_maps(2, 6, 6)
    cost = np.full(maps.free.shape, 9, np.uint8)
    shown = encode(Maps(maps.free, maps.start, maps.goal, cost))
    assert not shown[:, :, ~maps.free[0]][0].any()
    assert (shown[:, 2][torch.from_numpy(maps.free)] > 0).all()
    batch = MapBatch.of(maps, label(maps))
    assert torch.equal(batch.free, torch.from_numpy(maps.free))
