"""Steps that are left to do."""

import json

from nsmodels.core import discover
from pipeline.publication.data import mixed
from pipeline.publication.plan import plan
from tests.pipeline.publication.made import keys_of, made, seal, trained


def test_steps_are_those_that_are_left(data):
    steps = list(plan(data, range(3), ["nav"]))
    assert [step.keys for step in steps] == [
        ("nav_replicates",),
        ("nav_ablations", "nav_ablation_study"),
        ("nav_model", "nav_evaluation", "nav_training_curves", "nav_success", "nav_policies"),
    ]
    assert [step.after for step in steps] == [(), (), ("nav_replicates",)]
    assert steps[0].command == ["asset", "materialize", "--select", "nav_replicates", "--partition-range", "0...2"]
    assert "about 3 min of CPU" in steps[0].text()
    assert steps[1].text().endswith(": about 3 min of CPU")
    assert steps[2].text().endswith(": seconds")  # the model is a copy of seed 0
    for seed in ("0", "1"):
        for part in ("model", "evaluation"):
            seal(data / "nav_replicates" / seed / part)
    seal(data / "nav_model")
    for key in steps[1].keys:
        seal(data / key)
    first, second = plan(data, range(3), ["nav"])
    assert first.command == ["asset", "materialize", "--select", "nav_replicates", "--partition", "2"]
    assert ": seconds" in first.text()  # what the sealed seeds took here
    assert "nav_model" not in second.keys
    for key in second.keys:
        seal(data / key)
    for part in ("model", "evaluation"):
        seal(data / "nav_replicates" / "2" / part)
    assert list(plan(data, range(3), ["nav"])) == []


def test_a_model_is_no_copy_of_a_replicate_of_a_different_preset(data):
    for seed in ("0", "1", "2"):
        for part in ("model", "evaluation"):
            trained(data / "nav_replicates" / seed / part, "base")
    _, step = plan(data, range(3), ["nav"])
    assert "about 1 min of CPU" in step.text()
    assert json.loads(step.command[-1]) == {"ops": {"nav_model": {"config": {"training": {"seed": 0}}}}}


def test_what_was_made_of_data_that_are_too_small_is_made_again(data):
    small = discover.module("datasets", "clevr", "config").PRESETS["small"]()
    made(data / "clevr_mini", config=small.relevant(), source="synthetic CLEVR")
    made(data / "clevr_mini_model", ("clevr_mini",))
    made(data / "clevr_mini_evaluation", ("clevr_mini_model", "clevr_mini"))
    assert {"clevr_mini_model", "clevr_mini_evaluation"} <= {*keys_of(["visual"])}
    assert "clevr_mini_model" not in keys_of(["visual"], "debug")


def test_data_beside_synthetic_ones_are_synthetic_and_not_downloaded(data):
    steps = {step.name: step for step in plan(data, range(3), ["visual", "natural"])}
    for name in ("gqa_mini", "vqa_mini"):
        given = json.loads(steps[name].command[-1])["ops"]
        assert given == {name: {"config": {"preset": "mini", "source": "synthetic"}}}
        assert steps[f"{name}_replicates"].after == (name,)
        assert steps["visual_ablations"].after == ("gqa_mini", "vqa_mini")
    assert "gqa_mini" not in keys_of(["natural"])
    assert "gqa_mini" not in keys_of(["visual", "natural"], "base")  # of the archives, all of them
    made(data / "gqa_mini", source="GQA")
    assert "gqa_mini" not in keys_of(["visual", "natural"])
    (line,) = mixed(data, ["visual", "natural"], "quick")
    assert "mixed sources" in line
