"""Closed scenes: what is not stated is not so."""

from __future__ import annotations

from nsmodels.datasets.gqa.programs.scene import Compiled


class ClosedScene(Compiled):
    """A scene that holds what is stated and nothing else: the sides do not follow from boxes."""

    def _beside(self, relation: str) -> list[tuple[int, int]]:
        return []
