"""The study of natural images on debug data: sealed, resumed, phases and checkpoints shared, drawn."""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

from nsmodels.core import artifact, discover
from nsmodels.core.cli import run
from nsmodels.core.config.flags import add_flags, values_from_flags
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.core.sealed.contents import foreign_files
from nsmodels.engine import checkpoint
from nsmodels.evaluation.measure import FEWEST_SEEDS
from nsmodels.studies import study as studies
from nsmodels.studies import working
from nsmodels.studies.trials import Arm, Trial
from nsmodels.studies.variant import PARAMETERS, Variant
from nsmodels.studies.working import Job
from nsmodels.systems.natural.evaluation.figures import ablation_study
from nsmodels.systems.natural.evaluation.studies import ablations
from nsmodels.systems.natural.evaluation.studies.config import (
    DEGREES,
    RULES,
    VARIANTS,
    AblationConfig,
    Answers,
    Programs,
    debug,
)
from nsmodels.systems.natural.phases import make_trial
from tests.children import Child
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {
    "max_images": 16,
    "max_val_images": 4,
    "training": {"epochs": 1, "device": "cpu", "num_workers": 0},
    "parser": {"max_questions": 60, "max_val_questions": 20},
    "parser_training.epochs": 1,
}
CONFIG = debug().with_values({"seeds": [0, 1], "variants": ["hierarchy", "soft"], "num_images": 4, "model": SMALL})


@pytest.fixture(scope="module")
def order(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Order:
    folder = tmp_path_factory.mktemp("study") / "visual_ablations"
    return Order("visual_ablations", CONFIG, Inputs.of({"gqa_mini": shared.data("gqa")}), folder)


class Runs:
    """A study that is stopped after three of its six trials and then resumed: the trials that each run went through."""

    def __init__(self, order: Order) -> None:
        self.order, self.names, self.was_over = order, [], []
        self.num_left = 3
        self.real = studies.trials.run

    def run(self, trial: Trial) -> dict:
        if not self.num_left:
            raise KeyboardInterrupt
        self.num_left -= 1
        self.names.append(trial.name)
        self.was_over.append(trial.is_over)
        return self.real(trial)


@pytest.fixture(scope="module")
def runs(order: Order) -> Runs:
    found = Runs(order)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studies.trials, "run", found.run)
        with pytest.raises(KeyboardInterrupt):
            ablations.ablate(order)
        assert not order.folder.exists()
        found.num_left = 6
        ablations.ablate(order)
    return found


@pytest.fixture(scope="module")
def sealed(runs: Runs) -> Path:
    return runs.order.folder


def test_a_stopped_study_keeps_the_trials_that_are_over(runs: Runs, sealed: Path) -> None:
    assert runs.names[:3] == runs.names[3:6]
    assert len(set(runs.names)) == 6
    assert runs.was_over == [False] * 3 + [True] * 3 + [False] * 3
    before = (sealed / artifact.MANIFEST).stat().st_mtime_ns
    ablations.ablate(runs.order)
    assert (sealed / artifact.MANIFEST).stat().st_mtime_ns == before  # an equal study is kept


def test_the_seal_covers_the_models_of_the_trials(runs: Runs, sealed: Path) -> None:
    """So that figures are made from the study, and that it can be replaced."""
    assert foreign_files(sealed) == []
    artifact.require_inputs({"visual_ablations": sealed})
    artifact.require_replaceable(sealed, "visual_ablations", "nsmodels.systems.natural", "study: ablations")
    assert artifact.verify(sealed).key == "visual_ablations"


def test_variants_share_what_they_do_not_change(sealed: Path) -> None:
    trials = sealed / "trials" / "gqa_mini"
    assert not (trials / "soft" / "0" / "model").exists()  # scored with the checkpoint of the full model
    weights = {
        (name, seed, phase): (trials / name / seed / "model" / phase / checkpoint.BEST).read_bytes()
        for name in ("full", "hierarchy")
        for seed in ("0", "1")
        for phase in ("parser", "perception")
    }
    for seed in ("0", "1"):
        assert weights["full", seed, "parser"] == weights["hierarchy", seed, "parser"]
        assert weights["full", seed, "perception"] != weights["hierarchy", seed, "perception"]
    assert weights["full", "0", "parser"] != weights["full", "1", "parser"]
    assert artifact.require_intact(trials / "full" / "0" / "model").metrics["parser/cpu_seconds"] > 0
    assert not list(sealed.rglob(checkpoint.LAST))


def test_table_csv_and_parquet_agree(sealed: Path) -> None:
    report = json.loads((sealed / "report.json").read_text())
    rows = report["parts"]["gqa_mini"]["rows"]
    assert {row["variant"] for row in rows} == {"full", "hierarchy", "soft"}
    assert {row["verdict"] for row in rows} == {"-"}  # two seeds
    levels = {row["metric"]: row["chance"] for row in rows}
    assert 0 < levels["objects"] == levels["rare_objects"] < levels["accuracy"] < 0.6
    assert levels["class_errors"] is None
    csv, parquet = pd.read_csv(sealed / studies.CSV), pd.read_parquet(sealed / studies.PARQUET)
    pd.testing.assert_frame_equal(csv, parquet, check_dtype=False)
    assert parquet["mean"].tolist() == [row["mean"] for row in rows]
    removed = {row["variant"]: (row["parameters_removed"], row["operations_removed"]) for row in rows}
    assert removed["soft"] == (0, 0)
    assert min(removed["hierarchy"]) > 0
    assert "no verdicts" in (sealed / "table.txt").read_text()


@pytest.mark.parametrize("system", discover.systems())
def test_every_preset_has_the_seeds_that_a_figure_needs(system: str) -> None:
    for each in getattr(discover.module("systems", system, "__main__"), "STUDIES", {}).values():
        made = [preset() for preset in each.presets.values()]
        assert all(len(config.seeds) >= FEWEST_SEEDS for config in made if hasattr(config, "seeds"))


def test_the_figure_of_too_few_seeds_is_refused(sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has 2 seeds; expected at least 3"):
        ablation_study(sealed, tmp_path / "ablation_study", "visual_ablations")
    assert not (tmp_path / "ablation_study").exists()


def test_folders_decide_the_parts(shared: Shared) -> None:
    gqa, vqa = shared.data("gqa"), shared.data("vqa")
    both = list(ablations.arms_of(CONFIG, {"gqa_mini": gqa, "vqa_mini": vqa}))
    assert [(arm.name, arm.config.dataset, list(arm.variants)) for arm in both] == [
        ("gqa_mini", "gqa", ["hierarchy", "soft"]),
        ("gqa_mini+vqa_mini", "gqa_vqa", ["cross_attention", "programs"]),
    ]
    (alone,) = ablations.arms_of(CONFIG, {"vqa_mini": vqa})
    assert (alone.config.dataset, list(alone.variants)) == ("vqa", ["cross_attention"])
    symbolic = CONFIG.with_values({"answer_variants": ["programs"]})
    with pytest.raises(InputError, match="need a folder of GQA beside that of VQA"):
        list(ablations.arms_of(symbolic, {"vqa_mini": vqa}))


@pytest.fixture(scope="module")
def arms(shared: Shared) -> dict[str, Arm]:
    """The part of the study that has every variant, by its name."""
    chosen = {"variants": list(get_args(Programs)), "answer_variants": list(get_args(Answers))}
    data = {"gqa_mini": shared.data("gqa"), "vqa_mini": shared.data("vqa")}
    first, second = ablations.arms_of(CONFIG.with_values(chosen), data)
    return dict.fromkeys(second.variants, second) | dict.fromkeys(first.variants, first)


def num_parameters(arm: Arm, name: str, changed: str, folder: Path) -> int:
    """Of the network that `changed` trains anew, with random weights; of one of the evaluation, of what it runs."""
    config, evaluation = arm.config_of(name, 0), arm.evaluation_of(name)
    phases = arm.variants[changed].phases[:1] or ("perception", *(["parser"] if evaluation.programs else []))
    inputs = replace(Inputs.of(dict(arm.data)), earlier=folder)
    networks = [make_trial(phase, config, inputs).task.build() for phase in phases]
    return sum(p.numel() for network in networks for p in network.parameters())


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_has_less_of_what_it_removes(name: str, arms: dict[str, Arm], sealed: Path) -> None:
    arm = arms[name]
    variant = arm.variants[name]
    assert arm.config_of(name, 3).training.seed == 3
    if variant.removes in (DEGREES, RULES):
        found = [arm.counts()[each][variant.removes] for each in ("full", name)]
    else:
        assert variant.removes == PARAMETERS
        model = sealed / "trials" / "gqa_mini" / "full" / "0" / "model"
        found = [num_parameters(arm, each, name, model) for each in ("full", name)]
    assert found[0] < found[1] if variant.adds else found[0] > found[1]


def test_a_variant_without_values_or_with_an_unknown_phase_is_refused(order: Order, tmp_path: Path) -> None:
    (arm,) = ablations.arms_of(CONFIG, order.inputs.datasets)
    for variant in (Variant("nothing"), Variant("a", {"perception.memory": 2}, phases=("memory",))):
        wrong = type(arm)(**{**vars(arm), "variants": {"odd": variant}})
        with pytest.raises(InputError, match="variant 'odd': expected a name other than 'full', values that differ"):
            studies.run_study(
                Order("s", CONFIG, order.inputs, tmp_path / "s"), lambda _, arm=wrong: [arm], "nsmodels.systems.natural"
            )


def test_a_variant_that_is_the_full_model_is_refused(order: Order, tmp_path: Path) -> None:
    same = CONFIG.with_values({"model.perception.hierarchy": False})
    with pytest.raises(InputError, match="variant 'hierarchy': the full model has these values already"):
        ablations.ablate(Order("s", same, order.inputs, tmp_path / "s"))
    assert list(tmp_path.iterdir()) == []


def test_a_trial_that_cannot_be_trained_is_named(order: Order, tmp_path: Path) -> None:
    short = CONFIG.with_values({"model.training.max_steps": 1, "model.training.warmup_epochs": 0.5})
    with pytest.raises(InputError, match=r"^gqa_mini/full/0: warmup_epochs: 0.5 epochs are"):
        ablations.ablate(Order("s", short, order.inputs, tmp_path / "s"))


def test_several_processes_share_the_trials_and_give_the_same_table(
    sealed: Path, order: Order, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    config = CONFIG.with_values({"num_workers": 2})
    ablations.ablate(Order("visual_ablations", config, order.inputs, tmp_path / "visual_ablations"))
    made = tmp_path / "visual_ablations"
    assert foreign_files(made) == []
    assert not list(made.rglob(".claim"))
    assert not (made / working.FILE).exists()
    lines = capfd.readouterr().err.splitlines()
    names = [line.split()[2] for line in lines if line.startswith("trial")]
    assert len(set(names)) == len(names) == 6
    assert not [line for line in lines if "stopped" in line]  # nothing of the process that has helped
    own, alone = (pd.read_csv(each / studies.CSV).drop(columns="cpu_seconds") for each in (made, sealed))
    pd.testing.assert_frame_equal(own, alone)


def ablated(config: AblationConfig, inputs: Inputs, folder: Path) -> int:
    return run(lambda: ablations.ablate(Order("study", config, inputs, folder)) and 0)


@pytest.mark.parametrize("num_trials", [0, 2], ids=["its helper begins", "both train"])
def test_a_stop_of_several_processes_is_told_once(
    num_trials: int, order: Order, tmp_path: Path, child: Callable[..., Child]
) -> None:
    config = CONFIG.with_values({"num_workers": 2, "model.training.epochs": 500})
    process = child(ablated, config, order.inputs, tmp_path / "study")
    end = time.monotonic() + 60
    while time.monotonic() < end and (
        not list(tmp_path.rglob(working.FILE)) or len(list(tmp_path.rglob("full/*/epochs.log"))) < num_trials
    ):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err.splitlines()[-1].endswith("run the same command again, finished work is kept")
    assert err.count("stopped") == 1
    assert "a process that helped" not in err


def test_a_helper_does_all_trials_where_nobody_else_does(
    order: Order, tmp_path: Path, child: Callable[..., Child]
) -> None:
    config = CONFIG.with_values({"seeds": [0], "variants": ["soft"]})
    (tmp_path / "study").mkdir()
    Job(ablations.arms_for, replace(order, config=config)).write(tmp_path / "study")
    process = child(working.main, [str(tmp_path / "study")])
    assert (process.communicate(), process.returncode) == (("", ""), 0)
    found = sorted(path.parent.parent.name for path in tmp_path.rglob("trial.json"))
    assert found == ["full", "soft"]


def test_a_helper_that_begins_late_or_for_an_earlier_sitting_does_nothing(
    order: Order, tmp_path: Path, child: Callable[..., Child]
) -> None:
    process = child(working.main, [str(tmp_path)])
    assert (process.communicate(), process.returncode) == (("", ""), 0)
    job = Job(ablations.arms_for, order)
    job.write(tmp_path)
    first = working._sitting(tmp_path)
    job.write(tmp_path)
    assert first
    assert working._sitting(tmp_path) != first


def test_parts_are_named_alike_in_every_process_where_data_are_a_link(
    shared: Shared, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    (tmp_path / "link").symlink_to(shared.data("gqa"))
    config = CONFIG.with_values({"seeds": [0], "variants": ["soft"], "num_workers": 2})
    ablations.ablate(Order("study", config, Inputs.of(tmp_path / "link"), tmp_path / "study"))
    assert [path.name for path in (tmp_path / "study" / "trials").iterdir()] == ["link"]
    assert foreign_files(tmp_path / "study") == []
    assert not [line for line in capfd.readouterr().err.splitlines() if line.startswith(("error", "stopped"))]


def all_studies() -> list[tuple[str, str]]:
    modules = {name: discover.module("systems", name, "__main__") for name in discover.systems()}
    return [(name, word) for name, module in modules.items() for word in getattr(module, "STUDIES", {})]


@pytest.mark.parametrize(("system", "word"), all_studies())
def test_every_flag_of_a_study_has_a_name_and_processes_are_those_of_the_study(system: str, word: str) -> None:
    study = discover.module("systems", system, "__main__").STUDIES[word]
    config = type(next(iter(study.presets.values()))())
    parser = argparse.ArgumentParser()
    add_flags(parser, config)
    assert all(action.option_strings for action in parser._actions)
    if "num_workers" in config.model_fields:
        assert values_from_flags(parser.parse_args(["--num-workers", "3"])) == {"num_workers": 3}


def test_a_trial_that_is_held_is_left_to_its_holder(order: Order, tmp_path: Path) -> None:
    (arm,) = ablations.arms_of(CONFIG, order.inputs.datasets)
    first, second = Trial(arm, "full", 0, tmp_path), Trial(arm, "soft", 0, tmp_path)
    assert not working._tried(second)  # it waits for the full model
    assert not second.place.exists()
    with working._claim(first):
        assert not working._tried(first)
    assert not first.is_over


def test_work_ends_with_the_study(order: Order, tmp_path: Path) -> None:
    (arm,) = ablations.arms_of(CONFIG, order.inputs.datasets)
    working.work([Trial(arm, "full", 0, tmp_path)], is_on=lambda: False)
    assert list(tmp_path.iterdir()) == []
