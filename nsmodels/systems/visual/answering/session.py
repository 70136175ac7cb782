"""Answers to several questions about images that are seen once, and what is done with their proofs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, final

from nsmodels.systems.visual.answering.reasoner import Reasoner

if TYPE_CHECKING:
    from nsmodels.systems.visual.answering.answer import Sight, VisualAnswer
    from nsmodels.systems.visual.reasoning.counterfactual import Counterfactual


@final
class Session:
    """Images as a reasoner sees them.

    Args:
        reasoner: that answers.
        images: files that are seen at once; `see` adds others.
    """

    def __init__(self, reasoner: Reasoner, images: Sequence[Path] = ()) -> None:
        self._reasoner = reasoner
        self._sights: dict[Path, Sight] = {}
        for image in images:
            self.see(image)

    def see(self, image: Path) -> None:
        """See an image, before questions about it; raise `InputError` when it cannot be read."""
        self._sights[image] = self._reasoner.see(image)

    def answer(self, image: Path, question: str) -> VisualAnswer:
        """The answer to a question about one of the images; raise `InputError` for one without words."""
        return self._reasoner.answer(self._sights[image], question)

    def remove(self, given: VisualAnswer, fact: str) -> Counterfactual:
        """The proof without a fact; raise `InputError` for one that is not believed."""
        from nsmodels.systems.visual.reasoning.counterfactual import remove_fact

        return remove_fact(given.needed_proof, given.belief, fact)

    def draw(self, given: VisualAnswer, path: Path) -> None:
        """The proof over its image."""
        from nsmodels.formats.images.cache import read_pixels
        from nsmodels.systems.visual.reasoning.drawing import draw_proof

        draw_proof(read_pixels(given.image), given.needed_proof, given.belief, path, given.question)

    def draw_tree(self, given: VisualAnswer, path: Path) -> None:
        """The proof as a tree."""
        from nsmodels.systems.visual.reasoning.drawing import draw_tree

        draw_tree(given.needed_proof, path)
