"""Steps on a real Ray cluster of two machines (on this one), one of which dies."""

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
from tests.pipeline.live.services import ROOT, history, live, until

IS_INSTALLED = find_spec("ray") is not None and find_spec("dagster_ray") is not None
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not IS_INSTALLED, reason="the extra is not installed: pip install 'nsmodels[ray]'"),
]
BIN = Path(sys.executable).parent


class Cluster:
    """A head and a worker, each with one CPU and one simulated GPU."""

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
        """Kill all processes of the cluster, by folder or mark, and their children."""
        found = [process for process in psutil.process_iter() if self._owns(process)]
        for process in {child for parent in found for child in [parent, *_children(parent)]}:
            with suppress(psutil.Error):
                process.kill()

    def _owns(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):  # Ray's processes change their title, which removes their environment
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


def events_of_only_run(folder: Path) -> list[tuple[str, str | None]]:
    """Type and step of each event in the history."""
    with history(folder) as instance:
        (run,) = instance.get_runs()
        logged = [entry.dagster_event for entry in instance.all_logs(run.run_id)]
        return [(event.event_type_value, event.step_key) for event in logged if event]


def counted(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def raylet_of(pid: int) -> psutil.Process:
    """The process that represents the machine on which `pid` runs."""
    return next(parent for parent in psutil.Process(pid).parents() if parent.name() == "raylet")


def is_head(raylet: psutil.Process) -> bool:
    return "--head" in raylet.cmdline()


def test_steps_of_a_dead_machine_resume_on_a_different_one(cluster: Cluster, tmp_path: Path) -> None:
    with live(tmp_path, daemon=False, environment={"RAY_ADDRESS": cluster.address}) as place:
        words = ("asset", "materialize", "-m", "tests.pipeline.live.counting", "--select", "first,second")
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
            assert [row["number"] for row in rows] == list(range(12))  # resumed where it was interrupted
            assert len({row["pid"] for row in rows}) == (2 if name == lost else 1)
            assert {row["gpus"] for row in rows} == {"0" if name == "first" else ""}  # a GPU for the training only
        events = events_of_only_run(tmp_path)
        assert [step for kind, step in events if kind == "STEP_UP_FOR_RETRY"] == [lost]
        assert sorted(step for kind, step in events if kind == "ASSET_MATERIALIZATION") == ["first", "second"]


class FaultyProxy(BaseHTTPRequestHandler):
    """A proxy of the dashboard that responds to the next requests about jobs with the status codes in `faults`."""

    target, faults, statuses = "", [], []

    def do_GET(self) -> None:
        """Forward, or respond with a fault."""
        is_of_job = self.path.startswith("/api/jobs/")
        if is_of_job and self.faults:
            self.statuses.append(self.faults.pop(0))
            return self._respond(self.statuses[-1], b"fault")
        self.statuses += [200] * is_of_job
        return self._forward(Request(self.target + self.path))

    def do_POST(self) -> None:
        """Forward."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._forward(Request(self.target + self.path, body, {"Content-Type": "application/json"}))

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _forward(self, request: Request) -> None:
        try:
            with urlopen(request, timeout=30) as response:
                self._respond(response.status, response.read())
        except HTTPError as error:
            self._respond(error.code, error.read())

    def _respond(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[str]:
    FaultyProxy.target = cluster.address
    with ThreadingHTTPServer(("127.0.0.1", 0), FaultyProxy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_faults_of_the_cluster_start_no_second_copy_and_a_waiting_run_can_be_cancelled(
    proxy: str, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    with live(tmp_path, daemon=False, environment={"RAY_ADDRESS": proxy}) as place:
        words = ("asset", "materialize", "-m", "tests.pipeline.live.counting", "--select", "endless,greedy")
        run, file = place.begin(*words), tmp_path / "data/endless.jsonl"
        until(lambda: run.poll() is not None or counted(file), 120)
        FaultyProxy.faults[:] = [500, 401, 404, 500, 503, 401]  # three health checks of two steps
        until(lambda: run.poll() is not None or not FaultyProxy.faults, 60)
        statuses = FaultyProxy.statuses
        until(lambda: run.poll() is not None or len(statuses) > 6 + statuses.index(500), 60)
        assert run.poll() is None, run.communicate()[1]
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cancel"], capture_output=True, text=True, **place.place()
        )
        rows = counted(file)
        assert (done.returncode, done.stdout) == (0, "1 runs cancelled\n"), done.stderr[-3000:]
        assert len({row["pid"] for row in rows}) == 1
        assert not psutil.pid_exists(rows[-1]["pid"]) or psutil.Process(rows[-1]["pid"]).status() == "zombie"
        _, err = run.communicate(timeout=60)
        assert run.returncode != 0
        assert err.count("no valid response from the cluster; assumed alive") == 2  # one for each of two steps
        assert err.count("no machine of the cluster has 4 CPU, 4 GPU, only 1 CPU, 1 GPU") == 1
        events = events_of_only_run(tmp_path)
        assert [step for kind, step in events if kind == "STEP_UP_FOR_RETRY"] == []
        assert "PIPELINE_CANCELED" in [kind for kind, _ in events]
