"""The assets `visual_baselines` and `performance_comparison`, from what lies in the data root."""

import json

import dagster as dg
import pytest

from nsmodels.core import artifact
from pipeline.definitions import defs
from pipeline.publication import sealed
from tests.evaluation.compared import evaluation, scores, study
from tests.pipeline.jobs import job_of

KEYS = ["visual_baselines", "performance_comparison"]


@pytest.fixture
def scored(tmp_path):
    """Data on which studies and models were scored."""
    folder = tmp_path / "scored"
    folder.mkdir()
    (folder / "questions.json").write_text("[]")
    return folder


def failure_of(done):
    """The description of the failure that ended a run."""
    return [e.event_specific_data.user_failure_data.description for e in done.all_events if e.is_step_failure]


def test_without_a_study_it_ends_with_one_line(data, instance):
    done = job_of(defs(), KEYS).execute_in_process(instance=instance, raise_on_error=False)
    assert not done.success
    (line,) = failure_of(done)
    assert "expected at least one study of baselines" in line
    assert "\n" not in line


def test_it_joins_the_studies_that_are_there_with_their_evaluations(data, instance, scored):
    study(data / "gqa_mini_baselines", scored)
    evaluation(data / "gqa_mini_evaluation", scored, scores(3, 0.9))
    job = job_of(defs(), KEYS)
    done = job.execute_in_process(instance=instance)
    metadata = done.get_asset_materialization_events()[0].materialization.metadata
    assert metadata["missing"].value == "vqa_mini_baselines, clevr_mini_baselines"
    report = json.loads((data / "visual_baselines" / "report.json").read_text())
    assert list(report["parts"]) == ["gqa_mini"]
    assert list(report["parts"]["gqa_mini"]["rows"]) == ["majority", "blind", "ours"]
    assert (data / "performance_comparison" / "performance_comparison.pdf").is_file()
    again = job.execute_in_process(instance=instance)
    assert [e.materialization.metadata["is_reused"].value for e in again.get_asset_materialization_events()] == [
        True
    ] * 2


def replicate(data, seed, scored, **how):
    """A replicate of the model with its evaluation."""
    place = data / "gqa_mini_replicates" / str(seed)
    place.mkdir(parents=True)
    evaluation(place / "evaluation", scored, scores(seed, 0.8), seed, **how)


def joined(data, instance):
    """The metadata and the report of `visual_baselines`, made from what lies there."""
    done = job_of(defs(), KEYS[:1]).execute_in_process(instance=instance)
    (event,) = done.get_asset_materialization_events()
    report = json.loads((data / "visual_baselines" / "report.json").read_text())
    return event.materialization.metadata, report["parts"]["gqa_mini"]


@pytest.mark.parametrize(
    ("how", "differs"),
    [
        ({"epochs": 2}, "training.epochs=2"),
        ({"code": "2"}, "code=2"),
        ({"learnt": "elsewhere"}, "training data="),
        ({"how": {"beam": 2}}, "evaluation.beam=2"),
        ({"code_of_scores": "2"}, "evaluation.code=2"),
        ({"scored": "elsewhere"}, "data="),
    ],
)
def test_the_model_has_the_seeds_of_its_replicates_that_differ_in_nothing_else(data, instance, scored, how, differs):
    elsewhere = data.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "questions.json").write_text('["other"]')
    study(data / "gqa_mini_baselines", scored)
    evaluation(data / "gqa_mini_evaluation", scored, scores(0, 0.9))
    for seed in (0, 1):
        replicate(data, seed, scored)
    values = {name: elsewhere if value == "elsewhere" else value for name, value in how.items()}
    replicate(data, 2, **{"scored": scored} | values)
    metadata, part = joined(data, instance)
    assert list(part["rows"]["ours"]["scores"]) == ["0", "1"]
    assert set(artifact.read_manifest(data / "visual_baselines").inputs) == {
        "gqa_mini_baselines",
        "gqa_mini_evaluation",
        "gqa_mini_replicates/1/evaluation",
    }
    (why,) = [why for name, why in part["left_out"].items() if name == "ours, seed 2 of gqa_mini_replicates/2"]
    assert why.startswith(differs)
    assert f"gqa_mini_baselines: ours, seed 2 of gqa_mini_replicates/2: {why}" in metadata["left_out"].value
    assert "left out: ours, seed 2 of gqa_mini_replicates/2" in (data / "visual_baselines" / "table.txt").read_text()


def test_without_an_evaluation_of_its_own_the_model_has_the_most_replicates_that_are_alike(data, instance, scored):
    study(data / "gqa_mini_baselines", scored)
    for seed, epochs in enumerate((2, 1, 1)):
        replicate(data, seed, scored, epochs=epochs)
    _, part = joined(data, instance)
    assert list(part["rows"]["ours"]["scores"]) == ["1", "2"]
    assert part["left_out"]["ours, seed 0 of gqa_mini_replicates/0"] == "training.epochs=2"
    assert "ours" not in part["left_out"]


def test_replicates_on_other_data_than_the_study_are_named(data, instance, scored):
    elsewhere = data.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "questions.json").write_text('["other"]')
    study(data / "gqa_mini_baselines", scored)
    replicate(data, 0, elsewhere)
    metadata, part = joined(data, instance)
    assert part["left_out"]["ours"] == "no sealed evaluation of the model on these data"
    assert "other than those of the study" in part["left_out"]["ours, seed 0 of gqa_mini_replicates/0"]
    assert "gqa_mini_replicates/0" in metadata["left_out"].value


@pytest.mark.parametrize("content", [None, "{"])
def test_a_replicate_without_the_manifest_of_its_model_is_named_in_one_line(data, instance, scored, content):
    study(data / "gqa_mini_baselines", scored)
    evaluation(data / "gqa_mini_evaluation", scored, scores(0, 0.9))
    replicate(data, 1, scored)
    model = data / "gqa_mini_replicates" / "1" / "evaluation" / "model.json"
    model.unlink() if content is None else model.write_text(content)
    done = job_of(defs(), KEYS).execute_in_process(instance=instance, raise_on_error=False)
    (line,) = failure_of(done)
    assert line == f"{model}: missing or broken; make the evaluation again"


def test_a_single_seed_gives_a_table_and_no_figure(data, instance, scored):
    study(data / "gqa_mini_baselines", scored, seeds=1)
    with dg.DagsterInstance.ephemeral() as own:
        done = job_of(defs(), KEYS).execute_in_process(instance=own, raise_on_error=False)
    assert (data / "visual_baselines" / "table.txt").is_file()
    (line,) = failure_of(done)
    assert "an interval over seeds needs 3" in line
    assert not (data / "performance_comparison").exists()


def test_a_comparison_of_fewer_seeds_than_there_are_is_made_again_for_the_paper(data, instance, scored):
    def is_outdated(left=()):
        return sealed.is_outdated(data, artifact.read_manifest(data / "visual_baselines"), left)

    study(data / "gqa_mini_baselines", scored)
    evaluation(data / "gqa_mini_evaluation", scored, scores(3, 0.8), 3)
    joined(data, instance)
    assert not is_outdated()
    assert is_outdated(["gqa_mini_replicates"])
    replicate(data, 0, scored)
    assert is_outdated()
    joined(data, instance)
    assert not is_outdated()
