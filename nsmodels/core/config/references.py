"""Classes, functions and configurations as plain values, for another process of the same code."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from nsmodels.core.config.base import Config
from nsmodels.core.errors import InputError


def reference(named: Any) -> list[str]:
    """Module and name of a class or function of a module. Raises `InputError` where no other process could find it."""
    if named.__module__ == "__main__" or "." in named.__qualname__:
        raise InputError(
            f"{named.__qualname__}: expected a class or function at the top level of a module that other processes can "
            "import; move it to one"
        )
    return [named.__module__, named.__qualname__]


def referred(to: Sequence[str]) -> Any:
    """What `reference` described."""
    module, name = to
    return getattr(importlib.import_module(module), name)


def described(config: Config) -> list[Any]:
    """A configuration: its class and its fields."""
    return [*reference(type(config)), config.model_dump()]


def restored(values: Sequence[Any]) -> Any:
    """The configuration that `described` described."""
    *to, fields = values
    return referred(to).from_mapping(fields)
