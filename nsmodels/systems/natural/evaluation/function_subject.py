"""A split of a CLEVR folder with what the model believes of its images and reads from its questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.files.format import each_scene
from nsmodels.datasets.clevr.questions.executor import Compiled, IllPosed, compile, execute
from nsmodels.datasets.gqa.programs.parsing import Program
from nsmodels.systems.natural.answering import functions
from nsmodels.systems.natural.answering.functions import FunctionReasoner
from nsmodels.systems.natural.answering.solids import FunctionExecutor
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.language.asking import FunctionQuestion, each_question, nodes_of
from nsmodels.systems.natural.language.grammar import normal
from nsmodels.systems.natural.language.parser import Parse
from nsmodels.systems.natural.perception.labels import Photograph
from nsmodels.systems.natural.perception.sources import read_photographs
from nsmodels.systems.natural.reasoning.execution import Answer


@dataclass(frozen=True, eq=False)
class FunctionSubject:
    """Questions of a split in the order of the file, with the model's predictions.

    Attributes:
        data: folder.
        split: its name.
        questions: all of them.
        photographs: images with their true graphs, in the order of the file.
        scenes: true scenes by image, for the exact executor.
        beliefs: by image.
        parses: of each question.
        reasoner: that made them.
    """

    data: Path
    split: str
    questions: Sequence[FunctionQuestion]
    photographs: Sequence[Photograph]
    scenes: dict[str, Compiled]
    beliefs: dict[str, Belief]
    parses: Sequence[Parse]
    reasoner: FunctionReasoner

    @property
    def balanced(self) -> Sequence[FunctionQuestion]:
        """The questions that are scored: all."""
        return self.questions

    @property
    def num_balanced(self) -> int:
        """Their number."""
        return len(self.questions)

    @cached_property
    def programs(self) -> list[Program]:
        """The true program of each question, in normal form."""
        return [normal(question.program, self.reasoner.words) for question in self.questions]

    @cached_property
    def executors(self) -> dict[str, FunctionExecutor]:
        """A soft executor per image."""
        return {image: FunctionExecutor(belief) for image, belief in self.beliefs.items()}

    @cached_property
    def answers(self) -> list[Answer]:
        """The model's answer to each question, from image and question only."""
        pairs = zip(self.parses, self.questions, strict=True)
        return [functions.execute(self.executors[question.image], parse) for parse, question in pairs]

    def exact(self, program: Program, image: str) -> str:
        """The answer of the dataset's executor in the true scene; empty where the program is ill-posed there."""
        try:
            return execute(nodes_of(program), self.scenes[image])
        except (IllPosed, InputError):
            return ""


def read_subject(reasoner: FunctionReasoner, data: Path, split: str, max_images: int = 0) -> FunctionSubject:
    """A split as the model sees it, of the first so many images; 0: of all.

    Raises `InputError` for broken data, and for a split without questions.
    """
    questions = [each for each in each_question(data, split) if isinstance(each, FunctionQuestion)]
    if not questions:
        raise InputError(f"{data}: split '{split}' has no questions; choose a different one")
    photographs = read_photographs(data, split, max_images)
    images = [f"{split}/{photograph.graph.image}" for photograph in photographs]
    scenes = {f"{split}/{scene['image_filename']}": compile(scene) for scene in each_scene(data, split)}
    missing = next((each for each in questions if each.image not in scenes), None)
    if missing is not None:
        raise InputError(f"{missing.where}: image '{missing.image}' has no scene; take both files from one dataset")
    questions = [question for question in questions if question.image in set(images)] if max_images else questions
    beliefs = dict(zip(images, reasoner.see_all([Path(each.path) for each in photographs]), strict=True))
    parses = reasoner.parse([question.text for question in questions])
    return FunctionSubject(data, split, questions, photographs, scenes, beliefs, parses, reasoner)
