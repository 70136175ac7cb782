"""The live Dagster that other tests use: starts, makes something, stops, leaves nothing behind."""

from tests.pipeline.live import live

CONFIG = '{"ops": {"mazes": {"config": {"preset": "debug"}}}}'


def test_it_starts_makes_something_and_leaves_nothing(tmp_path):
    with live(tmp_path) as dagster:
        run = dagster.launch(["mazes"], {"mazes": {"preset": "debug"}})
        dagster.wait(run)
        assert (tmp_path / "data/mazes/manifest.json").exists()
        assert [event["eventType"] for event in dagster.events(run)].count("ASSET_MATERIALIZATION") == 1
        dagster.command("asset", "materialize", "--select", "mazes", "--config-json", CONFIG)
        assert [run["status"] for run in dagster.runs()] == ["SUCCESS", "SUCCESS"]
        assert len(dagster.processes()) >= 4
    assert dagster.processes() == []
    assert not list(tmp_path.glob(".tmp_dagster_home*"))
