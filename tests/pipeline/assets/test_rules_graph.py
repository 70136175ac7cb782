"""The asset `rule_learning` on the composed twin of GQA, with the debug presets."""

import json

import dagster as dg
import pytest

from nsmodels.core.artifact import read_manifest
from pipeline.definitions import defs
from tests.pipeline.jobs import job_of

DEBUG = {"config": {"preset": "debug"}}


def test_the_study_is_made_from_the_data_and_kept(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    job = job_of(defs(), ["rule_learning"])
    for is_reused in (False, True):
        with dg.DagsterInstance.ephemeral() as instance:
            done = job.execute_in_process(run_config={"ops": {"rule_learning": DEBUG}}, instance=instance)
        event = done.get_asset_materialization_events()[-1]  # the first run makes the data, too
        assert event.materialization.metadata["is_reused"].value is is_reused
    manifest = read_manifest(tmp_path / "rule_learning")
    assert manifest.inputs["gqa_mini"].fingerprint == read_manifest(tmp_path / "gqa_mini").fingerprint
    report = json.loads((tmp_path / "rule_learning/report.json").read_text())
    assert [each["scenes"] for each in report["by_scenes"]] == [10, 20]
