"""The page of a dataset of labelled graphs: pairs of twins drawn, numbers by kind and by length."""

from __future__ import annotations

from pathlib import Path

from pipeline.lib.display import pictures, results

LEGEND = "Twins side by side, with opposite labels: what differs is orange, everything else is equal."
SHOWN = ("train", "test", "ood")  # splits in the bar charts


def show(folder: Path) -> results.Metadata:
    """Pairs of twins drawn, and how many graphs of which kind, length and size there are."""
    from nsmodels.formats.graphs import files
    from nsmodels.formats.graphs import pictures as drawn

    splits = files.splits(folder)
    shown = next((split for split in ("test", "val", "train") if split in splits), splits[0])
    path = files.path_of(folder, shown)
    return {
        "twins": pictures.markdown(drawn.contact_sheet(files.read(path)), "twins", LEGEND),
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
