"""Choice of images: neighbours in an archive, with the partners of their questions where pairs stay together."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence

from nsmodels.core.errors import InputError
from nsmodels.core.transfer.windows import densest
from nsmodels.datasets.vqa.files.names import QUESTIONS_PER_IMAGE_ID
from nsmodels.datasets.vqa.files.pairs import Pairs

_ID = re.compile(r"_(\d{12})\.jpg$")


def image_of(name: str) -> int | None:
    """Id of the image in a file name of COCO, None for other files."""
    found = _ID.search(name)
    return int(found[1]) if found else None


def by_image(members: Mapping[str, zipfile.ZipInfo]) -> dict[int, zipfile.ZipInfo]:
    """Members of an archive by id of the image."""
    found = ((image_of(name), info) for name, info in members.items())
    return {image: info for image, info in found if image is not None}


def window(members: Mapping[int, zipfile.ZipInfo], known: Iterable[int], num: int, where: str) -> list[int]:
    """Ids of `num` images with questions (`known`) that lie together in the archive called `where`, in its order."""
    present = {members[image].filename: image for image in known if image in members}
    infos = densest((members[image] for image in present.values()), num, f"images with questions in {where}")
    return [present[info.filename] for info in infos]


def partners_of(pairs: Pairs) -> dict[int, set[int]]:
    """Images whose questions are paired with those of an image."""
    found: dict[int, set[int]] = {}
    for first, second in pairs:
        images = first // QUESTIONS_PER_IMAGE_ID, second // QUESTIONS_PER_IMAGE_ID
        for one, other in (images, images[::-1]):
            if one != other:
                found.setdefault(one, set()).add(other)
    return found


def with_partners(ordered: Sequence[int], known: Iterable[int], pairs: Pairs, num: int) -> list[int]:
    """At most `num` images: the first of `ordered` whose partners find room with them, and these partners.

    Every pair of such an image is whole. The images of VQA v2 are paired with two others on average, all over the
    archive. Raises `InputError` where not even the pairs of one image find room.
    """
    partners, there = partners_of(pairs), set(known)
    chosen: dict[int, None] = {}
    for image in ordered:
        added = [each for each in (image, *sorted(partners.get(image, ()))) if each in there and each not in chosen]
        if len(chosen) + len(added) <= num:
            chosen.update(dict.fromkeys(added))
        if len(chosen) == num:
            break
    if not chosen:
        raise InputError(f"no image whose complementary pairs find room in {num:,} images; request more images")
    return list(chosen)
