"""A dataset of labelled graphs as a sealed folder: a parquet file per split; generated, or read from somewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.hardware import Estimate
from nsmodels.core.sealed import licences
from nsmodels.formats.graphs import files, local
from nsmodels.formats.graphs.config import SPLITS, GraphDataConfig
from nsmodels.formats.graphs.drawing import Draw, draw_splits
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.formats.graphs.vocabulary import Vocabulary

# Reads the graphs of a source that is not drawn here, by split, and figures about them for the manifest.
Read = Callable[[Any], tuple[Mapping[str, Graphs], Mapping[str, Any]]]


def numbers_of(config: GraphDataConfig, lengths: Sequence[int]) -> dict[str, int]:
    """Pairs by split, as the fields of the configuration give them; of the split `lengths` so many of each length."""
    numbers = {split: getattr(config, name) for split, name in SPLITS.items()}
    return numbers | {"lengths": config.num_lengths * len(lengths)}


@dataclass(frozen=True)
class GraphDataset:
    """What a dataset of labelled graphs consists of.

    Attributes:
        maker: package of the dataset.
        code_version: a change makes every artifact again.
        vocabulary: of all its graphs.
        draw: draws pairs of a split; see `drawing.Draw`.
        caption: source of the drawn graphs, as in the manifest: "synthetic causal graphs".
        numbers: pairs by split.
        estimate: what drawing takes.
        sources: further values of `source`, each read by a function; `local` is always one.
        captions: source of what these read, by value of `source`.
        licences: of what these read, by value of `source`; those of local files are their owner's to say.
        extra: what identifies files that are read (a checksum), for the fingerprint, by value of `source`.
    """

    maker: str
    code_version: str
    vocabulary: Vocabulary
    draw: Draw
    caption: str
    numbers: Callable[[Any], dict[str, int]]
    estimate: Callable[[Any], Estimate | None] = lambda config: None
    sources: Mapping[str, Read] = field(default_factory=dict)
    captions: Mapping[str, str] = field(default_factory=dict)
    licences: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)

    def recipe_of(self, config: GraphDataConfig) -> dict[str, Any]:
        """The fields that decide the content, as the manifest records them; of files their checksums."""
        values = config.relevant()
        if config.source == "local":
            values["local_fingerprint"] = local.fingerprint_of(Path(config.local_path))
        if config.source in self.extra:
            values["source_fingerprint"] = self.extra[config.source](config)
        return values

    def prepare(
        self,
        config: GraphDataConfig,
        key: str,
        folder: Path,
        is_forced: bool = False,
        agree: Callable[[Estimate], None] = lambda needed: None,
    ) -> Manifest:
        """Seal the data in `folder`, or keep equal ones unless `is_forced`; returns the manifest.

        `agree` is called with the estimate of what has to be made, before it is made. Raises InputError for files that
        are missing or malformed, and when there are not enough different graphs.
        """
        if config.local_path:
            artifact.require_apart(folder, {"local_path": Path(config.local_path)})

        def fill(part: Part) -> None:
            if config.source == "synthetic" and (needed := self.estimate(config)):
                needed.require(folder)
                agree(needed)
            part.metrics |= self._make(config, part.path)

        caption = {"synthetic": self.caption, "local": "graphs from local files", **self.captions}[config.source]
        recipe: Any = {"config": self.recipe_of(config), "code_version": self.code_version, "seed": config.seed}
        recipe["licence"] = {"synthetic": licences.GENERATED, **self.licences}.get(config.source, licences.OWNERS)
        return artifact.made(folder, is_forced, fill, key=key, maker=self.maker, source=caption, **recipe)

    def _make(self, config: GraphDataConfig, folder: Path) -> dict[str, Any]:
        began, cpu = time.perf_counter(), time.process_time()
        splits, about = self._splits(config)
        for split, graphs in splits.items():
            files.write(files.path_of(folder, split), graphs)
        seconds = {"seconds": round(time.perf_counter() - began, 3), "cpu_seconds": round(time.process_time() - cpu, 3)}
        return {**summary(splits), **about, **seconds}

    def _splits(self, config: GraphDataConfig) -> tuple[Mapping[str, Graphs], Mapping[str, Any]]:
        if config.source == "synthetic":
            drawn = draw_splits(config, self.draw, self.numbers(config))
            return drawn.splits, {"num_duplicates_dropped": drawn.num_dropped}
        if config.source == "local":
            return local.read_splits(Path(config.local_path), self.vocabulary), {}
        return self.sources[config.source](config)


def summary(splits: Mapping[str, Graphs]) -> dict[str, Any]:
    """By split: graphs, share of label 1, mean numbers of nodes, edges and rounds, graphs by kind and by length."""
    found: dict[str, Any] = {"num_graphs": {split: len(graphs) for split, graphs in splits.items()}}
    found["positive_share"] = {split: float(graphs.labels.mean()) for split, graphs in splits.items()}
    for name in ("num_nodes", "num_edges", "rounds"):
        key = name.replace("num_", "")
        found[f"mean_{key}"] = {split: float(getattr(graphs, name).mean()) for split, graphs in splits.items()}
    for split, graphs in splits.items():
        counts = np.bincount(graphs.kinds, minlength=len(graphs.vocabulary.kinds)).tolist()
        found.setdefault("kinds", {})[split] = dict(zip(graphs.vocabulary.kinds, counts, strict=True))
        lengths, numbers = np.unique(graphs.lengths, return_counts=True)
        found.setdefault("lengths", {})[split] = {str(k): int(n) for k, n in zip(lengths, numbers, strict=True)}
    return found
