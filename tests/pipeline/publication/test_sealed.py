"""What of the sealed artifacts stays, and what is made again."""

import json

import pytest

from nsmodels.core import artifact, discover
from nsmodels.paper import recipes
from nsmodels.paper.contents import FIGURES
from pipeline.assets import comparison
from pipeline.assets.systems import trainings
from pipeline.publication import sealed
from pipeline.publication.contents import STUDIES
from pipeline.publication.plan import plan
from tests.paper.made import sealed_study
from tests.pipeline.publication.made import keys_of, made, seal, trained
from tests.shared import resealed


@pytest.mark.parametrize("training", trainings(), ids=lambda each: each.name)
def test_what_a_preset_of_a_training_has_made_is_told_as_of_it(training, data):
    stages = training.system.stages
    kind = f"training {training.stage}" if len(stages) > 1 and training.stage else "training"
    presets = training.model.presets
    for key in training.datasets:
        seal(data / key)
    for name, preset in presets.items():
        with artifact.build(
            data / name,
            key=name,
            maker=training.system.package,
            kind=kind,
            config=preset().relevant(),
            code_version="1",
            inputs={key: data / key for key in training.datasets},
        ) as part:
            (part.path / "file").write_text("x")
        manifest = artifact.read_manifest(data / name)
        equal = {other for other, make in presets.items() if make().relevant() == preset().relevant()}
        assert {other for other in presets if recipes.has_preset(manifest, other)} == equal
        assert recipes.preset_of(manifest).name in equal


@pytest.mark.parametrize("change", [{"seeds": [0, 1]}, {"a_field_of_before": 1}], ids=["two seeds", "other form"])
def test_a_study_of_a_form_that_no_figure_takes_is_made_again(data, change):
    def left():
        return [key for step in plan(data, (), ["natural"], "debug") for key in step.keys]

    study = sealed_study(data)
    assert "visual_ablations" not in left()
    content = json.loads((study / "report.json").read_text())
    for row in content["parts"]["gqa_mini"]["rows"]:
        row |= change
    (study / "report.json").write_text(json.dumps(content))
    resealed(study)
    assert "visual_ablations" in left()


def test_what_the_preset_for_tests_has_made_is_no_part_of_a_different_one(data):
    for seed in ("0", "1", "2"):
        trained(data / "nav_replicates" / seed / "model", "debug", int(seed))
        seal(data / "nav_replicates" / seed / "evaluation")
    for key in ("nav_model", "nav_evaluation", *STUDIES["nav"], *FIGURES["nav"]):
        trained(data / key, "debug") if key == "nav_model" else seal(data / key)
    assert list(plan(data, range(3), ["nav"], "debug")) == []
    first, second = plan(data, range(3), ["nav"], "quick")
    assert (first.keys, first.seeds) == (("nav_replicates",), (0, 1, 2))
    assert "about 3 min of CPU" in first.text()  # of the preset, not what the sealed ones took
    assert second.keys == ("nav_model",)


def test_what_follows_from_something_that_is_to_be_made_is_made_again(data):
    for key in ("nav_model", "nav_ablations", *FIGURES["nav"]):
        seal(data / key)
    with artifact.build(
        data / "nav_evaluation",
        key="nav_evaluation",
        maker="m",
        config={},
        code_version="1",
        inputs={"nav_model": data / "nav_model"},
    ) as part:
        (part.path / "file").write_text("x")
    assert [step.keys for step in plan(data, (), ["nav"])] == []
    resealed(data / "nav_model", fingerprint="0" * 16)
    assert [step.keys for step in plan(data, (), ["nav"])] == [("nav_evaluation",)]


def test_a_comparison_follows_everything_that_it_joins(data, monkeypatch):
    parts = [f"{name}_{part}" for name in ("gqa_mini", "vqa_mini") for part in ("model", "evaluation", "baselines")]
    for key in (*parts, "visual_baselines", "performance_comparison", "clevr_mini_evaluation"):
        made(data / key)
    monkeypatch.setattr(comparison, "is_current", lambda manifest: True)
    assert "visual_baselines" not in keys_of(["natural"])
    assert "visual_baselines" in keys_of(["visual", "natural"])  # clevr_mini_baselines is to be made


@pytest.mark.parametrize("is_of_today", [True, False])
def test_seeds_of_other_code_are_made_again_with_those_that_miss(data, is_of_today):
    nav = discover.system("nav")
    code, scores = (nav.code_version, nav.evaluation_version) if is_of_today else ("0", "0")
    config = nav.stages[0].presets["quick"]().relevant()
    for seed in ("0", "1"):
        place = data / "nav_replicates" / seed
        made(place / "model", maker=nav.package, kind="training", config=config, code_version=code)
        made(place / "evaluation", maker=nav.package, kind="evaluation", code_version=scores)
    (step, *_) = plan(data, range(3), ["nav"])
    assert step.seeds == ((2,) if is_of_today else (0, 1, 2))
    assert list(sealed.made_again(data, [step])) == (
        [] if is_of_today else ["nav_replicates: sealed before and made again, as data, code or preset differ: 0 1"]
    )
    assert "nav_replicates" not in keys_of(["nav"], seeds=range(2))  # nothing misses: what is sealed is kept


def test_seeds_of_other_data_are_made_again(data):
    made(data / "mazes")
    for seed in ("0", "1", "2"):
        place = data / "nav_replicates" / seed
        place.mkdir(parents=True)
        with artifact.build(
            place / "model", key="m", maker="m", config={}, code_version="1", inputs={"mazes": data / "mazes"}
        ) as part:
            (part.path / "file").write_text("x")
        made(place / "evaluation")
    assert "nav_replicates" not in keys_of(["nav"], seeds=range(3))
    resealed(data / "mazes", fingerprint="0" * 16)
    (step, *_) = plan(data, range(3), ["nav"])
    assert step.seeds == (0, 1, 2)
