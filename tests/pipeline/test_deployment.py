"""The files of docs/deployment: they exist, the programs that read them accept them and every option in them."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
import yaml
from dagster._core.instance import InstanceRef

from tests.pipeline.live.services import ROOT, until

FOLDER = ROOT / "docs/deployment"
FILES = [path for path in FOLDER.rglob("*") if path.is_file() and path.name != "README.md"]
UNITS = [path for path in FILES if path.suffix == ".service"]

# Substitutes for the programs that the Slurm script calls: each records its call; dagster runs until Ctrl-C.
PROGRAMS = {
    "scontrol": "#!/bin/bash\necho node1 node2 | tr ' ' '\\n'",
    "curl": "#!/bin/bash",
    "srun": """#!/bin/bash
        echo "srun $SRUN_CPUS_PER_TASK $RAY_JOB_START_TIMEOUT_SECONDS ${RAY_ADDRESS-none} ${@: -3:1}" >> calls
        sleep 60 & wait""",
    "python": "#!/bin/bash\necho python $* $RAY_ADDRESS >> calls",
    "dagster": f"""#!{sys.executable}
import signal, sys
from pathlib import Path
def note(word):
    with Path("calls").open("a") as file: file.write(f"dagster {{word}}\\n")
try:
    note(sys.argv[1])
    signal.pause()
except KeyboardInterrupt:
    note("stopped")""",
}
FLAGS = """
import json
from dagster._cli import create_dagster_cli
from dagster._daemon.cli import create_dagster_daemon_cli
from dagster_webserver.cli import create_dagster_webserver_cli
commands = {
    "dagster": create_dagster_cli().commands["api"].commands["grpc"],
    "dagster-webserver": create_dagster_webserver_cli(),
    "dagster-daemon": create_dagster_daemon_cli().commands["run"],
}
print(json.dumps({name: [word for p in command.params for word in p.opts] for name, command in commands.items()}))
"""


def variables(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def command(unit: Path) -> list[str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read(unit)
    assert parser["Install"]["WantedBy"] == "multi-user.target"
    return shlex.split(parser["Service"]["ExecStart"])


def test_the_page_lists_the_files_beside_it() -> None:
    page = (FOLDER / "README.md").read_text()
    for target in re.findall(r"\]\(([^)]+)\)", page):
        assert (FOLDER / target).exists(), target
    words = set(re.findall(r"[\w.-]+", page))
    for path in FILES:
        assert path.name in words or path.suffix == ".service", path.name
    assert {path.parent.name for path in FILES} == {"gpu-box", "lab-cluster", "kubernetes"}


def test_the_services_start_programs_that_accept_their_flags() -> None:
    done = subprocess.run([sys.executable, "-c", FLAGS], capture_output=True, text=True, check=True)
    known = json.loads(done.stdout)
    for unit in UNITS:
        program, *words = command(unit)
        assert Path(sys.executable).with_name(Path(program).name).exists() or unit.stem.startswith("ray")
        if unit.stem.startswith("nsmodels"):
            assert {word for word in words if word.startswith("--")} <= set(known[Path(program).name]), unit.name


def test_ray_accepts_the_flags_of_its_services() -> None:
    if find_spec("ray") is None:
        pytest.skip("the extra is not installed: pip install 'nsmodels[ray]'")
    words = [Path(sys.executable).with_name("ray"), "start", "--help"]
    known = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    for unit in UNITS:
        program, *words = command(unit)
        if Path(program).name == "ray":
            assert [word for word in words if word.startswith("--") and word not in known] == []


def test_dagster_accepts_the_settings_of_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dagster_postgres", reason="the extra is not installed: pip install 'nsmodels[postgres]'")
    given = variables(FOLDER / "lab-cluster/nsmodels.env")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    reference = InstanceRef.from_dir(str(tmp_path), config_dir=str(FOLDER / "lab-cluster"))
    assert reference.storage_data.class_name == "DagsterPostgresStorage"
    text = (FOLDER / "lab-cluster/dagster.yaml").read_text()
    assert set(re.findall(r"env: (\w+)", text)) <= set(given)
    assert given["NSMODELS_PG_PASSWORD"] not in text


def test_the_lab_differs_from_the_project_in_history_and_sharing_only() -> None:
    ours, theirs = (
        yaml.safe_load(path.read_text()) for path in (ROOT / "dagster.yaml", FOLDER / "lab-cluster/dagster.yaml")
    )
    assert {key for key in ours | theirs if ours.get(key) != theirs.get(key)} == {"storage", "concurrency"}


def test_the_services_of_the_gpu_box_agree_on_the_port() -> None:
    for name in ("webserver", "daemon"):
        words = command(FOLDER / f"gpu-box/nsmodels-{name}.service")
        place = words[
            words.index("--workspace") + 1
        ]  # its original location: a copy would overwrite that of the project
        assert ROOT / place == FOLDER / "gpu-box/workspace.yaml"
    (server,) = yaml.safe_load((FOLDER / "gpu-box/workspace.yaml").read_text())["load_from"]
    words = command(FOLDER / "gpu-box/nsmodels-code.service")
    assert str(server["grpc_server"]["port"]) == words[words.index("--port") + 1]
    assert server["grpc_server"]["location_name"] == words[words.index("--location-name") + 1]


def test_all_other_files_can_be_parsed() -> None:
    for path in FILES:
        if path.suffix == ".yaml":
            assert list(yaml.safe_load_all(path.read_text())), path
        if path.suffix == ".sbatch":
            subprocess.run(["bash", "-n", path], check=True)


def test_the_end_of_a_slurm_allocation_cancels_the_runs_and_stops_dagster(tmp_path: Path) -> None:
    bin = tmp_path / ".venv/bin"
    bin.mkdir(parents=True)
    for name, text in PROGRAMS.items():
        (bin / name).write_text(text)
        (bin / name).chmod(0o755)
    (bin / "activate").write_text(f"export PATH={bin}:$PATH")
    shutil.copy(FOLDER / "lab-cluster/nsmodels.env", tmp_path)
    given = {
        "SLURM_JOB_NODELIST": "node[1-2]",
        "SLURM_NNODES": "2",
        "SLURM_GPUS_ON_NODE": "1",
        "SLURM_CPUS_PER_TASK": "8",
    }
    script, calls = FOLDER / "lab-cluster/nsmodels.sbatch", tmp_path / "calls"
    environment = {"PATH": "/usr/bin:/bin", "NSMODELS_PROJECT": str(tmp_path), **given}
    job = subprocess.Popen(["bash", script], env=environment, stdout=subprocess.DEVNULL)
    try:
        until(lambda: calls.exists() and len(calls.read_text().splitlines()) == 3, 30)
        job.terminate()
        assert job.wait(30) == 0
    finally:
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.cwd() == str(tmp_path):
                    process.kill()
        job.wait()
    lines = calls.read_text().splitlines()
    assert sorted(lines[:3]) == ["dagster dev", *["srun 8 31536000 none 1"] * 2]
    assert lines[3:] == ["python -m pipeline.cancel http://node1:8265", "dagster stopped"]
