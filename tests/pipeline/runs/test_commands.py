"""Dagster's commands end before they start anything when their options select, configure or partition nothing."""

import json
import re
import warnings

import click
import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._cli import asset as asset_module
from dagster._cli import job as job_module

from nsmodels.core.errors import InputError
from nsmodels.engine import machine
from pipeline.lib.runs import bare_command, commands, forecast, imports
from pipeline.requests import options, run, selection, tags

OURS = ("-m", "pipeline.definitions")


@pytest.fixture(scope="module", autouse=True)
def checked():
    """The commands with their checks, as the hook sets them up in a process of Dagster."""
    found = [*asset_module.asset_cli.commands.values(), *job_module.job_cli.commands.values()]
    before = [(each, each.callback, list(each.params)) for each in found]
    commands.assets(asset_module), commands.jobs(job_module)
    yield
    for each, callback, params in before:
        each.callback, each.params = callback, params


@pytest.fixture(scope="module")
def repository():
    """The definitions of this project."""
    return commands.repository_of({"module_name": "pipeline.definitions"})


@pytest.fixture
def materialization(repository):
    """The check of `dagster asset materialize`, with options as click passes them; returns its line."""

    def refused(**given):
        none = dict.fromkeys(["partition", "partition_range", "config_json"])
        with pytest.raises((InputError, dg.DagsterInvalidConfigError)) as caught:
            commands.materialization({"config": (), **none, **given}, lambda _: repository)
        return "\n".join(bare_command.refusals(caught.value)) or str(caught.value)

    return refused


@pytest.fixture
def refused(tmp_path, monkeypatch, data):
    """A function that runs a command and returns its only line; nothing has been started."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def refused(command, *words):
        done = CliRunner().invoke(command, [str(word) for word in words])
        lines = done.stderr.splitlines()
        assert (done.exit_code, len(lines)) == (2, 1), done.output
        assert not data.exists()
        assert not any(home.iterdir())  # the history was not even opened
        return lines[0].removeprefix("error: ")

    return refused


def test_a_dry_run_names_inputs_presets_and_what_is_there(repository, data, monkeypatch):
    def lines(*keys, **run_config):
        return list(forecast.lines(repository.asset_graph, [dg.AssetKey(key) for key in keys], run_config))

    monkeypatch.setattr(machine, "has_driver", lambda: False)
    assert lines("clevr_mini_model", "clevr_mini_evaluation") == [
        f"clevr_mini: missing; would be built first, 2,000 + 300 samples (synthetic) in {data}/clevr_mini",
        f"clevr_mini_model: preset small (no GPU found); would be built in {data}/clevr_mini_model",
        f"clevr_mini_evaluation: preset default (the default); would be built in {data}/clevr_mini_evaluation",
    ]
    ops = {"nav_model": {"config": {"preset": "debug"}}}
    mazes, nav = lines("nav_model", ops=ops)
    assert mazes == f"mazes: missing; would be built first, 64 + 24 samples (synthetic) in {data}/mazes"
    assert nav == f"nav_model: preset debug (as requested); would be built in {data}/nav_model"
    monkeypatch.setenv("NSMODELS_PRESET", "debug")
    assert lines("nav_model")[-1] == f"nav_model: preset debug (NSMODELS_PRESET); would be built in {data}/nav_model"
    assert lines("clevr_model")[0].endswith("make it with: dagster asset materialize --select clevr")
    assert lines("nav_replicates") == [
        "nav_replicates: in partitions; those that are sealed and unchanged would be reused"
    ]


@pytest.mark.parametrize("select", ["mazes", "clevr_mini", "nav_model", "mazes,nav_policies"])
def test_a_slip_in_the_preset_of_the_environment_is_refused_for_data_too(materialization, select, monkeypatch):
    monkeypatch.setenv("NSMODELS_PRESET", "qick")
    assert materialization(select=select).startswith("NSMODELS_PRESET=qick: unknown preset; did you mean quick?")


@pytest.mark.parametrize(
    ("select", "found"),
    [
        ("group:nope", "no asset has the group 'nope'; known: archives, datasets, "),
        ("nav_modle", "no asset 'nav_modle'; did you mean nav_model, "),
        ("mazes,nav_modle", "no asset 'nav_modle'; did you mean nav_model, "),
        ('key:"nope*"', "no asset 'nope*'; list all with: dagster asset list"),
        ("tag:system=navv", "no asset has the tag 'system=navv'; did you mean system=nav"),
        ("kind:pytorhc", "no asset has the kind 'pytorhc'; did you mean pytorch?"),
        ('owner:"nobody@x.org"', "no asset has the owner 'nobody@x.org'"),
        ("not group:nope", "no asset has the group 'nope'"),
        ('key:"mazes" or group:nope', "no asset has the group 'nope'"),
        ("nope+", "no asset 'nope'"),
        ("group:models and group:datasets", "its parts have no asset in common"),
        ("", "an empty name"),
        (",", "an empty name"),
        ("mazes,", "an empty name"),
        ("mazes nav_model", "is not a selection; expected names of assets separated by commas"),
        ("status:failed", "status cannot select assets here"),
        ("job:demo", "job cannot select assets here"),
    ],
)
def test_a_selection_of_nothing_is_refused(repository, select, found):
    with pytest.raises(InputError) as caught:
        selection.resolve(repository.asset_graph, select)
    assert str(caught.value).startswith(f"--select '{select}': ")
    assert found in str(caught.value)


@pytest.mark.parametrize("command", ["materialize", "list"])
def test_the_commands_refuse_it(refused, command):
    line = refused(asset_module.asset_cli.commands[command], *OURS, "--select=group:nope")
    assert line.startswith("--select 'group:nope': no asset has the group 'nope'; known: archives, ")


def test_the_command_refuses_partitioned_assets_without_a_partition(refused):
    line = refused(asset_module.asset_cli.commands["materialize"], *OURS, "--select", "mazes*")
    assert line.startswith("some of the selected assets are partitioned: add --partition")


ABOUT_MAZES = {
    "empty": ("", "it is empty; expected a JSON object as in "),
    "blank": (" ", "it is empty"),
    "list": ("[]", "expected a JSON object as in "),
    "null": ("null", "expected a JSON object"),
    "number": ("5", "expected a JSON object"),
    "no JSON": ("{ops: 1}", "not valid JSON (Expecting property name"),
    "twice": ('{"ops": {"mazes": {}, "mazes": {}}}', "'mazes' is given twice"),
    "not a number": ('{"ops": {"mazes": {"config": {"seed": NaN}}}}', "NaN and Infinity are no numbers of JSON"),
    "deep": ('{"a":' * 100_000, "nested too deeply"),
    "unknown asset": ('{"ops": {"maze": {}}}', "ops: no asset 'maze'; did you mean mazes"),
    "not selected": ('{"ops": {"nav_model": {}}}', "ops: 'nav_model' is not selected by --select mazes"),
    "unknown resource": ('{"resources": {"webhok": {}}}', "resources: no resource 'webhok'; did you mean webhook?"),
    "misspelt ops": ('{"opps": {}}', 'unexpected config entry "opps" at the root. Did you mean ops? Known: '),
    "misspelt config": ('{"ops": {"mazes": {"confg": {}}}}', 'at path root:ops:mazes. Did you mean config?'),
    "misspelt field": ('{"ops": {"mazes": {"config": {"num_trian": 3}}}}', "Did you mean num_train"),
    "no value": ('{"ops": null}', "Value at path root:ops must not be None"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "found"), ABOUT_MAZES.values(), ids=ABOUT_MAZES)
def test_a_configuration_without_effect_is_refused(materialization, text, found):
    assert found in materialization(select="mazes", config_json=text)


@pytest.mark.parametrize(
    ("key", "config", "line"),
    [
        ("nav_model", {"training": {"epochs": -1}}, "field 'training.epochs': Input should be greater than or equal"),
        ("mazes", {"num_train": 0}, "field 'num_train': Input should be greater than or equal to 1, got 0"),
        ("nav_search", {"num_trials": 1}, "field 'num_trials': Input should be greater than or equal to 2, got 1"),
        ("nav_evaluation", {"max_steps": -1}, "field 'max_steps': Input should be greater than or equal to 0, got -1"),
        ("nav_replicates", {"training": {"epochs": 0}}, "field 'training.epochs': Input should be greater than or"),
        ("nav_replicates", {"training": {"seed": 3}}, "field 'training.seed': the seed is the partition; leave the"),
    ],
)
def test_a_value_out_of_bounds_is_refused_before_a_run(refused, tmp_path, key, config, line):
    command, given = asset_module.asset_cli.commands["materialize"], {"ops": {key: {"config": config}}}
    words = [*OURS, "--select", key, *(["--partition", "0"] if key == "nav_replicates" else [])]
    assert refused(command, *words, "--config-json", json.dumps(given)).startswith(f"--config-json: {key}: {line}")
    path = tmp_path / "run.yaml"
    path.write_text(json.dumps(given))
    assert refused(command, *words, "--config", path).startswith(f"--config {path}: {key}: {line}")


def test_a_value_in_a_tag_of_a_job_is_refused_before_a_run(refused):
    words = "--job", "retrain", "--tags", json.dumps({tags.CONFIG: json.dumps({"training.epochs": -1})})
    line = refused(job_module.job_execute_command, *OURS, *words)
    assert re.match(r"--tags: \w+: (field 'training.epochs': Input should be greater|unknown field 'training)", line)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, "no such file"),
        ("", "expected a mapping"),
        ("{}", "it is empty"),
        ("- ops", "expected a mapping"),
        ("ops: [", "not valid YAML"),
        ("ops: {maze: {}}", "ops: no asset 'maze'"),
        ("ops: {mazes: {}}\nops: {}", "twice"),
    ],
    ids=["missing", "empty", "empty mapping", "list", "no YAML", "unknown asset", "twice"],
)
def test_a_configuration_file_without_effect_is_refused(materialization, tmp_path, text, found):
    path = tmp_path / "run.yaml"
    if text is not None:
        path.write_text(text)
    line = materialization(select="mazes", config=(str(path),))
    assert "run.yaml: " in line
    assert found in line


ONE, SEVERAL = "partition", "partition_range"


@pytest.mark.parametrize(
    ("select", "given", "found"),
    [
        ("nav_replicates", {ONE: ""}, "--partition '': it is empty"),
        ("nav_replicates", {ONE: "77"}, "no partition '77'"),
        ("nav_replicates", {SEVERAL: ""}, "--partition-range '': it is empty"),
        ("nav_replicates", {SEVERAL: "0..4"}, "expected FIRST...LAST"),
        ("nav_replicates", {SEVERAL: "0..."}, "expected FIRST...LAST"),
        ("nav_replicates", {SEVERAL: "0...44"}, "no partition '44'; did you mean 4?"),
        ("nav_replicates", {SEVERAL: "3...1"}, "it is empty; give the smaller one first"),
        ("nav_replicates", {ONE: "1", SEVERAL: "1...2"}, "give one of them"),
        ("nav_replicates", {}, "some of the selected assets are partitioned: add --partition"),
        ("nav_replicates,mazes", {SEVERAL: "0...1"}, "accepted for replicates only"),
        ("mazes", {ONE: "1"}, "none of the selected assets is partitioned"),
    ],
)
def test_partitions_that_are_none_are_refused(materialization, select, given, found):
    assert found in materialization(select=select, **given)


def test_a_trial_that_was_not_queued_is_refused(materialization, data, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert "no partition 'quick'; known: none yet" in materialization(select="nav_trials", partition="quick")


ABOUT_JOBS = {
    "unknown job": (job_module.job_execute_command, ["--job=demoo"], "no such job; did you mean demo?"),
    "every asset": (job_module.job_execute_command, ["--job=__ASSET_JOB"], "it has every asset"),
    "no op": (job_module.job_execute_command, ["--job=demo", "--op-selection="], "--op-selection '': it is empty"),
    "unknown op": (job_module.job_execute_command, ["--job=demo", "-o", "nope"], "No qualified ops to execute"),
    "empty tags": (job_module.job_execute_command, ["--job=demo", "--tags="], "--tags: it is empty"),
    "number": (job_module.job_launch_command, ["--job=demo", '--tags={"a": 1}'], "tag a: expected a text in quotes"),
    "list": (job_module.job_launch_command, ["--job=demo", "--tags=[]"], "--tags: expected a JSON object"),
    "misspelt tag": (
        job_module.job_execute_command,
        ["--job=demo", '--tags={"nsmodels/prest": "debug"}'],
        "run tag nsmodels/prest: unknown; did you mean nsmodels/preset",
    ),
    "empty configuration": (job_module.job_launch_command, ["--job=demo", "--config-json="], "--config-json: it is"),
    "no partition": (job_module.job_backfill_command, ["--job=demo", "--partitions="], "--partitions '': it is empty"),
    "all unasked": (job_module.job_backfill_command, ["--job=demo", "--noprompt"], "no partitions; give --partitions"),
}  # fmt: skip


@pytest.mark.parametrize(("command", "words", "found"), ABOUT_JOBS.values(), ids=ABOUT_JOBS)
def test_jobs_are_refused_alike(refused, command, words, found):
    assert found in refused(command, *OURS, *words)


def test_what_selects_something_is_what_dagster_selects(repository):
    graph = repository.asset_graph
    for text in (
        "nav_model",
        "mazes, nav_model",
        "group:models",
        'key:"nav*" and not group:"trials"',
        "*",
        "+nav_model",
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = dg.AssetSelection.from_coercible(text.split(",")).resolve(graph)
        assert selection.resolve(graph, text) == expected


def test_assets_that_cannot_be_materialized_are_named():
    graph = dg.Definitions([dg.AssetSpec("table")]).get_repository_def().asset_graph
    with pytest.raises(InputError, match="table cannot be materialized"):
        selection.resolve(graph, "table")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({tags.CONFIG: "[]"}, "run tag nsmodels/config: expected a JSON object"),
        ({tags.CONFIG: '{"training.lr": 1, "training.lr": 2}'}, "'training.lr' is given twice"),
        ({tags.CONFIG: ""}, "run tag nsmodels/config: it is empty"),
        ({tags.PRESET: " "}, "run tag nsmodels/preset: it is empty"),
        ({"nsmodels/presets": "debug"}, "run tag nsmodels/presets: unknown; did you mean nsmodels/preset"),
    ],
)
def test_tags_of_a_run_that_mean_nothing_are_refused(given, found):
    with pytest.raises(InputError) as caught:
        tags.tagged_config(given)
    assert found in str(caught.value)


@pytest.mark.parametrize("chosen", [None, frozenset()], ids=["none", "empty"])
def test_a_run_of_all_assets_is_one_that_names_them(instance, chosen):
    @dg.asset
    def alone():
        """An asset."""

    job = dg.Definitions([alone]).resolve_implicit_global_asset_job_def()
    keys = frozenset([alone.key])
    run.require_assets(instance.create_run_for_job(job, asset_selection=keys))
    with pytest.raises(InputError, match="this run selects no asset"):
        run.require_assets(instance.create_run_for_job(job, asset_selection=chosen))


def test_a_run_may_configure_assets_of_other_runs_of_its_backfill_but_none_that_do_not_exist(repository):
    job = repository.get_job("__ASSET_JOB").get_subset(asset_selection=frozenset([dg.AssetKey("mazes")]))
    for name, is_known in (("nav_model", True), ("nav_modle", False)):
        made = dg.DagsterRun("__ASSET_JOB", run_config={"ops": {name: {}}})
        if is_known:
            run.require_known_configuration(made, job)
        else:
            with pytest.raises(InputError, match="launchpad: ops: no asset 'nav_modle'; did you mean nav_model"):
                run.require_known_configuration(made, job)


def test_a_module_is_acted_upon_once_it_is_imported(tmp_path, monkeypatch):
    (tmp_path / "nsmodels_late.py").write_text("VALUE = 1")
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    imports.after("nsmodels_late", lambda module: found.append(module.VALUE))
    assert found == []
    __import__("nsmodels_late")
    assert found == [1]
    imports.after("nsmodels_late", lambda module: found.append(2))
    assert found == [1, 2]


def test_json_is_read_as_it_is():
    assert options.json_object(json.dumps({"ops": {"a": 1e-3}}), "here") == {"ops": {"a": 1e-3}}
    assert isinstance(commands.Refusal("no"), click.ClickException)
