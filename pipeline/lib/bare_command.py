"""Lets `dagster asset materialize --select ...` find this project without further arguments.

Runs while a `dagster` process starts (see `bare_command.pth` and ADR 0001): standard library only, silent, never fatal.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import MutableMapping
from pathlib import Path

from pipeline.lib import history

VARIABLE = "DAGSTER_CLI_ASSET_MATERIALIZE_MODULE_NAME"
POINTERS = ("-m", "--module-name", "-f", "--python-file", "--package-name")


def module_name(project: Path) -> str | None:
    """The definitions module that `[tool.dagster]` of the pyproject.toml in `project` names, if any."""
    try:
        settings = tomllib.loads((project / "pyproject.toml").read_text())
    except (OSError, ValueError):
        return None
    return settings.get("tool", {}).get("dagster", {}).get("module_name")


def point_dagster(project: Path, arguments: list[str], environment: MutableMapping[str, str]) -> None:
    """Name the project's definitions to `dagster asset materialize`, unless the command line names others."""
    has_pointer = any(a.split("=")[0] in POINTERS for a in arguments)
    name = None if has_pointer else module_name(project)
    if name and VARIABLE not in environment:
        environment[VARIABLE] = name


def prepare() -> None:
    """What a `dagster` process started in this project needs; nothing anywhere else."""
    if (module_name(Path.cwd()) or "").split(".")[0] == "pipeline":
        point_dagster(Path.cwd(), sys.orig_argv[2:], os.environ)
        if history.is_missing():
            history.ensure()
