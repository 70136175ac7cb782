"""The ablations of the world model: a chain per seed, shared by its variants; what each variant has less of."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from nsmodels.__main__ import main
from nsmodels.core.orders import Inputs
from nsmodels.datasets.impacts.config import PRESETS as IMPACTS_PRESETS
from nsmodels.engine.task import Shard
from nsmodels.formats.clips import files
from nsmodels.studies.trials import Arm
from nsmodels.studies.variant import FULL, PARAMETERS
from nsmodels.systems.world.config import PHASES
from nsmodels.systems.world.evaluation.concepts import concepts_of
from nsmodels.systems.world.model import WorldModel
from nsmodels.systems.world.phases import make_trial
from nsmodels.systems.world.studies import ablations
from nsmodels.systems.world.studies.config import ABLATION_PRESETS, GROUPS, LOSSES, SENSES, STEPS, TERMS
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")
SHORT = [word for phase in PHASES for word in (f"--{phase}.training.epochs", "1")]
FEW = ["--num-episodes", "4", "--num-twins", "4"]
PROBES = ("decoder",)  # modules that read the network, and are not part of it


@pytest.fixture(scope="module")
def arm(shared: Shared) -> Arm:
    config = ABLATION_PRESETS["debug"]().with_values({"losses": list(LOSSES), "senses": list(SENSES)})
    return ablations.arm_of(config, "impacts", shared.data("impacts"))


def test_a_study_trains_of_a_chain_what_a_variant_changes_and_is_kept(shared, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "study"
    command = ["world", "study", "ablations", "--preset", "debug", "--data", str(shared.data("impacts")), *SHORT, *FEW]
    command += ["--losses", "twins", "likelihood", "--out", str(folder), "--seeds", "3"]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert "impacts/only_vision/3" in printed.err
    trials = folder / "trials" / "impacts"
    trained = {
        name: sorted(
            p.parent.relative_to(trials / name / "3").as_posix() for p in (trials / name).rglob("manifest.json")
        )
        for name in (FULL, "twins", "likelihood", "only_vision")
    }
    assert trained[FULL] == ["model", *(f"stages/{phase}" for phase in sorted(PHASES[:-1]))]
    assert trained["twins"] == ["model"]
    assert trained["likelihood"] == ["model", "stages/dynamics"]
    assert trained["only_vision"] == []
    found = pd.read_parquet(folder / "variants.parquet").set_index(["variant", "metric"])
    for name in ("zero_shot_accuracy", "property_mae", "dynamics_error", "causal_sign_accuracy"):
        assert set(found.xs(name, level="metric").index) == {FULL, "no_audio", "only_vision", "twins", "likelihood"}
    assert found.loc[("only_vision", "property_mae"), "mean"] != found.loc[(FULL, "property_mae"), "mean"]
    assert found.loc[("only_vision", "property_mae"), "removed"] > found.loc[("no_audio", "property_mae"), "removed"]
    levels = found["chance"].xs(FULL)
    concepts = concepts_of(files.read(shared.data("impacts"), "novel"))
    assert levels["zero_shot_accuracy"] == pytest.approx(1 / len(set(concepts.tolist())))
    assert levels["causal_sign_accuracy"] == 0.5
    assert levels["dynamics_error"] > 0
    train, test = (np.asarray(files.read(shared.data("impacts"), each).properties) for each in ("train", "test"))
    assert levels["property_mae"] == pytest.approx(np.abs(train.mean(0) - test).mean(), rel=1e-4)
    spent = {name: json.loads((trials / name / "3" / "trial.json").read_text()) for name in trained}
    assert 0 < spent["twins"]["spent_cpu_seconds"] < spent[FULL]["spent_cpu_seconds"] <= spent[FULL]["cpu_seconds"]
    assert spent["only_vision"]["spent_cpu_seconds"] == 0
    assert main(command) == 0
    assert "trial 1/" not in capsys.readouterr().err  # kept


@pytest.mark.parametrize("preset", ABLATION_PRESETS)
def test_every_variant_of_every_preset_reaches_its_learning_rate(preset: str, arm: Arm) -> None:
    config = ABLATION_PRESETS[preset]().with_values({"losses": list(LOSSES), "senses": list(SENSES)})
    num = IMPACTS_PRESETS[preset]().num_train
    whole = dataclasses.replace(arm, config=config, variants=config.variants)
    for name in whole.all_variants:
        for phase in PHASES:
            training = whole.section(whole.config_of(name, 0), phase).training
            training.warmed(math.ceil(num / training.batch_size))


def test_pairs_and_single_modalities_are_variants_of_the_study() -> None:
    assert {name for group in GROUPS for name in (*group.first, *group.second)} == {FULL, *SENSES}


@pytest.mark.parametrize("name", SENSES)
def test_hidden_modalities_leave_parameters_without_effect(name: str, arm: Arm, shared: Shared) -> None:
    """As many as the size lacks can be exchanged for noise, and the summaries of clips stay as they were."""
    model = shared.model("world")
    data = shared.data("impacts")
    how = arm.evaluation_of(name)
    lacks = ablations.measure_size(model, arm.evaluation_of(FULL)).parameters
    lacks -= ablations.measure_size(model, how).parameters
    assert lacks > 0
    loaded, clips = WorldModel.load(model, "cpu"), files.read(data, "test")
    before = loaded.embed(loaded.watch(clips), how.modalities)
    idle = [p for n in ("vision", "audio") if n not in how.modalities for p in getattr(loaded.network, n).parameters()]
    tokens = loaded.network.fusion.tokens
    idle += [
        p for n in ("vision", "audio", "proprio") if n not in how.modalities for p in getattr(tokens, n).parameters()
    ]
    assert sum(p.numel() for p in idle) == lacks
    with torch.no_grad():
        for parameter in idle:
            parameter.copy_(torch.randn_like(parameter))
    assert (loaded.embed(loaded.watch(clips), how.modalities) == before).all()


@pytest.fixture(scope="module")
def trained(shared: Shared) -> dict[str, Inputs]:
    """What each stage is trained from."""
    found = shared.trained("world", "impacts")
    return {stage.name: found.inputs(stage) for stage in found.system.stages}


def acting_terms(phase: str, config: Any, inputs: Inputs) -> set[str]:
    """Terms whose gradient in the loss of one batch reaches a weight of the network."""
    torch.manual_seed(0)
    trial = make_trial(phase, config, inputs)
    network = trial.task.build()
    batch = next(iter(trial.task.batches("train", 0, Shard())))
    total, terms = trial.task.loss(network, batch)
    weights = [p for name, p in network.named_parameters() if not any(probe in name for probe in PROBES)]
    return {name for name, term in terms.items() if term.requires_grad and _acts(total, term, weights)}


def _acts(total: torch.Tensor, term: torch.Tensor, weights: list[nn.Parameter]) -> bool:
    (slope,) = torch.autograd.grad(total, term, retain_graph=True, allow_unused=True)
    if slope is None or not slope:
        return False
    found = torch.autograd.grad(term, weights, retain_graph=True, allow_unused=True)
    return any(each is not None and bool(each.any()) for each in found)


@pytest.mark.parametrize("name", [FULL, *LOSSES])
def test_every_loss_has_a_term_less_that_reaches_the_network(
    name: str, arm: Arm, trained: dict[str, Inputs], shared: Shared
) -> None:
    own, full = arm.config_of(name, 0), arm.config_of(FULL, 0)
    changed = [phase for phase in PHASES if getattr(own, phase) != getattr(full, phase)]
    for phase in changed or PHASES:
        listed = set(ablations.terms_of(phase, getattr(own, phase)))
        assert acting_terms(phase, getattr(own, phase), trained[phase]) == listed
    counts = arm.counts()
    if name != FULL:
        quantity = arm.variants[name].removes
        assert quantity in (TERMS, STEPS)
        assert counts[FULL][quantity] > counts[name][quantity]
    num = len(files.read(shared.data("impacts"), "train"))
    vision = full.vision.with_values({"training.max_steps": 1})
    assert ablations.num_steps(full.vision, num) > 1
    assert ablations.num_steps(vision, num) == 1
    assert arm.evaluation_of(name).modalities == arm.evaluation_of(FULL).modalities
    assert {arm.variants[each].removes for each in SENSES} == {PARAMETERS}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--vision.training.seed", "3"], "'vision.training.seed' has no effect: seeds decides it"),
        (["--seeds", "1", "1"], "expected whole numbers from 0 on, each once"),
        (["--full.training.num-processes", "2"], "a trial runs in one process; raise num_workers"),
        (["--full.objective.causal-weight", "0"], "variant 'twins': the full model has these values already"),
    ],
)
def test_a_study_that_makes_no_sense_is_one_line(words, line: str, shared, tmp_path: Path, capsys) -> None:
    given = ["--preset", "debug", "--data", str(shared.data("impacts")), "--out", str(tmp_path / "study")]
    assert main(["world", "study", "ablations", *given, *words]) == 2
    assert line in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
