"""VQA v2 as a sealed folder: fetched, cut from a local copy, or drawn; the manifest always names the true source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.errors import InputError
from nsmodels.core.hardware import Estimate, num_cores
from nsmodels.datasets.vqa import config as settings
from nsmodels.datasets.vqa.config import VqaConfig
from nsmodels.datasets.vqa.files import fetch, provenance
from nsmodels.datasets.vqa.files.annotations import read_annotations
from nsmodels.datasets.vqa.files.instances import read_instances
from nsmodels.datasets.vqa.files.names import annotations_name, instances_name
from nsmodels.datasets.vqa.files.provenance import NUM_IMAGES, RELEASE
from nsmodels.datasets.vqa.files.release import Release
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.formats.images.preparing import ImageDataset

Make = Callable[[VqaConfig, str, Part], dict[str, Any]]

# The fields that decide the content, by source; the others cannot change it.
_SIZE = ("source", "num_train", "num_val", "least_occurrences")
_PLACES = ("coco_url", "vqa_url", "verify_release")
_FIELDS = {
    "archive": (*_SIZE, "pairs", *_PLACES),
    "local": (*_SIZE, "pairs", "local_path"),
    "synthetic": (*_SIZE, "num_ood", "num_unseen", "questions_per_image", "paired", "yes_share", "scenery", "seed"),
}


def estimate(config: VqaConfig) -> Estimate | None:
    """What it takes to draw the images and ask questions, from below; None where they are not drawn."""
    if config.source != "synthetic":
        return None
    num, pixels = sum(config.sizes.values()), config.scenery.width * config.scenery.height
    return Estimate(
        what=f"{num:,} scenes of {config.scenery.width}x{config.scenery.height}",
        memory=num * (15_000 + 6_000 * config.questions_per_image),
        disk=num * (0.2 * pixels + 4_000 + 1_500 * config.questions_per_image),
        cpu_seconds=num * (0.003 + 1e-7 * pixels + 0.0003 * config.questions_per_image),
        remedy="lower num_train, num_val or the image size",
    )


def inspect_archives(config: VqaConfig, folder: Path) -> Manifest:
    """Seal a record of the archives on their hosts: URL, size, ETag, members. Cheap, so never reused.

    Raises `InputError` when a host has a different file; one that does not answer is part of the record.
    """
    release = Release.of(config)
    record = fetch.inspect_archives(release)
    recipe = {"archives": record["archives"], "reachable": record["reachable"]}
    strangers = ", ".join(release.strangers)
    source = f"not verified as {RELEASE}: host {strangers}" if strangers else RELEASE
    metrics = {name: value for name, value in record.items() if name != "archives"}
    for name, found in record["archives"].items():
        metrics |= {f"{name}/{field}": found[field] for field in ("bytes", "num_members") if field in found}
    return DATASET.seal_record(folder, record, recipe, source, metrics)


def recipe_of(config: VqaConfig) -> dict[str, Any]:
    """Fields that decide the content of a dataset from `config.source`."""
    known = config.relevant()
    recipe = {name: known[name] for name in _FIELDS[config.source]}
    if config.source == "local":
        recipe["local_fingerprint"] = artifact.describe_input(Path(config.local_path)).fingerprint
    return recipe


def _serves(made: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a release comes from the same place."""
    return all(made.get(name) == wanted[name] for name in _PLACES)


def _make_synthetic(config: VqaConfig, key: str, part: Part) -> dict[str, Any]:
    from nsmodels.datasets.vqa.questions.ceilings import ceilings
    from nsmodels.datasets.vqa.questions.twin import Recipe, write_twin_split
    from nsmodels.scenery.words import vocabulary

    recipe = Recipe(config.seed, config.questions_per_image, config.paired, config.yes_share, config.scenery)
    figures: dict[str, Any] = {}
    for split, num in config.sizes.items():
        made = write_twin_split(part.path, split, num, recipe, config.num_workers or num_cores())
        figures |= {f"num_images_{split}": len(made.graphs), f"num_questions_{split}": len(made.asked.questions)}
        figures[f"num_pairs_{split}"] = len(made.asked.pairs)
        if split == "val":
            figures |= ceilings(made.asked)
    vocabulary().write(part.path)
    return figures


def _make_from_archive(config: VqaConfig, key: str, part: Part) -> dict[str, Any]:
    if place := DATASET.on_disk(config, key):
        return _cut_sealed(place, config, part)
    release = Release.of(config)
    if config.sizes == NUM_IMAGES:
        fetched = fetch.fetch_full(part.path, release)
    else:
        fetched = fetch.fetch_mini(part.path, config.sizes, release, config.pairs)
    part.source = provenance.caption(fetched, release)
    return _finished(fetched, part, release.coco_url)


def _make_from_local(config: VqaConfig, key: str, part: Part) -> dict[str, Any]:
    place = Path(config.local_path)
    if DATASET.is_sealed_here(place, config):
        return _cut_sealed(place, config, part)
    fetched = fetch.cut_local(place, part.path, config.sizes, config.pairs)
    part.source = provenance.caption(fetched, None)
    return _finished(fetched, part, str(place))


def _cut_sealed(place: Path, config: VqaConfig, part: Part) -> dict[str, Any]:
    """Cut data that were sealed here: they keep their source, once their bytes are those that were sealed."""
    source = artifact.require_intact(place).source
    fetched = fetch.cut_local(place, part.path, config.sizes, config.pairs)
    part.source = provenance.part_of(source, fetched.images)
    return _finished(fetched, part, str(place))


def _finished(fetched: fetch.Fetched, part: Part, source: str) -> dict[str, Any]:
    """Decode the images, from `source`, and write the vocabulary of the boxes; returns the figures of the data."""
    from nsmodels.datasets.vqa.validation import require_images

    for split in fetched.images:
        require_images(part.path, split, source)
    boxes = part.path / instances_name("train")
    if boxes.is_file():
        read_instances(boxes).vocabulary().write(part.path)
    return fetched.as_dict()


def _write_answers(config: VqaConfig, folder: Path) -> dict[str, Any]:
    """Write the vocabulary of answers of train and val; its size and its upper bound on val."""
    paths = [folder / annotations_name(split) for split in ("train", "val")]
    words = AnswerVocabulary.of((one for path in paths for one in read_annotations(path)), config.least_occurrences)
    words.write(folder)
    if not words.answers:
        raise InputError(
            f"least_occurrences={config.least_occurrences}: no answer occurs as often in these data; lower it, or take "
            "more images"
        )
    bound = words.upper_bound(read_annotations(paths[1])).overall.percent
    return {"num_answers": len(words.answers), "answers_upper_bound_val": bound}


def _with_answers(make: Make) -> Make:
    """A maker that writes the vocabulary of answers too."""
    return lambda config, key, part: make(config, key, part) | _write_answers(config, part.path)


DATASET = ImageDataset.of(
    settings,
    provenance,
    [_with_answers(make) for make in (_make_synthetic, _make_from_archive, _make_from_local)],
    recipe_of=recipe_of,
    estimate=estimate,
    serves=_serves,
    answering=lambda config: fetch.require_answer(Release.of(config)),
)
prepare = DATASET.prepare
