"""What a copy of an artifact holds beside its files: the card, Croissant metadata of data, plain weights of models."""

from __future__ import annotations

from pathlib import Path

from nsmodels.commands.sharing import weights
from nsmodels.core import disk
from nsmodels.core.artifact import Manifest
from nsmodels.paper.cards import croissant
from nsmodels.paper.cards.card import CARD, card, is_dataset, plain_weights


def describe(folder: Path, manifest: Manifest, into: Path) -> dict[str, Path]:
    """Write what describes the artifact in `folder` below `into`; the files by the name that they have in the copy.

    Raises `InputError` for a damaged checkpoint.
    """
    if is_dataset(manifest):
        disk.write_json(into / croissant.NAME, croissant.metadata(folder, manifest))
        found = {croissant.NAME: into / croissant.NAME}
    else:
        found = weights.write(folder, plain_weights(manifest), into)
    disk.write_atomic(into / CARD, card(folder, manifest))
    return found | {CARD: into / CARD}
