"""GQA as a sealed folder: fetched, cut from a local copy, or composed; the manifest always names the true source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.errors import InputError
from nsmodels.core.hardware import Estimate
from nsmodels.datasets.gqa import config as settings
from nsmodels.datasets.gqa.config import GqaConfig
from nsmodels.datasets.gqa.files import archives, fetch, provenance
from nsmodels.datasets.gqa.files.provenance import RELEASE, SYNTHETIC
from nsmodels.formats.images.preparing import ImageDataset

# The fields that decide the content, by source; the others cannot change it.
_SIZE = ("source", "num_train", "num_val")
_PLACES = ("graphs_url", "questions_url", "eval_url", "images_url")
_FIELDS = {
    "archive": (*_SIZE, "unbalanced", *_PLACES),
    "local": (*_SIZE, "unbalanced", "local_path"),
    "synthetic": (*_SIZE, "num_ood", "num_unseen", "scenery", "questions", "seed"),
}


def estimate(config: GqaConfig) -> Estimate | None:
    """What it takes to compose the scenes and ask questions; None where they are not composed."""
    if config.source != "synthetic":
        return None
    num = config.num_train + config.num_val + config.num_ood + config.num_unseen
    pixels = config.scenery.width * config.scenery.height
    return Estimate(
        what=f"{num:,} scenes of {config.scenery.width}x{config.scenery.height}",
        memory=num * 60_000 * config.questions.effort,
        disk=num * (0.3 * pixels + 70_000 * config.questions.effort),
        cpu_seconds=num * (0.004 + 2e-7 * pixels + 0.008 * config.questions.effort),
        remedy="lower num_train, num_val or the image size",
    )


def inspect_archives(config: GqaConfig, folder: Path) -> Manifest:
    """Seal a record of the archives on their host: URL, size, ETag, files. Cheap, so never reused.

    Raises `InputError` for anything but a zip; a host that does not answer is part of the record.
    """
    urls = config.wanted.urls
    record = archives.describe(urls)
    recipe = {name: record[name] for name in urls if name in record}
    source = provenance.caption(_read(urls), provenance.RELEASED_GRAPHS, sum(provenance.RELEASED_GRAPHS.values()))
    metrics = {"reachable": record["reachable"]} | {
        f"{name}/{field}": value
        for name, found in recipe.items()
        for field, value in found.items()
        if field in ("url", "bytes", "num_files") and value is not None
    }
    return DATASET.seal_record(folder, record, recipe, source, metrics)


def recipe_of(config: GqaConfig) -> dict[str, Any]:
    """Fields that decide the content of a dataset from `config.source`."""
    known = config.relevant()
    recipe = {name: known[name] for name in _FIELDS[config.source]}
    if config.source == "local":
        recipe["local_fingerprint"] = artifact.describe_input(Path(config.local_path)).fingerprint
    return recipe


def _read(urls: Mapping[str, str]) -> list[str]:
    return [url for url in urls.values() if url]


def _serves(made: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a release comes from the same place and has the questions that are wanted."""
    is_same = all(made.get(name) == wanted[name] for name in _PLACES)
    return is_same and made.get("unbalanced") in ("all", wanted["unbalanced"])


def _make_from_archive(config: GqaConfig, key: str, part: Part) -> dict[str, Any]:
    if release := DATASET.on_disk(config, key):
        return _cut_sealed(release, config, part)
    fetched = fetch.fetch(part.path, config.wanted)
    part.source = provenance.caption(_read(config.wanted.urls), fetched.graphs, fetched.num_images)
    return _finished(fetched, part)


def _make_from_local(config: GqaConfig, key: str, part: Part) -> dict[str, Any]:
    place = Path(config.local_path)
    if DATASET.is_sealed_here(place, config):
        return _cut_sealed(place, config, part)
    fetched = fetch.cut(place, part.path, config.wanted)
    part.source = provenance.caption((), fetched.graphs, fetched.num_images)
    return _finished(fetched, part)


def _cut_sealed(place: Path, config: GqaConfig, part: Part) -> dict[str, Any]:
    """Cut data that were sealed here: they keep their source, once their bytes are those that were sealed."""
    source = artifact.require_intact(place).source
    fetched = fetch.cut(place, part.path, config.wanted)
    part.source = provenance.part_of(source, fetched.num_images)
    return _finished(fetched, part)


def _finished(fetched: fetch.Fetched, part: Part) -> dict[str, Any]:
    """Write the vocabulary of the data, once the images of what is not verified are whole; returns their figures."""
    from nsmodels.datasets.gqa.files.format import each_graph
    from nsmodels.datasets.gqa.files.places import graph_splits
    from nsmodels.datasets.gqa.files.validation import faults_of_images
    from nsmodels.datasets.gqa.vocabulary.building import build

    if not part.source.startswith((f"{RELEASE},", SYNTHETIC)) and part.source != RELEASE:
        graphs = (graph for split in graph_splits(part.path) for graph in each_graph(part.path, split))
        if faults := faults_of_images(part.path, graphs):
            raise InputError(faults[0].replace(f"{part.path}/", "", 1))
    build(part.path).write(part.path)
    return fetched.as_dict()


def compose(folder: Path, config: GqaConfig, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Write scenes of the twin with their questions and the vocabulary, `sizes` by split; returns their figures."""
    from nsmodels.datasets.gqa.files.format import write_graphs
    from nsmodels.datasets.gqa.questions.writing import write_questions
    from nsmodels.scenery.words import vocabulary
    from nsmodels.scenery.writing import write_split

    folder.mkdir(parents=True, exist_ok=True)
    words = vocabulary()
    words.write(folder)
    settings = config.questions.with_values({"seed": config.seed})
    found: dict[str, Any] = {"num_images": sum(sizes.values())}
    for split, number in sizes.items():
        graphs = write_split(folder, split, number, config.scenery, config.num_workers, config.seed)
        write_graphs(folder, split, graphs)
        counts = write_questions(folder, split, graphs, words, settings, config.num_workers or None)
        found |= {f"questions/{split}/{name}": value for name, value in counts.items()}
    return found


def _make_synthetic(config: GqaConfig, key: str, part: Part) -> dict[str, Any]:
    return compose(part.path, config, config.composed)


DATASET = ImageDataset.of(
    settings,
    provenance,
    (_make_synthetic, _make_from_archive, _make_from_local),
    recipe_of=recipe_of,
    estimate=estimate,
    serves=_serves,
    answering=lambda config: archives.require_answer(config.wanted.urls),
)
prepare = DATASET.prepare
