"""Licences of data, as manifests record them: SPDX names where there are any, and else a few words."""

from __future__ import annotations

from collections.abc import Iterable

GENERATED = "CC0-1.0"  # drawn by a program from random numbers alone: nobody's work is in it
CC_BY = "CC-BY-4.0"
OWNERS = "as the owner of the files says"
SEPARATOR = " | "


def common(licences: Iterable[str]) -> str:
    """The licences of several inputs, each once; empty where none is recorded."""
    return SEPARATOR.join(sorted({part for each in licences if each for part in each.split(SEPARATOR)}))
