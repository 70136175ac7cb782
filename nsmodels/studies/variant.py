"""Variants of a model: what is removed, added or replaced, and what is trained anew for it. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FULL = "full"  # name of the model without a change, against which every variant is judged


@dataclass(frozen=True)
class Variant:
    """A model that differs from the full one in one part.

    Attributes:
        about: the part, in words: "messages between objects".
        values: dotted fields of the configuration of the training that differ; empty: nothing is trained, the
            checkpoint of the full model of the same seed is scored.
        evaluation: dotted fields of the configuration of the evaluation that differ.
        phases: phases that are trained anew, the others are those of the full model of the same seed; empty: all.
        metric: by which the verdict is given; empty: the headline.
        adds: whether the variant has the part, and the full model lacks it.
    """

    about: str
    values: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    phases: tuple[str, ...] = ()
    metric: str = ""
    adds: bool = False

    @property
    def is_trained(self) -> bool:
        """Whether it needs a training of its own."""
        return bool(self.values)


WHOLE = Variant("nothing: the full model")
