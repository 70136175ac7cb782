"""The short command as typed by a user: a subprocess with a clean environment in a folder of its own."""

import json
import os
import shutil
import signal
import subprocess
import sysconfig
import time
from pathlib import Path

import dagster as dg
import pytest

from nsmodels.core import interrupts
from nsmodels.core.artifact import read_manifest
from pipeline.lib.runs import bare_command
from pipeline.lib.runs import history as history_module
from tests.pipeline.live.services import BIN, ROOT, history


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project's settings in an empty folder, which keeps its own history and data."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("pyproject.toml", "dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / name, folder)
    return folder


def environment(project):
    """A minimal environment, with the path of the virtual environment."""
    return {"PATH": f"{BIN}:/usr/bin:/bin", "NSMODELS_DATA": str(project / "data"), "OMP_NUM_THREADS": "1"}


def command(select, **config):
    """Arguments of the short command."""
    given = ["--config-json", json.dumps({"ops": {select: {"config": config}}})] if config else []
    return ["dagster", "asset", "materialize", "--select", select, *given]


def run(project, select, **config):
    """Run it to its end."""
    return subprocess.run(
        command(select, **config), cwd=project, env=environment(project), capture_output=True, text=True, check=False
    )


def statuses(instance):
    """How the runs of a history ended, sorted."""
    return sorted(run.status.value for run in instance.get_runs())


def test_the_command_makes_model_and_data_and_keeps_history(project):
    done = run(project, "nav_model", preset="debug", baselines={"is_enabled": False})
    assert done.returncode == 0, done.stderr[-3000:]
    data, model = (read_manifest(project / "data" / key) for key in ("mazes", "nav_model"))
    with history(project) as instance:
        made = {key: instance.fetch_materializations(dg.AssetKey(key), limit=99) for key in ("mazes", "nav_model")}
        assert [len(found.records) for found in made.values()] == [1, 1]
        assert statuses(instance) == ["SUCCESS"]
        tags = made["nav_model"].records[0].asset_materialization.tags
    assert tags["dagster/data_version"] == model.fingerprint
    assert tags["dagster/input_data_version/mazes"] == data.fingerprint
    assert "mazes: missing; will be built first, 64 + 24 samples (synthetic) in data/mazes" in done.stderr
    *_, made, checks, score, load, look = done.stderr.splitlines()
    assert score == "score: dagster asset materialize --select nav_evaluation"
    assert made.startswith("nav_model  built in ")
    assert made.endswith("s, data/nav_model, synthetic mazes")
    assert checks.startswith("checks: ")
    assert checks.endswith(" passed, 0 failed")
    assert load == "load: model = nsmodels.load('nav_model')"
    assert look.startswith("look: make ui")


def test_a_killed_run_does_not_block_the_next(project):
    words = command("mazes", preset="debug", num_train=1_000_000)
    running = subprocess.Popen(words, cwd=project, env=environment(project), stderr=subprocess.DEVNULL)
    while running.poll() is None and not (project / "data/.mazes.partial").exists():
        time.sleep(0.05)
    running.kill()
    assert running.wait() == -signal.SIGKILL
    before = read_manifest(project / "data/mazes")
    done = run(project, "mazes", preset="debug")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "was interrupted earlier; marked as failed" in done.stderr
    with history(project) as instance:
        assert statuses(instance)[0] == "FAILURE"
    assert read_manifest(project / "data/mazes") == before


@pytest.mark.parametrize(
    ("select", "config", "line"),
    [
        ("clevr_mini_model", {"training": {"epoch": 3}}, 'error: Received unexpected config entry "epoch" at path '),
        (
            "clevr_mini_model",
            {"training": {"epochs": 0}},
            "error: --config-json: clevr_mini_model: field 'training.epochs': ",
        ),
        ("clevr_mini_modell", {}, "error: --select 'clevr_mini_modell': no asset 'clevr_mini_modell'; did you mean "),
    ],
    ids=["unknown field", "out of bounds", "unknown asset"],
)
def test_the_last_line_is_the_error(project, select, config, line):
    done = run(project, select, **config)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode != 0
    assert last.startswith(line)
    assert "Traceback" not in done.stderr
    assert "Stack Trace" not in done.stderr


def test_definitions_that_cannot_be_loaded_for_bad_input_are_one_line(project):
    words = command("mazes")
    given = environment(project) | {"NSMODELS_EXTENSIONS": "/nowhere"}
    done = subprocess.run(words, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr == "error: NSMODELS_EXTENSIONS: no folder /nowhere; correct the variable, or unset it\n"


@pytest.mark.parametrize("seconds", [1.0, 2.0, None], ids=["imports", "definitions", "after the first line"])
def test_a_stop_before_the_first_step_is_one_line(project, seconds):
    """Ctrl-C while Dagster and the definitions are loaded, and after what will be made was printed."""
    given = environment(project) | {"NSMODELS_DATA": str(project / "stopped")}
    words = command("mazes", preset="debug", num_train=1_000_000)
    started = subprocess.Popen(words, cwd=project, env=given, stderr=subprocess.PIPE, text=True, start_new_session=True)
    before = started.stderr.readline() if seconds is None else time.sleep(seconds) or ""
    os.killpg(started.pid, signal.SIGINT)
    err = before + started.communicate(timeout=60)[1]
    assert started.returncode == 130
    assert err.splitlines()[-1] == interrupts.LINE
    assert err.count(interrupts.LINE) == 1
    assert "Aborted" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("select", "config", "begun", "number", "status"),
    [
        ("mazes,nav_model", {"mazes": {"num_train": 1_000_000}}, ".mazes.partial", signal.SIGTERM, 143),
        ("nav_model", {"nav_model": {"training": {"epochs": 100_000}}}, ".nav_model.partial/*/*", signal.SIGINT, 130),
    ],
    ids=["data, then a model", "training"],
)
def test_a_signal_ends_the_whole_run_in_one_line(project, select, config, begun, number, status):
    """As from the terminal: the signal of Ctrl-C reaches the whole process group."""
    data, before = project / "data", sealed(project / "data")
    for unfinished in data.glob(".*.partial"):
        shutil.rmtree(unfinished)
    ops = {name: {"config": {"preset": "debug", **given}} for name, given in config.items()}
    words = ["dagster", "asset", "materialize", "--select", select, "--config-json", json.dumps({"ops": ops})]
    started = subprocess.Popen(
        words, cwd=project, env=environment(project), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while started.poll() is None and not list(data.glob(begun)):
        time.sleep(0.05)
    time.sleep(0.5)
    os.killpg(started.pid, number)
    err = started.communicate(timeout=60)[1]
    assert started.returncode == status
    assert err.splitlines()[-1] == "stopped; run the same command again, finished work is kept"
    assert "Traceback" not in err
    assert "Stack Trace" not in err
    assert sealed(data) == before
    with history(project) as instance:
        assert instance.get_runs(limit=1)[0].status.value == "CANCELED"


def sealed(data):
    return {path: path.read_text() for path in data.glob("*/manifest.json")}


def test_four_first_runs_at_once_end_with_the_command_for_the_missing_data(tmp_path):
    for name in ("pyproject.toml", "dagster.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    words = ["dagster", "asset", "materialize", "--select", "clevr_model"]
    runs = [
        subprocess.Popen(words, cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for started in runs:
        last = started.communicate()[1].splitlines()[-1]
        assert started.returncode != 0
        assert last.startswith("error: ")
        assert last.endswith("dagster asset materialize --select clevr")


def version_of(folder, program, **more):
    """The version of a program of Dagster."""
    words = [BIN / program, "--version"]
    return subprocess.run(words, cwd=folder, env={**environment(folder), **more}, capture_output=True, text=True)


def is_ready(folder):
    return (folder / ".dagster/ready").exists()


def test_the_daemon_creates_the_history_as_the_command_does(tmp_path):
    for name in ("pyproject.toml", "dagster.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    assert version_of(tmp_path, "dagster-daemon").returncode == 0
    assert is_ready(tmp_path)


def test_the_web_server_creates_the_history_in_this_project_only(tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder, module in ((ours, "pipeline.definitions"), (theirs, "other.definitions")):
        folder.mkdir()
        (folder / "pyproject.toml").write_text(f'[tool.dagster]\nmodule_name = "{module}"\n')
        shutil.copy(ROOT / "dagster.yaml", folder)
        assert version_of(folder, "dagster-webserver").returncode == 0
    assert is_ready(ours)
    assert not (theirs / ".dagster").exists()


def test_no_second_history_is_created_elsewhere(project, tmp_path):
    done = version_of(tmp_path, "dagster-daemon", DAGSTER_HOME=str(project))
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: DAGSTER_HOME={project}: ")
    assert done.stderr.endswith(f"got {tmp_path}; cd {project}, or unset DAGSTER_HOME\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "is_error"),
    [
        ("module: pipeline.lib.runs.launcher\nbase_dir: .dagster/history", True),
        ('module: pipeline.lib.runs.launcher\nbase_dir: "history"', True),
        ("module: pipeline.lib.runs.launcher\nbase_dir: /srv/history", False),
        ("module: pipeline.lib.runs.launcher\nbase_dir: {env: PLACE}", False),
        ("base_dir: .dagster/history", False),
    ],
    ids=["ours", "quoted", "absolute", "from the environment", "of another project"],
)
def test_only_relative_folders_of_this_project_depend_on_the_current_directory(tmp_path, monkeypatch, text, is_error):
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir(), elsewhere.mkdir()
    (home / "dagster.yaml").write_text(text)
    monkeypatch.chdir(elsewhere)
    assert bool(history_module.location_error(str(home))) == is_error
    assert history_module.location_error(None) is None
    monkeypatch.chdir(home)
    assert history_module.location_error(str(home)) is None


def test_the_installed_line_is_that_of_the_project():
    installed = Path(sysconfig.get_path("purelib")) / "nsmodels_bare_command.pth"
    assert installed.read_text() == (ROOT / "pipeline/lib/runs/bare_command.pth").read_text(), (
        "install the project again"
    )


def test_a_terminal_is_told_once_that_loading_takes_a_while(project):
    ours, theirs = os.openpty()
    done = subprocess.run(command("nav_modle"), cwd=project, env=environment(project), stderr=theirs, check=False)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        first, second = terminal.read(100_000).decode().splitlines()
    assert done.returncode == 2
    assert first.startswith("nsmodels: loading Dagster and the asset graph")
    assert second.startswith("error: --select 'nav_modle': ")


def test_dg_has_the_settings_of_the_project(project, tmp_path):
    words, given = ["dg", "check", "yaml"], environment(project) | {"HOME": str(tmp_path)}
    done = subprocess.run(words, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert list((tmp_path / ".dagster").rglob("event.log")) == []  # usage statistics, off in dagster.yaml


@pytest.mark.parametrize(
    ("words", "key", "is_implied"),
    [
        (["--select", "planning_model*"], "cross_domain_comparison", True),
        (["--select", "planning_model*"], "planning_model", False),
        (["-s", 'key:"nav_model"+ and not group:"trials"'], "nav_success", True),
        (["--select=*world_evaluation"], "world_evaluation", False),
        (["--select", "causal_networks,causal_networks_evaluation"], "causal_networks_evaluation", False),
        (["--select", "group:figures"], "nav_success", False),
        ([], "nav_success", False),
    ],
)
def test_an_asset_is_implied_where_a_selection_does_not_name_it(words, key, is_implied):
    assert bare_command.is_implied(key, ["python", "dagster", "asset", "materialize", *words]) == is_implied


@pytest.mark.parametrize("verb", ["asset materialize", "job execute", "job backfill", "job launch"])
def test_every_command_that_starts_runs_closes_dead_ones_first(verb):
    assert bare_command.is_run(["python", "dagster", *verb.split()])
    assert not bare_command.is_run(["python", "dagster", "asset", "list"])


def test_every_command_finds_the_history_unless_dagster_home_is_set(tmp_path):
    found: dict[str, str] = {}
    bare_command.set_home(tmp_path, found)
    assert found == {}
    (tmp_path / "dagster.yaml").touch()
    bare_command.set_home(tmp_path, found)
    assert found == {"DAGSTER_HOME": str(tmp_path)}
    bare_command.set_home(ROOT, found)
    assert found == {"DAGSTER_HOME": str(tmp_path)}


@pytest.mark.parametrize("words", [["-m", "x.y"], ["--module-name=x.y"], ["-f", "x.py"]])
def test_a_target_on_the_command_line_wins(words):
    found: dict[str, str] = {}
    bare_command.point_dagster(ROOT, ["asset", "materialize", *words], found)
    assert found == {}
    bare_command.point_dagster(ROOT, ["asset", "materialize", "--select", "x"], found)
    assert found == dict.fromkeys(bare_command.VARIABLES, "pipeline.definitions")


def test_what_libraries_log_without_a_handler_is_kept_back_after_a_stop():
    code = """if True:
        import logging, os, signal, sys, time
        sys.orig_argv = ["python", "dagster", "asset", "materialize"]
        from pipeline.lib.runs import bare_command
        bare_command.watch_stops()
        logging.getLogger("sqlalchemy").error("before")
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except KeyboardInterrupt:
            logging.getLogger("sqlalchemy").error("Exception closing connection", exc_info=True)"""
    done = subprocess.run([BIN / "python", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.splitlines()) == (143, ["before", bare_command.interrupts.LINE])
