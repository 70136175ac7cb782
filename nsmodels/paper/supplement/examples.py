"""Proofs for the supplement: drawn with a fixed seed among the right and among the wrong answers that are sealed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nsmodels.core.artifact import Manifest

PROOFS = "proofs"
KINDS = ("right", "wrong", "not_proved")
SEED, NUM_DRAWN = 0, 2  # of each kind


@dataclass(frozen=True)
class Drawn:
    """Proofs of one evaluation.

    Attributes:
        num_sealed: proofs in the evaluation, by whether the answer is right.
        files: of those drawn, likewise.
    """

    num_sealed: Mapping[str, int]
    files: Mapping[str, Sequence[Path]]


def draw(evaluation: Path, manifest: Manifest) -> Drawn | None:
    """Proofs of right and of wrong answers in an evaluation, `NUM_DRAWN` of each; None where it has no proofs."""
    by_kind: dict[str, list[Path]] = {}
    for name in sorted(manifest.files):
        place = Path(name)
        if place.parts[0] == PROOFS and place.suffix == ".txt":
            kind = next((each for each in KINDS if place.name.startswith(each)), "")
            by_kind.setdefault(kind, []).append(evaluation / name)
    if not by_kind:
        return None
    chance = random.Random(SEED)
    drawn = {kind: sorted(chance.sample(files, min(NUM_DRAWN, len(files)))) for kind, files in sorted(by_kind.items())}
    return Drawn({kind: len(files) for kind, files in by_kind.items()}, drawn)
