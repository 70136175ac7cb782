"""Assets of labelled graphs: one page and one set of checks for all datasets of that format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.core import discover
from pipeline.lib.dataset import Generated
from pipeline.lib.display import pictures, results

SHOWN = ("train", "test", "ood")  # splits in the bar charts
VERDICTS = {
    "schema": "Every id has a name, every edge ends in its graph, traces are as long as their rounds.",
    "twins_are_equal": "Twins have equal pooled counts, kinds and lengths, and opposite labels.",
    "twins_are_told_apart": "Message passing can tell every pair of twins apart.",
    "splits_are_disjoint": "No graph is in two splits, however its nodes are numbered.",
    "labels_are_balanced": "Which twin comes first does not tell the label.",
    "no_shortcut": "No classifier of counts or short-range colours is above the limit, on any kind of query.",
}


def graph_data(
    name: str, about: str, verdicts: Mapping[str, str], package: str = "", preset: str = "", is_downloaded: bool = False
) -> Generated:
    """A dataset of labelled graphs; `verdicts` describe its own checks, beside those that all of them have.

    `package` and `preset`: see `Generated`.
    """

    def wanted(config: Any) -> Mapping[str, Any]:
        return discover.module("datasets", package or name, "prepare").DATASET.recipe_of(config)

    kinds = ("parquet", "numpy")
    every = VERDICTS | dict(verdicts)
    return Generated(name, about, every, (), show, wanted, kinds, package, preset, is_downloaded)


def show(folder: Path) -> results.Metadata:
    """Pairs of twins drawn, and how many graphs of which kind, length and size there are."""
    from nsmodels.formats.graphs import files
    from nsmodels.formats.graphs import pictures as drawn

    splits = files.splits(folder)
    shown = next((split for split in ("test", "val", "train") if split in splits), splits[0])
    path = files.path_of(folder, shown)
    return {
        "twins": pictures.markdown(drawn.contact_sheet(files.read(path)), "twins, what differs in orange"),
        "distributions": pictures.bars(_panels(folder, [split for split in SHOWN if split in splits] or splits)),
        **results.columns(path, files.ABOUT),
    }


def _panels(folder: Path, splits: list[str]) -> dict[str, dict[str, float]]:
    """Numbers of graphs by kind and by length, and their mean sizes, of these splits."""
    import numpy as np

    from nsmodels.formats.graphs import files

    panels: dict[str, dict[str, float]] = {}
    for split in splits:
        graphs = files.read_split(folder, split)
        names, words = graphs.vocabulary.kinds, graphs.vocabulary
        numbers = np.bincount(graphs.kinds, minlength=len(names)).tolist()
        panels[f"{split}: graphs by kind"] = dict(zip(names, numbers, strict=True))
        lengths, counts = np.unique(graphs.lengths, return_counts=True)
        panels[f"{split}: graphs by {words.length}"] = dict(zip(map(str, lengths), counts.tolist(), strict=True))
    return panels
