"""Diagnosis of a training from its history: problems, each with the fields to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from nsmodels.datasets.mazes.files.format import read_split
from nsmodels.datasets.mazes.solving.labels import action_sets, label

GAP = 0.1  # difference of training and validation accuracy above which it is overfitting
NEAR_CHANCE = 0.05
GOOD = 0.95
RISES = 1 / 3  # share of epochs in which the training loss may rise
FEWEST = 4  # smallest number of epochs for a diagnosis


def chance(data: Path) -> float:
    """Accuracy of a random action on the validation maps: mean share of optimal actions, over cells that have one."""
    shares = []
    for group in read_split(data, "val").groups:
        sets = action_sets(label(group.maps[:]).optimal, group.maps.connectivity)
        shares.append(sets.mean(1)[sets.any(1)])
    return float(sum(part.sum() for part in shares) / sum(len(part) for part in shares))


def diagnose(history: Sequence[Mapping[str, float]], chance: float) -> list[str]:
    """Problems in the records of the epochs, one line each, with remedies in the order to try them."""
    records = [row for row in history if "val/accuracy" in row]
    if len(records) < FEWEST:
        return []
    last, losses = records[-1], [row["train/loss"] for row in history]
    train, val = last["train/accuracy"], last["val/accuracy"]
    found = []
    if val < chance + NEAR_CHANCE:
        found.append(
            f"accuracy stuck at chance ({val:.1%}, chance {chance:.1%}): inspect the data (nsmodels mazes show), "
            "lower --lr, try a small model first (--preset quick)"
        )
    elif train - val > GAP:
        found.append(
            f"overfitting (training {train:.1%}, validation {val:.1%}): --data.augment, more maps (--num-train of the "
            "data, or --data.fresh-maps), --dropout 0.2, --weight-decay 0.05, a smaller --dim"
        )
    elif train < GOOD:
        found.append(
            f"underfitting (training {train:.1%}, validation {val:.1%}): more --epochs, a larger --dim or --depth, "
            "--dropout 0, a lower --weight-decay"
        )
    if _share_of_rises(losses) > RISES:
        found.append("the training loss rises as often as it falls: lower --lr (a third), or a larger --batch-size")
    return found


def _share_of_rises(losses: Sequence[float]) -> float:
    rises = sum(after > before for before, after in pairwise(losses))
    return rises / max(1, len(losses) - 1)
