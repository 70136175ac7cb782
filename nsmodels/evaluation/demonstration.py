"""A trained model at work: inputs drawn by chance, what it makes of each, and what a change makes of its answer.

Torch-free. `System.demonstrate` returns a `Demonstration`; notebooks and tests read it without naming a system.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Case:
    """An input with the answer of a model.

    Attributes:
        item: name of the input in the data.
        asked: what is asked of it.
        answer: of the model.
        truth: the answer that is known.
        is_right: whether the answer is right, as `Demonstration.about` defines it.
    """

    item: str
    asked: str
    answer: str
    truth: str
    is_right: bool


@dataclass(frozen=True)
class Account:
    """An explanation as text, and as a picture (the bytes of a PNG) where there is one."""

    text: str
    picture: bytes = b""


class Demonstration(ABC):
    """A loaded model with inputs of held-out data, by number from 0. Subclasses are final.

    Attributes:
        about: which inputs these are, and when an answer is right.
        about_change: what `change` changes.
        own: command line for inputs of one's own; `{model}` and `{data}` stand for the folders.
    """

    about: str
    about_change: str
    own: str

    @abstractmethod
    def __len__(self) -> int:
        """Number of inputs."""

    @abstractmethod
    def answer(self, number: int) -> Case:
        """Run the model on an input: the whole way from what the data hold to the answer, each time anew."""

    @abstractmethod
    def explain(self, number: int) -> Account:
        """How the model comes to its answer, and how the answer compares with the truth."""

    @abstractmethod
    def change(self, number: int) -> Account:
        """What becomes of the answer when something about the input is different."""


def drawn(total: int, num: int, seed: int) -> list[int]:
    """Numbers of `num` of `total` items, or of all where there are fewer, by chance and equal for equal seeds."""
    return np.random.default_rng(seed).permutation(total)[:num].tolist()


def picture_of(draw: Callable[[Path], object]) -> bytes:
    """The PNG that a function draws to a path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        draw(path)
        return path.read_bytes()
