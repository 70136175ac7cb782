"""The assets `visual_baselines` and `performance_comparison`, from what lies in the data root."""

import json

import dagster as dg
import pytest

from nsmodels.core import artifact
from pipeline.definitions import defs
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


def test_the_model_has_the_seeds_of_its_replicates_that_differ_in_nothing_else(data, instance, scored):
    study(data / "gqa_mini_baselines", scored)
    evaluation(data / "gqa_mini_evaluation", scored, scores(0, 0.9))
    for seed, epochs in enumerate((1, 1, 2)):
        place = data / "gqa_mini_replicates" / str(seed)
        place.mkdir(parents=True)
        evaluation(place / "evaluation", scored, scores(seed, 0.8), seed, epochs)
    job_of(defs(), KEYS).execute_in_process(instance=instance)
    report = json.loads((data / "visual_baselines" / "report.json").read_text())
    assert list(report["parts"]["gqa_mini"]["rows"]["ours"]["scores"]) == ["0", "1"]
    assert set(artifact.read_manifest(data / "visual_baselines").inputs) == {
        "gqa_mini_baselines",
        "gqa_mini_evaluation",
        "gqa_mini_replicates/1/evaluation",
    }


def test_a_single_seed_gives_a_table_and_no_figure(data, instance, scored):
    study(data / "gqa_mini_baselines", scored, seeds=1)
    with dg.DagsterInstance.ephemeral() as own:
        done = job_of(defs(), KEYS).execute_in_process(instance=own, raise_on_error=False)
    assert (data / "visual_baselines" / "table.txt").is_file()
    (line,) = failure_of(done)
    assert "an interval over seeds needs 3" in line
    assert not (data / "performance_comparison").exists()
