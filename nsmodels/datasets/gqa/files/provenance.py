"""Where GQA data come from, by what was verified: hosts and counts, never by a file's own words alone.

No checksums of the release are known; it is recognised by its host and by the number of its scene graphs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from nsmodels.core.sealed import licences
from nsmodels.datasets.gqa.files.release import HOST, RELEASED_TRAIN, RELEASED_VAL

RELEASE = "GQA"
SYNTHETIC = "synthetic GQA"
RELEASED_LICENCE = f"{licences.CC_BY} (annotations); the photographs: their photographers' own"
RELEASED_GRAPHS = {"train": RELEASED_TRAIN, "val": RELEASED_VAL}


def caption(urls: Iterable[str], graphs: Mapping[str, int], num_images: int) -> str:
    """The source of fetched data, as in manifest and figures; `graphs`: number of scene graphs there, by split."""
    hosts = dict.fromkeys(urlsplit(url).netloc.rpartition("@")[2] or url for url in urls)
    official = urlsplit(HOST)
    doubts = [f"host {host}" for host in hosts if host != official.netloc] + [
        f"scheme {parts.scheme}" for parts in map(urlsplit, urls) if parts.scheme != official.scheme
    ][:1]
    if dict(graphs) != RELEASED_GRAPHS:
        doubts.append(f"{sum(graphs.values()):,} of {sum(RELEASED_GRAPHS.values()):,} scene graphs")
    if not hosts:
        return f"local data, not verified as {RELEASE}"
    return f"not verified as {RELEASE}: {', '.join(doubts)}" if doubts else part_of(RELEASE, num_images)


def part_of(source: str, num_images: int) -> str:
    """Source of data that were cut out of others: of a part of the release, with its size."""
    whole = sum(RELEASED_GRAPHS.values())
    return f"{source}, {num_images:,} of {whole:,} images" if source == RELEASE and num_images < whole else source


def licence(source: str) -> str:
    """Licence of data with this caption; of those that are not verified to be the release it is not known."""
    if source.startswith(SYNTHETIC):
        return licences.CC_BY  # the graphics are under it, see scenery/graphics/NOTICE
    return RELEASED_LICENCE if source.startswith(RELEASE) else licences.OWNERS
