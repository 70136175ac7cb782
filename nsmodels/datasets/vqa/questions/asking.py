"""Questions about the scenes of the twin, and complementary pairs: the same question about a scene with one change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from nsmodels.datasets.vqa.files.annotations import Annotation, annotation
from nsmodels.datasets.vqa.files.names import QUESTIONS_PER_IMAGE_ID
from nsmodels.datasets.vqa.files.questions import Question
from nsmodels.datasets.vqa.questions.annotators import most_frequent, ten_answers
from nsmodels.datasets.vqa.questions.proposals import Proposer, names_of
from nsmodels.datasets.vqa.questions.queries import Query, View, answer
from nsmodels.datasets.vqa.questions.tempting import stray, tempting
from nsmodels.datasets.vqa.questions.types import answer_type, question_type
from nsmodels.datasets.vqa.questions.wording import spoken
from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

CANDIDATES = 40  # queries drawn for a pair of scenes, of which those whose answer changes can be asked
MOST_PAIRS = 2  # questions that are asked about both scenes


@dataclass
class Asked:
    """Questions about some scenes with their annotations.

    Attributes:
        questions, annotations: released records, in the same order.
        pairs: ids of questions with the same words about two scenes, and different true answers.
        truths: query and true answer by question id.
    """

    questions: list[Question] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    truths: dict[int, tuple[Query, str]] = field(default_factory=dict)

    def extend(self, other: Asked) -> None:
        """Add the questions about further scenes."""
        self.questions += other.questions
        self.annotations += other.annotations
        self.pairs += other.pairs
        self.truths |= other.truths


class Asker:
    """Asks about scenes in the words of a vocabulary.

    Attributes:
        num: questions per scene; fewer where a scene has not as many.
        yes: probability that a question of yes or no is asked so that the answer is yes.
    """

    def __init__(self, words: SceneVocabulary, num: int, yes: float = 0.5) -> None:
        self.words, self.num, self.yes = words, num, yes
        self.names: Mapping[str, Sequence[str]] = names_of(words)

    def ask(self, graph: SceneGraph, rng: Random) -> Asked:
        """Questions about one scene, whose image id consists of digits."""
        asked = Asked()
        view = View(graph, self.words)
        self._fill(asked, view, rng, set())
        return asked

    def ask_pair(self, graph: SceneGraph, edited: SceneGraph, rng: Random) -> Asked | None:
        """Questions about a scene and the same one after an edit; None where no answer changes."""
        before, after = View(graph, self.words), View(edited, self.words)
        shared = self._changing(before, after, rng)
        if not shared:
            return None
        asked, other = Asked(), Asked()
        for query in shared:
            text = spoken(query, self.words, rng)
            ids = [self._add(*each, query, text, rng) for each in ((asked, before), (other, after))]
            asked.pairs.append((ids[0], ids[1]))
        for each, view in ((asked, before), (other, after)):
            self._fill(each, view, rng, set(shared))
        asked.extend(other)
        return asked

    def _changing(self, before: View, after: View, rng: Random) -> list[Query]:
        """Queries with different answers before and after, of different kinds."""
        found: dict[str, Query] = {}
        for number in range(CANDIDATES):
            # What the edit takes away is asked about the scene before, what it adds about the one after.
            query = Proposer(before if number % 2 else after, rng, self.names, self.yes).query()
            if query is None or query.kind in found:
                continue
            answers = answer(query, before), answer(query, after)
            if None not in answers and answers[0] != answers[1]:
                found[query.kind] = query
            if len(found) == MOST_PAIRS:
                break
        return list(found.values())

    def _fill(self, asked: Asked, view: View, rng: Random, taken: set[Query]) -> None:
        """Add questions about one scene up to their number."""
        proposer = Proposer(view, rng, self.names, self.yes)
        for _ in range(3 * self.num):
            if len(asked.questions) >= self.num:
                return
            query = proposer.query()
            if query is not None and query not in taken:
                taken.add(query)
                self._add(asked, view, query, spoken(query, self.words, rng), rng)

    def _add(self, asked: Asked, view: View, query: Query, text: str, rng: Random) -> int:
        """Add a question with ten answers; returns its id."""
        truth = answer(query, view)
        assert truth is not None
        image = int(view.graph.image)
        key = image * QUESTIONS_PER_IMAGE_ID + len(asked.questions)
        wrong = tempting(truth, view, self.names, rng)
        given = ten_answers(truth, wrong, lambda: stray(truth, view, rng), rng)
        majority = most_frequent(given)
        asked.questions.append(Question(key, image, text))
        # The type follows from the answers, as in the release.
        kinds = question_type(text), answer_type(majority)
        asked.annotations.append(annotation(key, image, kinds, majority, given))
        asked.truths[key] = query, truth
        return key


def truths_as_json(truths: Mapping[int, tuple[Query, str]]) -> dict[str, Any]:
    """Queries and true answers by question id."""
    return {str(key): {"query": query.as_json(), "answer": truth} for key, (query, truth) in truths.items()}


def pairs_of(
    edits: Iterator[Any], asker: Asker, graph: SceneGraph, rng: Random, tries: int
) -> tuple[Any, Asked] | None:
    """The first of some edits that changes an answer, and the questions about both scenes."""
    for _, edited in zip(range(tries), edits, strict=False):
        if (asked := asker.ask_pair(graph, edited.scene.graph, rng)) is not None:
            return edited, asked
    return None
