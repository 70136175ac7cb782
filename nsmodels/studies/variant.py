"""Variants of a model: what is removed, added or replaced, and what is trained anew for it. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nsmodels.core.errors import InputError

FULL = "full"  # name of the model without a change, against which every variant is judged
# Quantities that every study counts; others are those of a system, see `Arm.count`.
PARAMETERS, OPERATIONS = "parameters", "operations"
REPLACED = "replaced"  # in place of a quantity: a different part stands there, and nothing is removed


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
        also: further metrics by which a verdict is given, where the data have them.
        removes: the quantity that the model without the part has less of, as "parameters" or "terms of the loss";
            `REPLACED` where the part is exchanged for a different one.
    """

    about: str
    values: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    phases: tuple[str, ...] = ()
    metric: str = ""
    adds: bool = False
    also: tuple[str, ...] = ()
    removes: str = PARAMETERS

    def judged_by(self, known: Sequence[str], name: str) -> tuple[str, ...]:
        """The metrics by which a verdict is given, of those that are scored, the headline first.

        Raises `InputError` with the `name` of the variant where its own is not among them.
        """
        first = self.metric or known[0]
        if first not in known:
            raise InputError(f"variant '{name}': is judged by '{first}', which is not scored; there are {list(known)}")
        return (first, *(metric for metric in self.also if metric in known))

    def recipe(self) -> dict[str, Any]:
        """What decides the numbers of its rows, as plain values."""
        plain = {name: getattr(self, name) for name in ("about", "values", "evaluation", "phases", "metric", "adds")}
        return plain | ({"also": self.also} if self.also else {})


class Group(NamedTuple):
    """Variants of which the best ones are compared: `first` is expected to be ahead of `second`; `about`: in words."""

    about: str
    first: tuple[str, ...]
    second: tuple[str, ...]


WHOLE = Variant("nothing: the full model")
