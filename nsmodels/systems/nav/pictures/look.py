"""Quick check of a checkpoint, in seconds: its scores on the first validation maps beside greedy and chance."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.systems.nav.evaluation.validation import SCORES, SPLIT, ValMaps
from nsmodels.systems.nav.network.construction import load_navigator
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.pictures import drawing

NUM_MAPS = 500
NUM_DRAWN = 8
MODEL = "navigator"


@dataclass(frozen=True)
class Glance:
    """Scores by row: the navigator, greedy and chance, each `success`, `spl`, `any_optimal` as in an evaluation.

    `gallery` is a PNG of the policies of the first maps: the darker an arrow the more confident, wrong cells orange.
    """

    rows: dict[str, dict[str, Any]]
    num_maps: int
    gallery: bytes

    @property
    def success(self) -> dict[str, float]:
        """Share of starts from which the goal is reached, by row."""
        return {name: row["success"]["value"] for name, row in self.rows.items()}

    def text(self) -> str:
        """The rows as a table with 95 % intervals."""
        head = f"{'first ' + str(self.num_maps) + ' ' + SPLIT + ' maps':<22}{'success':<22}{'SPL':<9}cells optimal"
        return "\n".join([head, *(_line(name, row) for name, row in self.rows.items())])


def glance(checkpoint: Path, data: Path, num_maps: int = NUM_MAPS, device: str = "auto") -> Glance:
    """Load the checkpoint and score it on the first validation maps; raise `InputError` when either is broken."""
    navigator, val = load_navigator(checkpoint, device), ValMaps.read(data, num_maps)
    rows = {MODEL: val.score(lambda maps: navigator.policy(maps).actions), **val.baselines()}
    return Glance(rows, len(val), _gallery(navigator, val))


def _gallery(navigator: Navigator, val: ValMaps) -> bytes:
    maps, labels = val.groups[0]
    num = min(NUM_DRAWN, len(maps))
    policy = navigator.policy(maps[:num])
    figure, axes = drawing.make_panels(num, maps.shape, 2.4, columns=4)
    for k, axis in enumerate(axes):
        drawing.paint_policy(axis, policy, maps, k, labels)
        drawing.paint_ends(axis, maps, k, 5.0)
        axis.set_title(drawing.describe(policy, maps, k, labels), fontsize=8)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=90)
    return stream.getvalue()


def _line(name: str, row: dict[str, Any]) -> str:
    success, spl, cells = (row[score] for score in SCORES)
    ends = ", ".join(f"{100 * end:.1f}" for end in success["interval"] or ())
    shown = f"{100 * success['value']:.1f} [{ends}]"
    return f"{name:<22}{shown:<22}{spl['value']:<9.3f}{100 * cells['value']:.2f}"
