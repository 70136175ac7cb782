"""A family of questions and its place in the mix."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nsmodels.datasets.gqa.questions.asking import Asker
from nsmodels.datasets.gqa.questions.drafts import Draft


class Family(NamedTuple):
    """Questions of one kind.

    Attributes:
        propose: a random question of the kind.
        tries: mean number of proposals for an image.
        share: wanted share of balanced questions, in per cent.
    """

    propose: Callable[[Asker], Draft | None]
    tries: float
    share: float
