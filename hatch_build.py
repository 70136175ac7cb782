"""Build of the package: an installation of the checkout gets the line that serves the short command (ADR 0001).

A wheel does without: a program of a different project must not read a line of this one whenever Python starts.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LINE = {"pipeline/lib/runs/bare_command.pth": "nsmodels_bare_command.pth"}


class BareCommand(BuildHookInterface):
    """Adds `nsmodels_bare_command.pth` to `pip install --editable`, and to nothing else."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is "editable" for an installation of the checkout, else "standard"."""
        if version == "editable":
            build_data["force_include_editable"] = LINE
