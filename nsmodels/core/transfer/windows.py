"""Choice of a part of an archive that lies together, so that a few requests fetch it and little else."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from itertools import accumulate

from nsmodels.core.errors import InputError


def densest(members: Iterable[zipfile.ZipInfo], number: int, what: str = "members") -> list[zipfile.ZipInfo]:
    """The `number` of the given members with the fewest other bytes between the first and the last of them.

    They are returned in the order of the archive; among equal windows the first is taken. Raises `InputError` when
    there are fewer.
    """
    ordered = sorted(members, key=lambda info: info.header_offset)
    if len(ordered) < number:
        raise InputError(f"{len(ordered):,} {what} are there, requested are {number:,}; request fewer")
    if not number:
        return []
    before = [0, *accumulate(info.compress_size for info in ordered)]

    def waste(first: int) -> int:
        last = ordered[first + number - 1]
        span = last.header_offset + last.compress_size - ordered[first].header_offset
        return span - (before[first + number] - before[first])

    start = min(range(len(ordered) - number + 1), key=waste)
    return ordered[start : start + number]
