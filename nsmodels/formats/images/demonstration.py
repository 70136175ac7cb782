"""Questions about images at work: answers with proofs, and what they become without one fact after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, final

from nsmodels.evaluation.demonstration import Account, Case, Demonstration, picture_of
from nsmodels.formats.images.commands import GivenAnswer, Session

MOST_FACTS = 12  # facts of a proof that are removed, one at a time
LISTED = 4  # of them that are listed
SURE = 0.5  # facts that are believed less cannot be removed


class Asked(NamedTuple):
    """A question of the data: file of the image, text, recorded answer."""

    image: Path
    question: str
    truth: str


@final
class AnswerDemonstration(Demonstration):
    """Answers of a session to questions of the data.

    Args:
        session: of the model.
        asked: the questions.
        system: name of the system, for the command line.
    """

    about = (
        "Questions about held-out images. Right: the best guess is the recorded answer, also where the model is too "
        "unsure to give it."
    )
    about_change = (
        "The facts of the proof are removed one at a time, the next likely value takes the place of each, and the "
        "question is answered again."
    )

    def __init__(self, session: Session, asked: Sequence[Asked], system: str) -> None:
        self._session, self._asked = session, asked
        self.own = f'nsmodels {system} answer --checkpoint {{model}} --image FILE "Is there a red thing?"'

    def __len__(self) -> int:
        return len(self._asked)

    def answer(self, number: int) -> Case:
        """See the image, read the question, answer."""
        asked, given = self._asked[number], self._given(number)
        best = best_of(given)
        answer = best if given.is_given else f"({best or 'none'}) not given"
        return Case(asked.image.name, asked.question, answer, asked.truth, best == asked.truth)

    def explain(self, number: int) -> Account:
        """Answer or refusal, the factors of its confidence, and its proof over the image."""
        asked, given = self._asked[number], self._given(number)
        text = f"{asked.image.name}: {asked.question}\nrecorded answer: {asked.truth}\n{given.text()}"
        if given.proof is None:
            return Account(text, picture_of(lambda path: _copy(asked.image, path)))
        return Account(text, picture_of(lambda path: self._session.draw(given, path)))

    def change(self, number: int) -> Account:
        """The answer without each of the facts that its proof rests on; those that change it first."""
        asked, given = self._asked[number], self._given(number)
        head = f"{asked.image.name}: {asked.question}"
        if given.proof is None:
            return Account(f"{head}\nno proof, so no fact to remove: {given.refusal or 'none was found'}")
        facts = _removable(given.proof)
        found = [self._session.remove(given, str(fact)) for fact in facts[:MOST_FACTS]]
        found.sort(key=lambda each: not each.is_changed)
        count = sum(each.is_changed for each in found)
        lines = [f"{head}\n{len(found)} of the {len(facts)} facts that hold, removed one by one: {count} change it"]
        return Account("\n".join([*lines, *(each.text() for each in found[:LISTED])]))

    def _given(self, number: int) -> GivenAnswer:
        asked = self._asked[number]
        self._session.see(asked.image)
        return self._session.answer(asked.image, asked.question)


def best_of(given: GivenAnswer) -> str:
    """The answer, or the best guess where none is given; empty without any."""
    record = given.record()
    return str(record["answer"] or record["best"] or "")


def _removable(proof: Any) -> list[Any]:
    """Facts of a proof that hold and are believed, what is said of objects before that they are there."""
    believed = [fact for fact in proof.facts if fact.holds and fact.probability >= SURE]
    return sorted(believed, key=lambda fact: fact.name == "present")


def _copy(image: Path, path: Path) -> None:
    """Write an image file of any format as a PNG."""
    from PIL import Image

    from nsmodels.formats.images.cache import read_pixels

    Image.fromarray(read_pixels(image)).save(path)
