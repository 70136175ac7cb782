"""A split with what the model believes of its images and reads from its questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import Question, each_question, read_graphs
from nsmodels.datasets.gqa.files.places import has_questions, image_path
from nsmodels.datasets.gqa.programs.execution import Compiled, IllPosed, compile, execute
from nsmodels.datasets.gqa.programs.parsing import Program, without_leaks
from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.systems.natural.answering.reasoner import Reasoner
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.language.grammar import normal
from nsmodels.systems.natural.language.parser import Parse
from nsmodels.systems.natural.reasoning.execution import Answer, SoftExecutor

NO_ANSWER = Answer({}, "", 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Subject:
    """Questions of a split in the order of its files, the balanced ones first, with the model's predictions.

    Attributes:
        data: folder.
        split: its name.
        questions: balanced ones, then those that are in the unbalanced part only.
        num_balanced: number of the former, which are scored; consistency needs answers to all.
        graphs: true scene graphs by image.
        beliefs: by image.
        parses: of each question.
        reasoner: that made them.
    """

    data: Path
    split: str
    questions: Sequence[Question]
    num_balanced: int
    graphs: dict[str, SceneGraph]
    beliefs: dict[str, Belief]
    parses: Sequence[Parse]
    reasoner: Reasoner

    @property
    def balanced(self) -> Sequence[Question]:
        """The questions that are scored."""
        return self.questions[: self.num_balanced]

    @cached_property
    def programs(self) -> list[Program]:
        """The true program of each balanced question, in normal form, without leaks."""
        return [normal(without_leaks(question.program), self.reasoner.words) for question in self.balanced]

    @cached_property
    def scenes(self) -> dict[str, Compiled]:
        """The true scenes, ready for the exact executor."""
        return {image: compile(graph, self.reasoner.words) for image, graph in self.graphs.items()}

    @cached_property
    def executors(self) -> dict[str, SoftExecutor]:
        """A soft executor per image."""
        lexicon, verdicts = self.reasoner.lexicon, self.reasoner.verdicts
        return {image: SoftExecutor(belief, lexicon, verdicts) for image, belief in self.beliefs.items()}

    @cached_property
    def answers(self) -> list[Answer]:
        """The model's answer to each question, from image and question only."""
        return [self.soft(parse.program, each.image) for parse, each in zip(self.parses, self.questions, strict=True)]

    def soft(self, program: Program, image: str) -> Answer:
        """The answer to a program over the belief about an image; none where it cannot be executed."""
        try:
            return self.executors[image].answer(program)
        except InputError:
            return NO_ANSWER

    def exact(self, program: Program, image: str) -> str:
        """The answer to a program in the true scene; empty where it is ill-posed there."""
        try:
            return execute(program, self.scenes[image], is_guessing=True)
        except (IllPosed, InputError):
            return ""


def read_subject(
    reasoner: Reasoner, data: Path, split: str, max_images: int = 0, has_unbalanced: bool = True
) -> Subject:
    """A split of a GQA folder as the model sees it. Raises `InputError` for broken data, or without scene graphs.

    `max_images`: only the first so many images about which there are questions; 0: all. `has_unbalanced`: with the
    questions that are not scored, whose answers consistency needs.
    """
    balanced = {question.id: question for question in each_question(data, split)}
    if not balanced:
        raise InputError(f"{data}: split '{split}' has no balanced questions; choose a different one")
    graphs = read_graphs(data, split)
    missing = next((each for each in balanced.values() if each.image not in graphs), None)
    if missing is not None:
        raise InputError(f"{data}: image '{missing.image}' of question '{missing.id}' has no scene graph in '{split}'")
    if max_images:
        kept = set(list(dict.fromkeys(question.image for question in balanced.values()))[:max_images])
        graphs = {image: graph for image, graph in graphs.items() if image in kept}
        balanced = {key: question for key, question in balanced.items() if question.image in kept}
    has_rest = has_unbalanced and has_questions(data, split, "all")
    rest = each_question(data, split, "all") if has_rest else ()
    questions = [*balanced.values(), *(each for each in rest if each.id not in balanced and each.image in graphs)]
    beliefs = reasoner.see_all([image_path(data, image) for image in graphs])
    parses = reasoner.parse([question.text for question in questions])
    by_image = dict(zip(graphs, beliefs, strict=True))
    return Subject(data, split, questions, len(balanced), graphs, by_image, parses, reasoner)
