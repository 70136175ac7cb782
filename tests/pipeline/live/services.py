"""A real Dagster for tests: `dagster dev` (web server, daemon, code server) in a project folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import psutil
import yaml

from pipeline.lib.runs import history as runs_history
from tests.core.server import free_port

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
# The daemon's loops that can be shortened; fixed in Dagster are those of schedules, sensors (5 s) and backfills (30 s).
QUICK = {
    "run_queue": {"dequeue_interval_seconds": 1},
    "run_monitoring": {"poll_interval_seconds": 1, "free_slots_after_run_end_seconds": 1},
}
OVER = {"SUCCESS", "FAILURE", "CANCELED"}
TIMEOUT = 280.0  # seconds: a busy machine is slow; below pytest's own limit, so that the failure shows the log
T = TypeVar("T")

READY = """{
  instance { daemonHealth { allDaemonStatuses { daemonType healthy required } } }
  workspaceOrError { ... on Workspace { locationEntries { name loadStatus locationOrLoadError {
    ... on PythonError { message } ... on RepositoryLocation { repositories { name } } } } } }
}"""
LAUNCH = """mutation ($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } ... on InvalidSubsetError { message } } }"""
BACKFILL = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  ... on UnauthorizedError { message } ... on PartitionKeysNotFoundError { message } } }"""
TERMINATE = """mutation ($id: String!, $policy: TerminateRunPolicy) {
  terminateRun(runId: $id, terminatePolicy: $policy) {
  __typename ... on TerminateRunFailure { message } ... on PythonError { message } } }"""
RUN = """query ($id: ID!) { runOrError(runId: $id) { ... on Run {
  id status startTime endTime jobName tags { key value } assetSelection { path } } } }"""
RUNS = """query ($filter: RunsFilter, $limit: Int) { runsOrError(filter: $filter, limit: $limit) { ... on Runs {
  results { id status startTime endTime jobName tags { key value } assetSelection { path } } } } }"""
EVENTS = """query ($id: ID!, $after: String) { logsForRun(runId: $id, afterCursor: $after, limit: 1000) {
  ... on EventConnection { cursor hasMore events {
    __typename ... on MessageEvent { message timestamp level stepKey eventType }
    ... on ErrorEvent { error { message } } } } } }"""


class Live:
    """`dagster dev` in `root`, which contains its settings, its history (`.dagster`) and its data (`data`)."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self.root, self.environment = root, dict(environment)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    # --- processes ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it (again, after `stop` or `kill`) and wait until definitions are loaded and all daemons are alive."""
        words = ["dagster", "dev", "--port", str(self.port), "--log-format", "json", "--workspace", "workspace.yaml"]
        with (self.root / "dev.log").open("ab") as log:
            self.process = subprocess.Popen(words, cwd=self.root, env=self.environment, stdout=log, stderr=log)
        until(self._is_ready, TIMEOUT, lambda: f"dagster dev is not ready\n{self.log()}")

    def stop(self) -> None:
        """End it and its runs as Ctrl-C does; kill the processes that remain."""
        if self.process is not None:
            with suppress(OSError, AssertionError):
                for run in self.runs("STARTING", "STARTED", "QUEUED"):
                    self.terminate(run["id"], force=True)
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(60)
        self.kill()

    def kill(self, but: int = 0) -> None:
        """Kill every process at once, as a power cut does, the one with the id `but` excepted; wait for their end."""
        for process in self.processes(but):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process is not None:
            self.process.wait(60)
        until(lambda: not self.processes(but), 60)
        self.process = None

    def processes(self, but: int = 0) -> list[psutil.Process]:
        """All processes started for this folder, orphans included, by the data root in their environment."""
        return [process for process in psutil.process_iter() if process.pid != but and self._owns(process)]

    def _owns(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            is_dead = process.status() == psutil.STATUS_ZOMBIE
            return not is_dead and process.environ().get("NSMODELS_DATA") == self.environment["NSMODELS_DATA"]
        return False

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"dagster dev ended\n{self.log()}"
        try:
            found = self.graphql(READY)
        except OSError:
            return False
        entries = found["workspaceOrError"]["locationEntries"]
        places = [entry["locationOrLoadError"] or {} for entry in entries]
        broken = [place["message"] for place in places if "message" in place]
        assert not broken, broken[0]
        daemons = found["instance"]["daemonHealth"]["allDaemonStatuses"]
        is_alive = all(daemon["healthy"] for daemon in daemons if daemon["required"])
        return is_alive and bool(places) and all("repositories" in place for place in places)

    def log(self) -> str:
        """The last lines that `dagster dev` printed."""
        return (self.root / "dev.log").read_text()[-5000:]

    # --- actions of a user in the UI ----------------------------------------------------------------------------------

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """The `data` of a response. Raises AssertionError with the server's error message, OSError without server."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error}: {error.read().decode()[:3000]}") from None
        assert "errors" not in found, json.dumps(found["errors"])[:3000]
        return found["data"]

    def launch(
        self,
        assets: Sequence[str],
        config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        partition: str | None = None,
    ) -> str:
        """Materialize `assets` as the UI does; `config` by asset, as its launchpad shows it. Returns the run id."""
        more = {"dagster/partition": partition} if partition else {}
        return self.launch_job("__ASSET_JOB", config, {**(tags or {}), **more}, assets)

    def launch_job(
        self,
        job: str,
        config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        assets: Sequence[str] | None = None,
    ) -> str:
        """Launch a job, or a selection of its assets."""
        params = {
            "selector": self.repository()
            | {"jobName": job}
            | ({"assetSelection": [{"path": [key]} for key in assets]} if assets else {}),
            "runConfigData": {"ops": {key: {"config": given} for key, given in (config or {}).items()}},
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in (tags or {}).items()]},
        }
        return _expect(self.graphql(LAUNCH, params=params), "LaunchRunSuccess")["run"]["runId"]

    def backfill(
        self, assets: Sequence[str], partitions: Sequence[str], config: Mapping[str, Any] | None = None
    ) -> str:
        """Materialize partitions as the UI's dialog does. Returns the backfill id; the daemon polls every 30 s."""
        params = {
            "assetSelection": [{"path": [key]} for key in assets],
            "partitionNames": list(partitions),
            **({"runConfigData": {"ops": {k: {"config": v} for k, v in config.items()}}} if config else {}),
        }
        return _expect(self.graphql(BACKFILL, params=params), "LaunchBackfillSuccess")["backfillId"]

    def terminate(self, run_id: str, force: bool = False) -> None:
        """Cancel a run; `force` marks it as cancelled without waiting for its process."""
        policy = "MARK_AS_CANCELED_IMMEDIATELY" if force else "SAFE_TERMINATE"
        _expect(self.graphql(TERMINATE, id=run_id, policy=policy), "TerminateRunSuccess")

    def run(self, run_id: str) -> dict[str, Any]:
        """Status, times, job, assets and tags (as a dict) of a run."""
        return _with_tags(self.graphql(RUN, id=run_id)["runOrError"])

    def runs(self, *statuses: str, limit: int = 100) -> list[dict[str, Any]]:
        """The latest runs, optionally of these statuses, newest first."""
        chosen = {"statuses": list(statuses)} if statuses else {}
        return [_with_tags(r) for r in self.graphql(RUNS, filter=chosen, limit=limit)["runsOrError"]["results"]]

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """The event log of a run: type, message, step, error."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.graphql(EVENTS, id=run_id, after=cursor)["logsForRun"]
            found += page["events"]
            cursor = page["cursor"]
            if not page["hasMore"]:
                return found

    def wait(self, run_id: str, status: str = "SUCCESS", timeout: float = TIMEOUT) -> dict[str, Any]:
        """The run once it has `status`; fails with its log if it ends otherwise or after `timeout` seconds."""

        def reached() -> dict[str, Any] | None:
            run = self.run(run_id)
            if run["status"] == status:
                return run
            assert run["status"] not in OVER, f"{run['status']} instead of {status}\n{self.story(run_id)}"
            return None

        return until(reached, timeout, lambda: f"{self.run(run_id)['status']}, not {status}\n{self.story(run_id)}")

    def story(self, run_id: str) -> str:
        """The log of a run as lines of text."""
        lines = [
            f"{e.get('eventType')} {e.get('message')} {(e.get('error') or {}).get('message', '')}"
            for e in self.events(run_id)
        ]
        return "\n".join(lines)

    def repository(self) -> dict[str, str]:
        """The selector of the one repository."""
        return {"repositoryName": "__repository__", "repositoryLocationName": "nsmodels"}

    # --- actions of a user in a terminal ------------------------------------------------------------------------------

    def command(self, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """`dagster ...` in the same folder, hence with the same history; on failure the assertion shows its output."""
        done = subprocess.run(["dagster", *arguments], capture_output=True, text=True, **self.place(**environment))
        assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
        return done

    def begin(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`dagster ...` in the background; its outputs are pipes."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            ["dagster", *arguments], stdout=pipe, stderr=pipe, text=True, **self.place(**environment)
        )

    def place(self, **environment: str) -> dict[str, Any]:
        """Folder and environment, as arguments of `subprocess` functions."""
        return {"cwd": self.root, "env": {**self.environment, **environment}}


@contextmanager
def live(
    folder: Path, *modules: str, daemon: bool = True, environment: Mapping[str, str] | None = None, **settings: Any
) -> Iterator[Live]:
    """A running Dagster in `folder`; without `daemon` only the folder, for commands and a later `start()`.

    `modules` replace `pipeline.definitions` (importable from the repository root); `settings` are merged into
    dagster.yaml.
    """
    place = Live(folder, {**environment_of(folder), **(environment or {})})
    _prepare(folder, modules, settings)
    try:
        if daemon:
            place.start()
        yield place
    finally:
        place.stop()


def create_history(folder: Path) -> None:
    """Create an empty history in a project's folder; the first command there would start a process for it."""
    with chdir(folder):
        runs_history.FOLDER.mkdir()
        runs_history.create()


@contextmanager
def history(folder: Path) -> Iterator[dg.DagsterInstance]:
    """The history of a project in `folder`, read in this process."""
    with chdir(folder), runs_history.opened() as instance:
        yield instance


def until(condition: Callable[[], T], timeout: float = TIMEOUT, message: Callable[[], str] = lambda: "timed out") -> T:
    """The first true result of `condition`; raises AssertionError with `message` after `timeout` seconds."""
    end = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(message())
        time.sleep(0.3)  # not less: most conditions are requests, which keep a processor busy
    return result


def environment_of(folder: Path) -> dict[str, str]:
    """A minimal environment, with the path of the virtual environment."""
    path = os.pathsep.join([str(BIN), "/usr/bin", "/bin"])
    data, home = str(folder / "data"), str(folder)
    return {"PATH": path, "HOME": home, "NSMODELS_DATA": data, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def _prepare(folder: Path, modules: Sequence[str], settings: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("pyproject.toml", "dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / name, folder)
    ours = folder / "dagster.yaml"
    ours.write_text(yaml.safe_dump(_merged(_merged(yaml.safe_load(ours.read_text()), QUICK), settings)))
    create_history(folder)
    if modules:
        entries = [{"python_module": {"module_name": name, "location_name": "nsmodels"}} for name in modules]
        (folder / "workspace.yaml").write_text(yaml.safe_dump({"load_from": entries}))


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        k: _merged(below[k], v) if isinstance(v, dict) and isinstance(below.get(k), dict) else v
        for k, v in above.items()
    }
    return {**below, **both}


def _with_tags(run: dict[str, Any]) -> dict[str, Any]:
    return {**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}}


def _expect(answer: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = answer.values()
    assert found["__typename"] == kind, json.dumps(found)[:3000]
    return found
