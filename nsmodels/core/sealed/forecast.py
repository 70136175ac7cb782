"""What a build would do with its folder, found without writing: reuse, resume, or build and replace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.core.config import differences
from nsmodels.core.errors import InputError
from nsmodels.core.sealed import unfinished
from nsmodels.core.sealed.folders import beside, read_manifest
from nsmodels.core.sealed.inputs import records_of
from nsmodels.core.sealed.manifest import Manifest

SHOWN = 4  # fields that are named


def is_reused(folder: Path, fingerprint: str, is_forced: bool = False) -> bool:
    """Whether a build of this recipe would keep the artifact in `folder`."""
    found = _sealed(folder)
    return found is not None and found.fingerprint == fingerprint and not is_forced


def describe(
    folder: Path,
    fingerprint: str,
    config: Mapping[str, Any],
    inputs: Mapping[str, Path],
    is_forced: bool = False,
    twin: Path | None = None,
) -> list[str]:
    """A line about what would be done, and one about what is there and would be replaced, if so.

    `twin`: folder of an artifact that would be copied, see `equal`.

    Raises InputError for an input that is missing.
    """
    found, lines = _sealed(folder), []
    if found and is_reused(folder, fingerprint, is_forced):
        return [f"would be reused: sealed {found.created} with the same configuration, code, inputs and seed"]
    mark = unfinished.mark_of(fingerprint, records_of(inputs))
    places = [beside(folder, "partial"), beside(folder, f"{unfinished.WORD}{mark}")]
    started = [
        place for place in places if (note := unfinished.note_of(place)) and note.is_resumable and note.mark == mark
    ]
    if twin:
        lines.append(f"would be copied from {twin}, which was built from the same")
    elif started:
        cost = "; ".join(unfinished.cost(started[0])) or "nothing finished yet"
        lines.append(f"would be resumed: unfinished work of this configuration ({cost})")
    else:
        lines.append("would be built" + (" again, by --force" if found and found.fingerprint == fingerprint else ""))
    return lines + ([_replaced(found, config)] if found else [])


def _replaced(found: Manifest, config: Mapping[str, Any]) -> str:
    changed = differences(found.config, config)
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    differs = f" ({', '.join(changed[:SHOWN])}{more})" if changed else ""
    return f"would replace the one sealed {found.created}{differs}"


def _sealed(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except InputError:
        return None
