"""Web server, daemon and code server as services, each a process of its own."""

import contextlib
import shutil
import sqlite3
import subprocess

import pytest

from tests.core.server import free_port
from tests.pipeline.live.services import ROOT, environment_of, until

pytestmark = pytest.mark.live


def test_web_server_daemon_and_code_server_start_together_on_an_empty_store(tmp_path):
    for name in ("pyproject.toml", "dagster.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    given = {**environment_of(tmp_path), "DAGSTER_HOME": str(tmp_path)}
    web, code = (["--host", "127.0.0.1", "--port", str(port)] for port in (free_port(), free_port()))
    commands = [
        ["dagster-webserver", "--empty-workspace", *web],
        ["dagster-daemon", "run", "--empty-workspace"],
        ["dagster", "api", "grpc", "--module-name", "tests.pipeline.coins", *code],
    ]
    logs = [tmp_path / f"{words[0]}.log" for words in commands]
    running = []
    try:
        for words, log in zip(commands, logs, strict=True):
            with log.open("w") as stream:
                running.append(subprocess.Popen(words, cwd=tmp_path, env=given, stdout=stream, stderr=stream))
        for line, log in zip(("Serving dagster-webserver", "Instance is configured", "Started"), logs, strict=True):
            until(lambda log=log, line=line: line in log.read_text() or any(p.poll() is not None for p in running))
        assert [process.poll() for process in running] == [None, None, None], [log.read_text()[-900:] for log in logs]
    finally:
        for process in running:
            process.kill()
            process.wait()
    stores = list((tmp_path / ".dagster/history").rglob("*.db"))
    assert len(stores) == 3
    for store in stores:
        with contextlib.closing(sqlite3.connect(store)) as rows:
            assert len(rows.execute("SELECT * FROM alembic_version").fetchall()) == 1
