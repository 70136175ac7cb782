"""Names of training curves, chosen so that the web UI shows those first that a person looks for first.

The UI sorts its plots by name. So a name begins with the place of the network in the step, the main one first, and the
place of the curve: loss and scores on validation data, then those of training data, then the learning rate.
"""

from __future__ import annotations

RATE = "lr"
WORDS = {"val": "validation", "train": "training"}
PLACES = {"val": 1, "train": 3}  # of the loss; the other metrics of the split follow it
PLACE_OF_RATE = 5
SHARES = ("accuracy", "success", "precision", "recall", "exact", "names", "sets", "map", "sign")


def name(place: int, phase: str, metric: str) -> str | None:
    """Name of the curve of a metric, as "1.1 navigator: validation loss"; None for what is not plotted.

    Args:
        place: of the network among those of the step, from 1.
        phase: its name, or empty.
        metric: as in the history, "val/loss".
    """
    split, _, what = metric.partition("/")
    if metric != RATE and split not in WORDS:
        return None
    number = PLACE_OF_RATE if metric == RATE else PLACES[split] + (what != "loss")
    words = "learning rate" if metric == RATE else f"{WORDS[split]} {what.replace('_', ' ')}{_unit(what)}"
    return f"{place}.{number} {f'{phase}: ' if phase else ''}{words}"


def _unit(what: str) -> str:
    """The unit in brackets, where the name of the metric decides it."""
    return " (share)" if is_share(what) else ""


def is_share(metric: str) -> bool:
    """Whether the name of a metric, without its split, is that of a number in [0, 1]."""
    return metric.rpartition("_")[2] in SHARES
