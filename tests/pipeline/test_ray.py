"""Steps on a real Ray cluster of two machines (of this one), one of which dies; and what is said without a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from tests.core.server import free_port
from tests.pipeline.live import ROOT, live, until

IS_INSTALLED = find_spec("ray") is not None and find_spec("dagster_ray") is not None
BIN = Path(sys.executable).parent
EVENTS = """
import json, dagster as dg
from pipeline.lib.runs.history import opened
with opened() as instance:
    run, = instance.get_runs()
    logged = [entry.dagster_event for entry in instance.all_logs(run.run_id) if entry.dagster_event]
    print(json.dumps([[event.event_type_value, event.step_key] for event in logged]))
"""
REFUSED = """
import sys
from pipeline.lib.cluster import executor
for address in sys.argv[1:]:
    try:
        executor.connect(address)
    except executor.InputError as error:
        print(error)
sys.modules["dagster_ray"] = None
try:
    executor.connect("http://127.0.0.1:1")
except executor.InputError as error:
    print(error)
"""
ENDINGS = """
import json, sys
from pipeline.lib.cluster.jobs import ending, waiting_for
jobs = [None, *({"status": status, "error_type": kind, "message": "why"} for status, kind in json.loads(sys.argv[1]))]
machines = [{"CPU": 2.0, "GPU": 1.0}, {"CPU": 2.0, "GPU": 1.0}, {"CPU": 4.0}]
needs = [{"CPU": 4.0, "GPU": 0.0}, {"CPU": 4.0, "GPU": 1.0}]
print(json.dumps([[ending(job) for job in jobs], [waiting_for(each, machines) for each in needs]]))
"""
NEEDS = """
import json
from pipeline.lib.cluster.steps import PAUSE, processes_of
config = {"ops": {"nav_model": {"config": {"training": {"num_processes": 3}}}, "mazes": {}}}
print(json.dumps([[processes_of(config, step) for step in ("nav_model", "mazes", "nav_evaluation")], PAUSE]))
"""
IMPORTED = """
import sys
import pipeline.definitions
print(pipeline.definitions.defs().executor.name, *(name for name in ("ray", "dagster_ray") if name in sys.modules))
"""


class Cluster:
    """A head and a worker, one CPU and one pretended GPU each."""

    def __init__(self, folder: Path) -> None:
        port, dashboard = free_port(), free_port()
        self.address = f"http://127.0.0.1:{dashboard}"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "DAGSTER_"))}
        mark = {"NSMODELS_TEST_CLUSTER": str(folder), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        patience = {"RAY_JOB_START_TIMEOUT_SECONDS": "31536000"}
        self.environment, self.folder = kept | mark | patience, folder
        head = ["--head", "--port", str(port), "--dashboard-port", str(dashboard), "--temp-dir", str(folder)]
        self.start(*head, "--include-log-monitor", "false")
        self.start("--address", f"127.0.0.1:{port}")

    def start(self, *flags: str) -> None:
        resources = ["--num-cpus", "1", "--num-gpus", "1", "--object-store-memory", "100000000"]
        words = [BIN / "ray", "start", *flags, *resources, "--disable-usage-stats"]
        words += ["--dashboard-agent-listen-port", str(free_port())]
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout

    def stop(self) -> None:
        """Kill everything: what names the folder, what carries the mark, and what these have started."""
        found = [process for process in psutil.process_iter() if self._owns(process)]
        for process in {child for parent in found for child in [parent, *_children(parent)]}:
            with suppress(psutil.Error):
                process.kill()

    def _owns(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):  # Ray's processes name themselves, and lose their environment by that
            words, mark = " ".join(process.cmdline()), process.environ().get("NSMODELS_TEST_CLUSTER")
            return str(self.folder) in words or mark == str(self.folder)
        return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return process.children(recursive=True)
    return []


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as folder:
        started = None
        try:
            started = Cluster(Path(folder))  # a short path: Ray puts sockets there
            yield started
        finally:
            if started:
                started.stop()


def counted(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def raylet_of(pid: int) -> psutil.Process:
    """The process that plays the machine on which `pid` runs."""
    return next(parent for parent in psutil.Process(pid).parents() if parent.name() == "raylet")


def is_head(raylet: psutil.Process) -> bool:
    return "--head" in raylet.cmdline()


@pytest.mark.skipif(not IS_INSTALLED, reason="the extra is not installed: pip install 'nsmodels[ray]'")
def test_steps_of_a_machine_that_dies_finish_on_another_and_nothing_is_lost(cluster: Cluster, tmp_path: Path) -> None:
    with live(tmp_path, daemon=False, environment={"RAY_ADDRESS": cluster.address}) as place:
        words = ("asset", "materialize", "-m", "tests.pipeline.counting", "--select", "first,second")
        run, files = place.begin(*words), {name: tmp_path / f"data/{name}.jsonl" for name in ("first", "second")}
        (tmp_path / "data").mkdir()
        until(lambda: run.poll() is not None or all(len(counted(file)) >= 2 for file in files.values()), 120)
        assert run.poll() is None, run.communicate()[1][-3000:]
        raylets = {name: raylet_of(counted(file)[-1]["pid"]) for name, file in files.items()}
        (lost,) = [name for name, raylet in raylets.items() if not is_head(raylet)]
        gone = [raylets[lost], *raylets[lost].children(recursive=True)]
        raylets[lost].kill()
        _, err = run.communicate(timeout=200)
        assert run.returncode == 0, err[-3000:]
        assert not psutil.wait_procs(gone, timeout=30)[1]
        for name, file in files.items():
            rows = counted(file)
            assert [row["number"] for row in rows] == list(range(12))  # it went on where it was cut
            assert len({row["pid"] for row in rows}) == (2 if name == lost else 1)
            assert {row["gpus"] for row in rows} == {"0" if name == "first" else ""}  # a GPU for the training only
        asked = subprocess.run([sys.executable, "-c", EVENTS], capture_output=True, text=True, **place.place())
        events = json.loads(asked.stdout)
        assert [step for kind, step in events if kind == "STEP_UP_FOR_RETRY"] == [lost]
        assert sorted(step for kind, step in events if kind == "ASSET_MATERIALIZATION") == ["first", "second"]


class Moody(BaseHTTPRequestHandler):
    """A door to the dashboard that gives bad answers about jobs when told to, a status for each."""

    behind, moods, asked = "", [], []

    def do_GET(self) -> None:
        """Pass on, or be in a mood."""
        is_of_job = self.path.startswith("/api/jobs/")
        if is_of_job and self.moods:
            self.asked.append(self.moods.pop(0))
            return self._answer(self.asked[-1], b"in a bad mood")
        self.asked += [200] * is_of_job
        return self._pass_on(Request(self.behind + self.path))

    def do_POST(self) -> None:
        """Pass on."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._pass_on(Request(self.behind + self.path, body, {"Content-Type": "application/json"}))

    def log_message(self, *_: object) -> None:
        """Be silent."""

    def _pass_on(self, request: Request) -> None:
        try:
            with urlopen(request, timeout=30) as answer:
                self._answer(answer.status, answer.read())
        except HTTPError as error:
            self._answer(error.code, error.read())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def door(cluster: Cluster) -> Iterator[str]:
    Moody.behind = cluster.address
    with ThreadingHTTPServer(("127.0.0.1", 0), Moody) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.skipif(not IS_INSTALLED, reason="the extra is not installed: pip install 'nsmodels[ray]'")
def test_bad_answers_start_no_second_copy_and_a_run_that_waits_can_be_cancelled(door: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with live(tmp_path, daemon=False, environment={"RAY_ADDRESS": door}) as place:
        words = ("asset", "materialize", "-m", "tests.pipeline.counting", "--select", "endless,greedy")
        run, file = place.begin(*words), tmp_path / "data/endless.jsonl"
        until(lambda: run.poll() is not None or counted(file), 120)
        Moody.moods[:] = [500, 401, 404, 500, 503, 401]  # three looks at two steps
        until(lambda: run.poll() is not None or not Moody.moods, 60)
        until(lambda: run.poll() is not None or len(Moody.asked) > 6 + Moody.asked.index(500), 60)
        assert run.poll() is None, run.communicate()[1]
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cancel"], capture_output=True, text=True, **place.place()
        )
        rows = counted(file)
        assert (done.returncode, done.stdout) == (0, "1 runs cancelled\n"), done.stderr[-3000:]
        assert len({row["pid"] for row in rows}) == 1
        assert not psutil.pid_exists(rows[-1]["pid"]) or psutil.Process(rows[-1]["pid"]).status() == "zombie"
        _, said = run.communicate(timeout=60)
        assert run.returncode != 0
        assert said.count("the cluster does not answer as it should; taken to live") == 2  # one for each of two steps
        assert said.count("no machine of the cluster has 4 CPU, 4 GPU, what they have is: 1 CPU, 1 GPU") == 1
        asked = subprocess.run([sys.executable, "-c", EVENTS], capture_output=True, text=True, **place.place())
        events = json.loads(asked.stdout)
        assert [step for kind, step in events if kind == "STEP_UP_FOR_RETRY"] == []
        assert "PIPELINE_CANCELED" in [kind for kind, _ in events]


@pytest.mark.skipif(not IS_INSTALLED, reason="the extra is not installed: pip install 'nsmodels[ray]'")
def test_only_what_another_machine_may_do_better_is_tried_again() -> None:
    ended = [
        ("FAILED", "JOB_SUPERVISOR_ACTOR_DIED"),
        ("FAILED", "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"),
        ("FAILED", "JOB_ENTRYPOINT_COMMAND_ERROR"),
        ("STOPPED", None),
    ]
    words = [sys.executable, "-c", ENDINGS, json.dumps(ended)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    endings, waiting = json.loads(done.stdout)
    assert endings == [
        "its machine is lost: the cluster knows nothing of its job",
        "its machine is lost: JOB_SUPERVISOR_ACTOR_DIED: why",
        "it found no room: JOB_SUPERVISOR_ACTOR_START_TIMEOUT: why",
        "its job ended without a word of the step: JOB_ENTRYPOINT_COMMAND_ERROR: why",
        "its job ended without a word of the step: STOPPED: why",
    ]
    assert waiting == [
        "waiting until a machine of the cluster has 4 CPU, 0 GPU free",
        "no machine of the cluster has 4 CPU, 1 GPU, what they have is: 2 CPU, 1 GPU; 4 CPU, 0 GPU; "
        "waiting until one joins, or cancel",
    ]


@pytest.mark.skipif(not IS_INSTALLED, reason="the extra is not installed: pip install 'nsmodels[ray]'")
def test_what_is_wrong_with_the_address_is_one_line() -> None:
    words = [sys.executable, "-c", REFUSED, "127.0.0.1:6379", "http://127.0.0.1:1"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "RAY_ADDRESS: expected the address of Ray's dashboard (http://host:8265), got '127.0.0.1:6379'",
        "RAY_ADDRESS=http://127.0.0.1:1: no Ray cluster answers there; start it, or unset RAY_ADDRESS",
        "RAY_ADDRESS is set, but 'dagster_ray' is not installed: pip install 'nsmodels[ray]', or unset RAY_ADDRESS",
    ]


@pytest.mark.skipif(not IS_INSTALLED, reason="the extra is not installed: pip install 'nsmodels[ray]'")
def test_a_training_asks_for_as_many_as_its_processes_and_waits_for_the_locks_of_a_dead_machine() -> None:
    words, environment = [sys.executable, "-c", NEEDS], os.environ | {"NSMODELS_LOCK_SECONDS": "90"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[3, 1, 1], 95]


@pytest.mark.parametrize(("address", "said"), [("", "in_process"), ("http://127.0.0.1:1", "ray")])
def test_definitions_import_nothing_of_ray(address: str, said: str) -> None:
    environment = os.environ | {"RAY_ADDRESS": address}
    words = [sys.executable, "-c", IMPORTED]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [said]
