"""The ablations of the navigator: what every variant has less of, measured; two splits in one table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from nsmodels.__main__ import main
from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.files.format import read_split
from nsmodels.engine.task import Shard
from nsmodels.studies.trials import Arm
from nsmodels.studies.variant import FULL, PARAMETERS
from nsmodels.systems.nav import figures
from nsmodels.systems.nav.config import NavConfig
from nsmodels.systems.nav.network.construction import make_navigator
from nsmodels.systems.nav.phases import make_trial
from nsmodels.systems.nav.studies import ablations
from nsmodels.systems.nav.studies.ablations import FAR, SIDE
from nsmodels.systems.nav.studies.variants import (
    BURNT,
    COUNTING,
    LATENT,
    MAPS,
    SEGMENTS,
    STEPS,
    TERMS,
    VIEWS,
    WAITS,
    AblationConfig,
    MapsConfig,
    debug,
)
from nsmodels.systems.nav.training.task import NavigationTask
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")
EPOCHS = 40  # in which each of the eight orientations is drawn, but for one chance in two hundred
SMALL = {"training.epochs": 2, "training.batch_size": 16, "training.device": "cpu"}
WHOLE = debug().with_values(
    {
        "variants": list(COUNTING),
        "latent_variants": list(LATENT),
        "model": SMALL,
        "latent": {**SMALL, "model": {"num_segments": 4, "num_inner": 3, "depth": 2}},
    }
)


@pytest.fixture(scope="module")
def data(shared: Shared) -> Path:
    return shared.data("mazes")


@pytest.fixture(scope="module")
def arms(data: Path) -> list[Arm]:
    return list(ablations.arms_of(WHOLE, "mazes", data))


def task_of(config: NavConfig, data: Path) -> NavigationTask:
    task = make_trial("navigator", config, data).task
    assert isinstance(task, NavigationTask)
    return task


def measured(quantity: str, config: NavConfig, how: MapsConfig, data: Path) -> int:
    """What `ablations.counts_of` derives from configurations, from networks and batches themselves."""
    if quantity == PARAMETERS:
        return make_navigator(config.model).num_parameters
    if quantity == STEPS:
        group = next(group for group in read_split(data, "test").groups if group.maps.shape == (SIDE, SIDE))
        task = task_of(config, data)
        chosen = task.build().eval()
        limit = how.max_steps or chosen.default_steps(SIDE, SIDE)
        recursion = chosen.recursion(group.maps[:1])
        while recursion.segments * chosen.steps_per_segment < limit:
            recursion.advance()
        return recursion.segments * chosen.steps_per_segment
    if quantity == VIEWS:
        one = config.with_values({"data.max_maps": 1, "training.batch_size": 1})
        task = task_of(one, data)
        return len({next(iter(task.batches("train", k, Shard()))).inputs.numpy().tobytes() for k in range(EPOCHS)})
    task = task_of(config, data)
    if quantity == MAPS:
        batches = (batch for k in range(config.training.epochs) for batch in task.batches("train", k, Shard()))
        return len({each.numpy().tobytes() for batch in batches for each in batch.inputs[:, 0]})
    if quantity == BURNT:
        return max(b.burn_in for k in range(EPOCHS) for b in task.batches("train", k, Shard()))
    batch = next(iter(task.batches("train", 0, Shard())))
    if quantity == WAITS:
        far = batch.cells._replace(cost=torch.full_like(batch.cost, FAR))
        masks = [task._horizon_mask(task.build(), far, s) for s in range(1, config.model.num_segments + 1)]
        return sum(not mask.within.any() for mask in masks)
    total, terms = task.loss(task.build(), batch)
    if quantity == TERMS:
        slopes = torch.autograd.grad(total, [terms[n] for n in ("actions", "cost", "reach", "halting")])
        return sum(bool(slope) for slope in slopes)
    assert quantity == SEGMENTS
    return task.build().trained_steps // task.build().steps_per_segment


@pytest.mark.parametrize(("place", "name"), [(k, name) for k, each in enumerate((COUNTING, LATENT)) for name in each])
def test_every_variant_has_less_of_what_it_removes(place: int, name: str, arms: list[Arm], data: Path) -> None:
    arm, quantity = arms[place], arms[place].variants[name].removes
    found = {each: measured(quantity, arm.config_of(each, 0), arm.evaluation_of(each), data) for each in (FULL, name)}
    sign = -1 if arm.variants[name].adds else 1
    assert sign * (found[FULL] - found[name]) > 0
    if quantity not in (PARAMETERS, MAPS):  # some of the drawn maps are the same
        counts = arm.counts()
        assert found == {each: counts[each][quantity] for each in (FULL, name)}


def test_a_study_seals_both_networks_on_test_maps_and_larger_ones(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "nav_ablations"
    words = ["--preset", "debug", "--data", str(data), "--out", str(out), "--variants", "longer"]
    short = ["--seeds", "0", "1", "2", "--model.training.epochs", "1", "--num-maps", "4"]
    assert main(["nav", "study", "ablations", *words, *short]) == 0
    found = pd.read_parquet(out / "variants.parquet")
    assert sorted(found["part"].unique()) == ["mazes_counting", "mazes_latents"]
    assert dict(zip(found["metric"], found["split"], strict=True)) == {
        "success": "test", "optimal_cells": "test", "spl": "test",
        "larger_success": "transfer", "larger_optimal_cells": "transfer",
    }  # fmt: skip
    levels = found.groupby("metric")["chance"].first()
    assert levels[["optimal_cells", "larger_optimal_cells"]].between(0.25, 0.5).all()  # one or two of four actions
    assert levels[["success", "spl"]].isna().all()
    assert found[found["part"] == "mazes_counting"]["is_above_chance"].all()
    judged = found[found["is_judged"] & (found["variant"] == "horizon")]
    assert judged["metric"].tolist() == ["optimal_cells", "larger_optimal_cells"]
    assert set(judged["quantity"]) == {WAITS}
    assert len(list(out.glob("trials/*/*/*/model"))) == 3 * 3  # `longer` scores the full model
    assert "of 68 steps" in (out / "table.txt").read_text()
    figure = tmp_path / "nav_ablation_study"
    figures.ablation_study(out, figure, "nav_ablations")
    assert artifact.verify(figure).inputs["nav_ablations"].fingerprint == artifact.read_manifest(out).fingerprint
    assert {path.suffix for path in figure.glob("nav_ablation_study.*")} == {".pdf", ".png"}


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"variants": [], "latent_variants": []}, "expected at least one of them"),
        ({"variants": ["cost", "cost"]}, "variants: expected each value once"),
        ({"latent.model.core": "value"}, "latent.model.core: model has core=value, and latent has any other"),
    ],
)
def test_a_study_that_makes_no_sense_is_refused(values: dict, line: str) -> None:
    with pytest.raises(InputError, match=line):
        AblationConfig().with_values(values)


def test_parts_that_cannot_act_or_are_missing_already_are_refused(data: Path, tmp_path: Path, capsys) -> None:
    words = ["nav", "study", "ablations", "--preset", "debug", "--data", str(data), "--out", str(tmp_path / "out")]
    assert main([*words, "--latent.model.core", "attention", "--latent.model.num-heads", "1"]) == 2
    assert "variant 'horizon': 'objective.horizon' has no effect with model.core=attention" in capsys.readouterr().err
    assert main([*words, "--variants", "cost", "--model.objective.cost-weight", "0"]) == 2
    assert "variant 'cost': the full model has these values already; leave the variant out" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
