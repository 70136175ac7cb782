"""Private names of Dagster: each is there, in one module, with the reason why it is needed."""

from __future__ import annotations

import importlib
import re
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^from (dagster\.[\w.]+) import (?:\(\s*)?(\w+)(?:,\s*\))?  # (.+)$", re.MULTILINE)
NAMES = LINE.findall((ROOT / "pipeline/internals.py").read_text())
# Modules that are named in texts: where commands are checked, and in settings.
IN_TEXTS = [
    ("dagster._cli.asset", "asset_materialize_command", "the short command is checked before it runs"),
    ("dagster._cli.asset", "asset_list_command", "the selection of a list is checked"),
    ("dagster._cli.job", "job_execute_command", "jobs are checked before they run"),
    ("dagster._cli.job", "job_launch_command", "jobs are checked before they run"),
    ("dagster._cli.job", "job_backfill_command", "a backfill without partitions is refused"),
    ("dagster_graphql.schema.run_config", "default_values_yaml_from_type_snap", "the launchpad opens with every field"),
    ("dagster_graphql.schema.asset_graph", "GrapheneAssetNode", "an asset without partitions is not green"),
    ("dagster_graphql.schema.pipelines.pipeline", "GrapheneRun", "runs of the command line are in the timeline"),
    ("dagster._core.storage.root", "LocalArtifactStorage", "stored values beside the history (dagster.yaml)"),
    (
        "dagster._core.storage.local_compute_log_manager",
        "LocalComputeLogManager",
        "logs beside the history (dagster.yaml)",
    ),
]


@pytest.mark.parametrize(("module", "name", "reason"), [*NAMES, *IN_TEXTS], ids=lambda word: word.rpartition(".")[2])
def test_dagster_has_the_private_name(module: str, name: str, reason: str) -> None:
    try:
        is_there = hasattr(importlib.import_module(module), name) or find_spec(f"{module}.{name}") is not None
    except ImportError:
        is_there = False
    if not is_there:
        pytest.fail(f"Dagster {version('dagster')} has no {module}.{name}; needed for: {reason}", pytrace=False)


def test_every_private_name_is_gathered_with_its_reason() -> None:
    text = (ROOT / "pipeline/internals.py").read_text()
    assert len(NAMES) == len(re.findall(r"^from ", text, re.MULTILINE)) > 40
    used = {name for path in sources() for line in GATHERED.findall(path.read_text()) for name in WORD.findall(line)}
    assert used == {name for _, name, _ in NAMES}


def test_no_other_module_imports_a_private_name() -> None:
    private = re.compile(r"^\s*(?:from|import) dagster\._", re.MULTILINE)
    assert [str(path) for path in sources() if private.search(path.read_text())] == []
    texts = {found for path in settings() for found in re.findall(r"dagster\._[a-z_.]+", path.read_text())}
    assert texts <= {module for module, _, _ in IN_TEXTS}


GATHERED = re.compile(r"from pipeline\.internals import (\([^)]*\)|.*)")
WORD = re.compile(r"\w+")


def sources() -> list[Path]:
    return [path for path in (ROOT / "pipeline").rglob("*.py") if path.name != "internals.py"]


def settings() -> list[Path]:
    return [*sources(), ROOT / "dagster.yaml", *(ROOT / "docs/deployment").rglob("*.yaml")]
