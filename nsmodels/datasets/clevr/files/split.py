"""Scenes and questions of one split, checked against each other as they are read; nothing of them is kept."""

from __future__ import annotations

from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.files.schema import check_scene, check_single, checked_question

Record = dict[str, Any]


class SplitCheck:
    """Checks of a split: first `add_scene` for each scene, then `add_question` for each question, then `finish`.

    Attributes:
        scenes, questions: names of the two files in messages.
        images: file name of each image, by index.
        num_questions: questions so far.
    """

    def __init__(self, scenes: str, questions: str, answered: bool = True) -> None:
        self.scenes, self.questions, self.answered = scenes, questions, answered
        self.images: dict[int, str] = {}
        self.num_questions = 0
        self._seen: dict[str, dict[Any, int]] = {"image_index": {}, "image_filename": {}, "question_index": {}}

    def add_scene(self, scene: Record, number: int) -> Record:
        """The checked scene, item `number` of its file; raises `InputError` for a malformed or a repeated one."""
        check_scene(scene, f"{self.scenes}: scenes[{number}]")
        for field in ("image_index", "image_filename"):
            check_single(scene, field, self._seen[field], number, f"{self.scenes}: scenes")
        self.images[scene["image_index"]] = scene["image_filename"]
        return scene

    def add_question(self, question: Record, number: int) -> Record:
        """The checked question, item `number` of its file; raises `InputError` also when its image has no scene."""
        where = f"{self.questions}: questions[{number}]"
        checked_question(question, where, self.answered)
        check_single(question, "question_index", self._seen["question_index"], number, f"{self.questions}: questions")
        check_pair(question, self.images.get(question["image_index"]), where, self.scenes)
        self.num_questions += 1
        return question

    def finish(self) -> None:
        """Raise `InputError` for a split without scenes or questions."""
        if not self.images:
            raise InputError(f"{self.scenes}: has no scenes; nothing can be trained on or scored without")
        if not self.num_questions:
            raise InputError(f"{self.questions}: has no questions about these images; give a file that has")

    def require_answers(self) -> None:
        """Raise `InputError` for wrong answers; here none is known."""


def check_pair(question: Record, name: str | None, where: str, scenes: str) -> None:
    """Raise `InputError` unless `name` is the image of the question: the file name of the scene with its index."""
    if name is None:
        raise InputError(
            f"{where}: image_index {question['image_index']} has no scene in {scenes}; the two files must come from "
            "the same dataset"
        )
    if name != question["image_filename"]:
        raise InputError(
            f"{where}: field 'image_filename': {question['image_filename']!r}, but the scene with image_index "
            f"{question['image_index']} in {scenes} is of {name!r}; the two files must come from the same dataset"
        )
