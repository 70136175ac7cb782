"""Fetch of GQA: whole, or a part of its images by byte range with their graphs and questions, or out of a local copy.

Annotations are fetched or read whole, and cut to the chosen images; of the images, neighbours in the archive are
chosen. A killed run is resumed by file: what is present with the right CRC-32 is not fetched again.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nsmodels.core.disk import require_space, writing
from nsmodels.core.errors import InputError
from nsmodels.core.progress import Progress
from nsmodels.core.transfer.archive import LARGEST_GAP
from nsmodels.core.transfer.directory import Limits
from nsmodels.core.transfer.windows import densest
from nsmodels.datasets.gqa.files import archives
from nsmodels.datasets.gqa.files.archives import Archive, Archives
from nsmodels.datasets.gqa.files.format import question_of
from nsmodels.datasets.gqa.files.places import NUM_CHUNKS, choice_files
from nsmodels.datasets.gqa.files.release import EVAL, GRAPHS, IMAGES, QUESTIONS, Wanted
from nsmodels.datasets.gqa.files.validation import require_boxes
from nsmodels.formats.scenes.graphs import read_graph
from nsmodels.formats.scenes.records import cut_entries, opened, read_entries

log = logging.getLogger(__name__)
DOWNLOADS = ".download"  # below the folder being built, deleted when it is complete
IMAGE_LIMITS = Limits(member=1 << 26)


@dataclass
class Fetched:
    """Outcome of a fetch: requests and bytes over the network, images written and skipped as already present.

    `graphs`: number of scene graphs in the whole files by split; `questions`: kept ones by file.
    """

    requests: int = 0
    bytes: int = 0
    fetched: int = 0
    skipped: int = 0
    num_images: int = 0
    graphs: dict[str, int] = field(default_factory=dict)
    questions: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The counts by name."""
        return dict(vars(self))


def fetch(out: Path, wanted: Wanted, progress: bool = True, attempts: int = 5) -> Fetched:
    """Fetch the images wanted, with their graphs, questions and choices from the archives on their hosts.

    Raises `Unreachable` when a host does not answer, and `InputError` for a server without ranges, a damaged archive, a
    malformed record, too few images, and a full disk.
    """
    return _take(archives.open_remote(wanted, attempts), out, wanted, progress)


def cut(source: Path, out: Path, wanted: Wanted, progress: bool = True) -> Fetched:
    """The same from a local copy: a released tree, or a folder with the four archives. Raises `InputError`."""
    found = archives.open_local(source)
    if found is not None:
        return _take(found, out, wanted, progress)
    if not (source / "sceneGraphs").is_dir():
        raise InputError(
            f"{source}: no sceneGraphs/ and no sceneGraphs.zip; expected a folder with images/ sceneGraphs/ questions/ "
            "of GQA, or with its archives"
        )
    result = Fetched()
    available = {path.stem for path in (source / "images").glob("*.jpg")}
    chosen = _choose(source, wanted, result, lambda known, num: _first(known, available, num, source))
    _cut_all(source, out, chosen, wanted, result)
    images = sorted({image for names in chosen.values() for image in names})
    _copy(source / "images", out / "images", images, result, progress)
    return result


def wanted_files(wanted: Wanted) -> list[str]:
    """Question files that are taken, by name."""
    names = ["train_balanced_questions.json", "val_balanced_questions.json"]
    if wanted.is_whole:
        names.append("testdev_balanced_questions.json")
    if wanted.unbalanced != "none":
        names.append("val_all_questions.json")
    if wanted.unbalanced == "all":
        names += [f"train_all_questions/train_all_questions_{number}.json" for number in range(NUM_CHUNKS)]
        names += ["testdev_all_questions.json"] if wanted.is_whole else []
    return names


def _take(found: Archives, out: Path, wanted: Wanted, progress: bool) -> Fetched:
    """Fetch annotations into a folder of their own, cut them there, and fetch the chosen images."""
    result, place = Fetched(), out / DOWNLOADS
    for name, files in _annotations(found, wanted).items():
        archive = found[name]
        names = [archive.front + file for file in files]
        archive.reader.fetch_members(names, place / name, progress, archive.front, verify=True, label=name)
    by_image = {name.removesuffix(".jpg"): info for name, info in found[IMAGES].files().items()}

    def window(known: list[str], number: int) -> list[str]:
        members = [by_image[image] for image in known if image in by_image]
        infos = densest(members, number, f"images with graphs in {found[IMAGES].reader.source.name}")
        return [Path(info.filename).stem for info in infos]

    chosen = _choose(place, wanted, result, window)
    _cut_all(place, out, chosen, wanted, result)
    front = found[IMAGES].front
    names = [f"{front}{image}.jpg" for images in chosen.values() for image in images]
    counts = found[IMAGES].reader.fetch_members(
        dict.fromkeys(names),
        out / "images",
        progress,
        front,
        verify=True,
        label="images",
        limits=IMAGE_LIMITS,
        waste=LARGEST_GAP,
    )
    shutil.rmtree(place)
    result.fetched, result.skipped, result.num_images = counts.fetched, counts.skipped, counts.fetched + counts.skipped
    result.requests = sum(archive.reader.source.requests for archive in found.values())
    result.bytes = sum(archive.reader.source.bytes for archive in found.values())
    return result


def _annotations(found: Archives, wanted: Wanted) -> dict[str, list[str]]:
    """Files to fetch from each archive of annotations. Raises `InputError` naming one that is missing."""
    names = {GRAPHS: [f"{split}_sceneGraphs.json" for split in wanted.sizes], QUESTIONS: wanted_files(wanted)}
    if EVAL in found:
        chunks = [name for name in found[EVAL].files() if name.startswith("train_choices/")]
        names[EVAL] = ["val_choices.json", *(chunks if wanted.is_whole else [])]
    for name, files in names.items():
        _require(found[name], files)
    return names


def _require(archive: Archive, files: list[str]) -> None:
    known = archive.files()
    for file in files:
        if file not in known:
            raise InputError(f"{archive.shown(file)}: missing in the archive; fetch the released one")


Window = Callable[[list[str], int], list[str]]


def _choose(place: Path, wanted: Wanted, result: Fetched, window: Window) -> dict[str, list[str]]:
    """Ids of the images of each split: of train and val a number of those with graphs, of testdev all."""
    chosen: dict[str, list[str]] = {}
    for split, number in wanted.sizes.items():
        path = place / "sceneGraphs" / f"{split}_sceneGraphs.json"
        with opened(path) as file:
            known = [image for image, _ in read_entries(file, str(path))]
        result.graphs[split] = len(known)
        chosen[split] = window(known, min(number, len(known)) if wanted.is_whole else number)
    testdev = place / "questions" / "testdev_balanced_questions.json"
    if wanted.is_whole and testdev.is_file():
        with opened(testdev) as file:
            chosen["testdev"] = list(
                dict.fromkeys(str(record.get("imageId")) for _, record in read_entries(file, str(testdev)))
            )
    return chosen


def _cut_all(place: Path, out: Path, chosen: Mapping[str, list[str]], wanted: Wanted, result: Fetched) -> None:
    """Write the graphs, questions and choices of the chosen images, checked on the way."""
    images = {split: set(names) for split, names in chosen.items()}
    for split in wanted.sizes:
        _cut_graphs(place, out, split, images[split])
    kept: dict[str, set[str]] = {split: set() for split in images}
    for name in wanted_files(wanted):
        split = name.partition("_")[0]
        path = place / "questions" / name
        if split in images and (path.is_file() or split != "testdev"):
            result.questions[name] = _cut_questions(path, out / "questions" / name, images[split], kept[split])
    for split in wanted.sizes:
        for path in choice_files(place, split):
            _copy_entries(path, out / path.relative_to(place), lambda key, _, split=split: key in kept[split])


def _cut_graphs(place: Path, out: Path, split: str, images: set[str]) -> None:
    name = f"{split}_sceneGraphs.json"
    path = place / "sceneGraphs" / name

    def is_kept(image: str, record: dict[str, Any]) -> bool:
        if image in images:
            require_boxes(read_graph(image, record, str(path)), str(path))
        return image in images

    _copy_entries(path, out / "sceneGraphs" / name, is_kept)


def _cut_questions(path: Path, target: Path, images: set[str], kept: set[str]) -> int:
    def is_kept(key: str, record: dict[str, Any]) -> bool:
        if record.get("imageId") not in images:
            return False
        question_of(key, record, f"{path}: question '{key}'")
        kept.add(key)
        return True

    number, _ = _copy_entries(path, target, is_kept)
    return number


def _copy_entries(path: Path, target: Path, keep: Callable[[str, dict[str, Any]], bool]) -> tuple[int, int]:
    partial = target.with_name(f"{target.name}.partial")
    with writing(partial):
        partial.parent.mkdir(parents=True, exist_ok=True)
        with opened(path) as file, partial.open("w", encoding="utf-8") as copy:
            counts = cut_entries(file, copy, keep, str(path))
        partial.replace(target)
    return counts


def _first(wanted: list[str], available: set[str], number: int, source: Path) -> list[str]:
    found = [image for image in wanted if image in available]
    if len(found) < number:
        raise InputError(
            f"{source / 'images'}: has pictures of {len(found):,} images with graphs, requested are {number:,}; "
            "request fewer"
        )
    return found[:number]


def _copy(source: Path, out: Path, images: list[str], result: Fetched, progress: bool) -> None:
    """Copy the missing images; each appears whole or not at all."""
    paths = [source / f"{image}.jpg" for image in images]
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: missing, though questions are about it; complete the folder")
    missing = [path for path in paths if not _is_same_size(path, out / path.name)]
    size = sum(path.stat().st_size for path in missing)
    require_space(out, size, f"{len(missing)} images")
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    with Progress("images", size, 0, progress) as bar:
        for path in missing:
            partial = out / f"{path.name}.partial"
            with writing(partial):
                shutil.copyfile(path, partial)
                partial.replace(out / path.name)
            bar.add(path.stat().st_size)
    result.fetched, result.skipped, result.num_images = len(missing), len(paths) - len(missing), len(paths)


def _is_same_size(source: Path, target: Path) -> bool:
    return target.is_file() and target.stat().st_size == source.stat().st_size
