"""Origin of data: whether a source is a synthetic twin, and that what stands in one table or figure is of one kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nsmodels.core.errors import InputError

SYNTHETIC, RELEASED = "synthetic", "released"


def kind_of(source: str) -> str:
    """`SYNTHETIC` for data, or a mixture of data, that a program of this project has drawn; else `RELEASED`."""
    return SYNTHETIC if SYNTHETIC in source else RELEASED


def listed(sources: Iterable[str]) -> str:
    """Sources of several results, each once, also those of mixtures ("synthetic GQA, synthetic VQA")."""
    return ", ".join(dict.fromkeys(each for source in sources for each in source.split(", ")))


def require_one_kind(sources: Mapping[str, str], where: str, remedy: str) -> None:
    """Raise `InputError` where `sources`, by the name of what has them, are of both kinds; names one of each."""
    first = {kind_of(source): name for name, source in reversed(list(sources.items()))}
    if len(first) > 1:
        named = ", ".join(f"{name} of {kind} data" for kind, name in sorted(first.items()))
        raise InputError(f"{where}: mixed sources, {named}; {remedy}")


def require_one_split(splits: Mapping[str, str], where: str, remedy: str) -> None:
    """Raise `InputError` where `splits`, by the name of what was scored on them, differ; names one of each."""
    first = {split: name for name, split in reversed(list(splits.items()))}
    if len(first) > 1:
        named = ", ".join(f"{name} on '{split}'" for split, name in sorted(first.items()))
        raise InputError(f"{where}: unequal splits, {named}; {remedy}")
