"""Datasets of images as sealed folders: which source is taken, when equal data are kept, what the manifest records.

A dataset has four sources: `archive`, its release; `local`, a copy; `synthetic`, its twin; and `auto`, which is the
data on disk, else the archive when its host answers, else the twin with a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.errors import InputError
from nsmodels.core.hardware import Estimate

ARCHIVE, LOCAL, SYNTHETIC = "archive", "local", "synthetic"
Make = Callable[[Any, str, Part], dict[str, Any]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ImageDataset:
    """How a dataset of images is had from each of its sources; its configurations have a `source` and a `seed`.

    Attributes:
        key: of the asset of the whole release, of which smaller datasets are cut where it is on disk.
        maker, code_version: for the manifest.
        release, twin: captions of verified data of the release, and of synthetic ones.
        recipe_of: fields that decide the content, of a configuration whose source is not `auto`.
        estimate: what it takes to make the data; None where they are not drawn.
        answering: the host that answers for the archive; raises InputError where there is none.
        serves: whether data of the release with this recipe, the first, have what the other asks for.
        licence: of data with a caption.
        makers: by source, what makes the data in a part, and returns figures for the manifest.
    """

    key: str
    maker: str
    code_version: str
    release: str
    twin: str
    recipe_of: Callable[[Any], dict[str, Any]]
    estimate: Callable[[Any], Estimate | None]
    answering: Callable[[Any], str]
    serves: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
    licence: Callable[[str], str]
    makers: Mapping[str, Make]

    @classmethod
    def of(cls, config: Any, provenance: Any, makers: Sequence[Make], **own: Callable[..., Any]) -> Self:
        """The dataset of a package, by its modules `config` and `files.provenance`.

        `makers`: of its twin, from its archive, from a copy; `own`: the remaining attributes, which are functions.
        """
        return cls(
            key=config.MAKER.rpartition(".")[2],
            maker=config.MAKER,
            code_version=config.CODE_VERSION,
            release=provenance.RELEASE,
            twin=provenance.SYNTHETIC,
            licence=provenance.licence,
            makers=dict(zip((SYNTHETIC, ARCHIVE, LOCAL), makers, strict=True)),
            **own,
        )

    def prepare(
        self,
        config: Any,
        key: str,
        folder: Path,
        is_forced: bool = False,
        agree: Callable[[Estimate], None] = lambda needed: None,
    ) -> Manifest:
        """Seal the dataset in `folder`, or reuse what is there unless `is_forced`; returns the manifest.

        `agree` is called with the estimate of what has to be made, before it is made. Raises `InputError` when the
        source is missing or damaged, or the disk is full; `Unreachable` when no host answers.
        """
        config, reason = self.resolve(config, key, folder)
        log.info("%s: source %s (%s)", key, config.source, reason)
        recipe: Any = {"config": self.recipe_of(config), "code_version": self.code_version}
        recipe |= {"inputs": inputs_of(config), "seed": _seed_of(config)}

        def fill(part: Part) -> None:
            if needed := self.estimate(config):
                needed.require(folder)
                agree(needed)
            part.metrics |= {"source_reason": reason, **self.makers[config.source](config, key, part)}
            part.licence = self.licence(part.source)

        # Until what was fetched has been verified, it is not called the release.
        source = self.twin if config.source == SYNTHETIC else f"not verified as {self.release}"
        return artifact.made(folder, is_forced, fill, key=key, maker=self.maker, source=source, **recipe)

    def resolve(self, config: Any, key: str, folder: Path) -> tuple[Any, str]:
        """`config` with `auto` replaced by a source, and the reason for that source."""
        if config.source != "auto":
            return config, "as configured"
        for source in (ARCHIVE, SYNTHETIC):
            chosen = config.with_values({"source": source})
            mark = artifact.make_fingerprint(self.recipe_of(chosen), self.code_version, {}, _seed_of(chosen))
            if artifact.current(folder, mark):
                return chosen, "auto: already on disk"
        archive = config.with_values({"source": ARCHIVE})
        if self.on_disk(archive, key):
            return archive, "auto: the release is on disk"
        try:
            return archive, f"auto: {self.answering(config)} answers"
        except InputError as error:
            log.warning("%s: the archive is not available (%s); making the SYNTHETIC twin instead", key, error)
            return config.with_values({"source": SYNTHETIC}), f"auto: the archive is not available ({error})"

    def on_disk(self, config: Any, key: str) -> Path | None:
        """Folder of the sealed release, if it exists, serves `config`, has enough images, and is not `key` itself."""
        release = artifact.folder_of(self.key)
        if key == self.key or not (release / artifact.MANIFEST).exists():
            return None
        made, wanted = artifact.read_manifest(release).config, self.recipe_of(config)
        is_enough = all(made.get(name, 0) >= wanted[name] for name in ("num_train", "num_val"))
        return release if is_enough and made.get("source") == ARCHIVE and self.serves(made, wanted) else None

    def is_sealed_here(self, place: Path, config: Any) -> bool:
        """Whether local data at `place` were sealed as this dataset: their bytes and their source can be relied on."""
        return place in inputs_of(config).values() and artifact.read_manifest(place).maker == self.maker

    def seal_record(
        self,
        folder: Path,
        record: Mapping[str, Any],
        recipe: Mapping[str, Any],
        source: str,
        metrics: Mapping[str, Any],
    ) -> Manifest:
        """Seal a record of the archives on their hosts. Cheap, so never reused."""
        about: Any = {"config": dict(recipe), "code_version": self.code_version, "licence": self.licence(source)}
        with artifact.build(folder, key=folder.name, maker=self.maker, source=source, **about) as part:
            disk.write_json(part.path / "archives.json", record)
            part.metrics |= metrics
        return artifact.read_manifest(folder)


def inputs_of(config: Any) -> dict[str, Path]:
    """Sealed folder of local data, if it is one; a plain folder or zip is covered by a fingerprint in the recipe."""
    place = Path(config.local_path)
    return {LOCAL: place} if config.source == LOCAL and (place / artifact.MANIFEST).is_file() else {}


def _seed_of(config: Any) -> int | None:
    return config.seed if config.source == SYNTHETIC else None
