"""The navigators in the package: complete, exact on maps of all kinds, the default of `nsmodels nav plan`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.drawing.blocking import block
from nsmodels.datasets.mazes.drawing.problems import draw
from nsmodels.datasets.mazes.files.movingai import write_map
from nsmodels.datasets.mazes.grids import concatenate
from nsmodels.datasets.mazes.solving.components import can_reach
from nsmodels.datasets.mazes.solving.labels import label
from nsmodels.systems.nav.config import ModelConfig
from nsmodels.systems.nav.evaluation.expansions import expansions
from nsmodels.systems.nav.evaluation.scorer import FACTS, Problems
from nsmodels.systems.nav.network.construction import make_navigator
from nsmodels.systems.nav.network.shipped import FOLDER, load_shipped, origin
from nsmodels.systems.nav.planning.rollout import roll_out

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("largest", [1, 9])
def test_it_plans_on_maps_of_every_kind_and_denies_no_path(connectivity: int, largest: int) -> None:
    navigator, rng = load_shipped(connectivity, "cpu"), np.random.default_rng(11)
    config = MazesConfig(connectivity=connectivity, max_cell_cost=largest)  # type: ignore[arg-type]
    maps, _ = draw(config, 60, 40, 33, rng)
    maps = concatenate([block(maps[:20], rng)[0], maps[20:]])
    policy, has_path = navigator.policy(maps), can_reach(maps)
    believes = policy.reachable[np.arange(60), *maps.start.T] >= 0.5
    assert np.array_equal(believes, has_path)
    assert policy.is_final.all()
    rollout = roll_out(policy.actions, maps)
    assert np.array_equal(rollout.success, has_path)
    best = label(maps).cost_to_go[np.arange(60), *maps.start.T][has_path]
    assert (best / rollout.cost[has_path]).mean() > 0.999


def test_its_origin_is_known_and_its_card_gives_it() -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for connectivity in (4, 8):
        come_from = origin(connectivity)
        assert come_from["data"] == "synthetic mazes"
        assert come_from["commit"][:12] in card
        assert load_shipped(connectivity, "cpu").largest_cost == 9
    with pytest.raises(InputError, match="connectivity 6: navigators of 4 and of 8 moves are shipped"):
        load_shipped(6)


def test_plans_need_no_training(tmp_path: Path, capsys) -> None:
    rows = [[True] * 12 + [False] * 28] * 8 + [[True] * 12 + [False] * 24 + [True] * 4] * 3 + [[True] * 40]
    write_map(tmp_path / "room.map", np.array(rows))
    command = [
        "nav",
        "plan",
        "--map",
        str(tmp_path / "room.map"),
        "--start",
        "11,39",
        "--goal",
        "0,0",
        "--device",
        "cpu",
    ]
    assert main(command) == 0
    assert "50 moves, cost 50;" in capsys.readouterr().out
    assert main([*command, "--connectivity", "8"]) == 0
    assert main([*command, "--steps", "8"]) == 1
    assert "undecided: no path after 8 recursion steps" in capsys.readouterr().out


def test_a_star_expands_fewer_cells_by_the_learnt_cost_and_pays_no_more() -> None:
    navigator = load_shipped(8, "cpu")
    maps, _ = draw(MazesConfig(connectivity=8, max_cell_cost=5), 10, 24, 24, np.random.default_rng(2))
    facts = {name: np.full(10, "24x24") for name in FACTS}
    found = expansions(navigator, [Problems(maps, facts)])["24x24"]
    assert found["n"] == 10
    assert found["network"] < found["astar"] / 2
    assert found["saved"] > 0.5
    assert found["worst_cost"] < 1.02


def test_what_training_did_not_contain_is_a_caution() -> None:
    navigator = load_shipped(4, "cpu")
    maps, _ = draw(MazesConfig(max_cell_cost=50), 2, 30, 30, np.random.default_rng(0))
    assert navigator.cautions(maps) == [
        f"cells cost up to {maps.cost[maps.free].max()}, but up to 9 in the training data"
    ]
    latent = make_navigator(ModelConfig(core="conv", dim=16))
    latent.largest_side, latent.largest_cost = 8, 50
    (line,) = latent.cautions(maps)
    assert line.startswith("maps of 30x30, but sides of up to 8 in the training data")
