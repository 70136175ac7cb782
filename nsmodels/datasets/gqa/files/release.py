"""The released archives and their sizes; what of them is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

RELEASED_TRAIN, RELEASED_VAL = 74_942, 10_696  # images with a scene graph
HOST = "https://downloads.cs.stanford.edu/nlp/data/gqa/"
GRAPHS, QUESTIONS, EVAL, IMAGES = "sceneGraphs", "questions", "eval", "images"
FILES: Mapping[str, str] = {
    GRAPHS: "sceneGraphs.zip",
    QUESTIONS: "questions1.2.zip",
    EVAL: "eval.zip",
    IMAGES: "images.zip",
}
URLS: Mapping[str, str] = {name: f"{HOST}{file}" for name, file in FILES.items()}
Unbalanced = Literal["none", "val", "all"]


@dataclass(frozen=True)
class Wanted:
    """A part of the release.

    Attributes:
        num_train, num_val: images with scene graphs.
        unbalanced: unbalanced questions, of val, of all splits, or none.
        urls: address of each archive; an empty or missing one of `EVAL`: no choices.
    """

    num_train: int
    num_val: int
    unbalanced: Unbalanced = "val"
    urls: Mapping[str, str] = field(default_factory=lambda: URLS)

    @property
    def sizes(self) -> dict[str, int]:
        """Number of images of train and val."""
        return {"train": self.num_train, "val": self.num_val}

    @property
    def is_whole(self) -> bool:
        """Whether all images with graphs are taken; then those of testdev are, too."""
        return self.num_train >= RELEASED_TRAIN and self.num_val >= RELEASED_VAL
