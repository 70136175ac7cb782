"""The history in a PostgreSQL that the test starts, by the lab's dagster.yaml; skipped if it is not installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import dagster as dg
import pytest

from tests.core.server import free_port
from tests.pipeline.live.services import ROOT, history

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
INITDB = shutil.which("initdb", path=os.pathsep.join([*map(str, PROGRAMS), os.environ["PATH"]]))
SETTINGS = ROOT / "docs/deployment/lab-cluster/dagster.yaml"
PASSWORD = "p/w:with@signs"
ACCOUNT = "postgres" if os.getuid() == 0 else None  # the server refuses to run as root
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(INITDB is None, reason="PostgreSQL is not installed: apt-get install postgresql"),
    pytest.mark.skipif(find_spec("dagster_postgres") is None, reason="not installed: pip install 'nsmodels[postgres]'"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Mapping[str, str]]:
    """A server with an empty database; yields the environment variables of its connection."""
    assert INITDB is not None
    programs, folder = Path(INITDB).parent, Path(tempfile.mkdtemp(prefix="postgres", dir="/tmp"))
    if ACCOUNT:
        os.chown(folder, pwd.getpwnam(ACCOUNT).pw_uid, -1)

    def call(program: str, *flags: str) -> None:
        words = [programs / program, *flags]
        subprocess.run(words, cwd=folder, user=ACCOUNT, check=True, stdout=subprocess.DEVNULL, env={"PATH": "/usr/bin"})

    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    port, place = str(free_port()), str(folder / "data")
    call("initdb", "-D", place, "-U", "nsmodels", "-A", "scram-sha-256", "--pwfile", str(folder / "password"), "-N")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    call("pg_ctl", "-D", place, "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        url = f"postgresql://nsmodels:p%2Fw%3Awith%40signs@127.0.0.1:{port}"
        call("psql", f"{url}/postgres", "-qc", "CREATE DATABASE history")
        names = {"USER": "nsmodels", "PASSWORD": PASSWORD, "HOST": "127.0.0.1", "PORT": port, "DATABASE": "history"}
        yield {f"NSMODELS_PG_{name}": value for name, value in names.items()}
    finally:
        call("pg_ctl", "-D", place, "-m", "immediate", "stop")
        shutil.rmtree(folder)


def test_four_first_runs_at_once_on_an_empty_database(
    server: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(SETTINGS, tmp_path / "dagster.yaml")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER_", "NSMODELS_", "RAY_"))}
    environment = kept | server | {"PYTHONPATH": str(ROOT), "NSMODELS_DATA": str(tmp_path / "data")}
    words = ["dagster", "asset", "materialize", "-m", "tests.pipeline.live.counting", "--select", "instant"]
    command = [str(Path(sys.executable).parent / words[0]), *words[1:]]
    pipe = subprocess.PIPE
    runs = [subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=pipe, text=True) for _ in range(4)]
    try:
        for run in runs:
            _, err = run.communicate(timeout=120)
            assert run.returncode == 0, err[-3000:]
    finally:
        for run in runs:
            run.kill()
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    with history(tmp_path) as instance:
        assert len(instance.fetch_materializations(dg.AssetKey("instant"), limit=99).records) == 4
        assert [run.status.value for run in instance.get_runs()] == ["SUCCESS"] * 4
        assert type(instance.run_storage).__name__ == "PostgresRunStorage"
    assert not (tmp_path / ".dagster/history").exists()
