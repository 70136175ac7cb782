"""Where VQA data come from, by what was verified: hosts, sizes, checksums and counts, never by a name alone."""

from __future__ import annotations

from collections.abc import Mapping

from nsmodels.core.sealed import licences
from nsmodels.datasets.vqa.config import RELEASED_QUESTIONS, RELEASED_TRAIN, RELEASED_VAL
from nsmodels.datasets.vqa.files.fetch import Fetched
from nsmodels.datasets.vqa.files.release import Release

RELEASE = "VQA v2.0"
SYNTHETIC = "synthetic VQA"
RELEASED_LICENCE = f"{licences.CC_BY} (annotations); the photographs: their photographers' own"
NUM_IMAGES = {"train": RELEASED_TRAIN, "val": RELEASED_VAL}


def doubts(fetched: Fetched, release: Release | None) -> list[str]:
    """What keeps data from being the release; empty when they are. `release` None: they come from a local folder."""
    if release is None:
        return ["local files"]
    found = [f"host {host}" for host in release.strangers]
    if not release.verify:
        found.append("sizes and checksums not verified")
    for split, cut in fetched.cuts.items():
        if cut.num_all != RELEASED_QUESTIONS[split]:
            found.append(f"{cut.num_all:,} of {RELEASED_QUESTIONS[split]:,} questions of {split}")
    return found


def caption(fetched: Fetched, release: Release | None) -> str:
    """The source of fetched data, as in manifest and figures."""
    if any(cut.is_marked for cut in fetched.cuts.values()):
        hosts = ", ".join(release.strangers) if release else ""
        return f"{SYNTHETIC} ({f'archives of {hosts}' if hosts else 'local folder'})"
    found = doubts(fetched, release)
    if not found:
        return part_of(RELEASE, fetched.images)
    return f"local data, not verified as {RELEASE}" if release is None else f"not verified as {RELEASE}: {found[0]}"


def part_of(source: str, images: Mapping[str, int]) -> str:
    """Source of data that were cut out of others: of a part of the release, with its size."""
    num, whole = sum(images.values()), sum(NUM_IMAGES.values())
    return f"{source}, {num:,} of {whole:,} images" if source == RELEASE and num != whole else source


def licence(source: str) -> str:
    """Licence of data with this caption; of those that are not verified to be the release it is not known."""
    if source.startswith(SYNTHETIC):
        return licences.CC_BY  # the graphics are under it, see scenery/graphics/NOTICE
    return RELEASED_LICENCE if source.startswith(RELEASE) else licences.OWNERS
