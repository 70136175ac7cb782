"""Checks of a GQA folder: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from nsmodels.core.artifact import read_manifest
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import Question, each_graph, each_question, read_choices
from nsmodels.datasets.gqa.files.places import choice_files, graph_splits, has_questions, image_path, splits
from nsmodels.datasets.gqa.files.provenance import SYNTHETIC
from nsmodels.datasets.gqa.files.validation import faults_of_images
from nsmodels.datasets.gqa.scoring.agreement import agreement
from nsmodels.datasets.gqa.vocabulary.building import read_vocabulary
from nsmodels.formats.scenes.graphs import as_json

LEAST_AGREEMENT = 0.95  # of released answers with their graphs; of composed scenes all
Objects = Mapping[str, frozenset[str]]  # ids of the objects of each image
LARGEST_SHARE = 0.75  # of one answer in a global group
LARGEST_TRUTH = 0.6  # of yes, or of no, among the questions with such answers
LARGEST_PRIOR = 0.6  # accuracy of the best guess from the kind of question; published on GQA: 31 %
LEAST_QUESTIONS = 1_000  # fewer of them say little about frequencies


def schema(folder: Path) -> list[str]:
    """Graphs, questions, programs, choices and image files have the released form and belong together."""
    try:
        names = splits(folder)
        read_vocabulary(folder)
    except InputError as error:
        return [str(error)]
    return [line for split in names for line in _faults_of(lambda split=split: _check_split(folder, split))]


def images(folder: Path) -> list[str]:
    """Every image of a scene graph decodes to its last byte and has the size that the graph states."""
    return faults_of_images(folder, (graph for split in graph_splits(folder) for graph in each_graph(folder, split)))


def disjoint(folder: Path) -> list[str]:
    """No image and no scene is in two splits."""
    owners: dict[str, str] = {}
    found = []
    for split in graph_splits(folder):
        for graph in each_graph(folder, split):
            marks = [owners.setdefault(mark, split) for mark in (graph.image, fingerprint(as_json(graph)))]
            if others := [owner for owner in marks if owner != split]:
                found.append(f"image '{graph.image}' of split {split}, or its scene, is in {others[0]} too")
    return found


def answers(folder: Path) -> list[str]:
    """Every answer follows from the scene graph by the executor; of released questions, 95 % of them."""
    words, found = read_vocabulary(folder), []
    is_synthetic = read_manifest(folder).source.startswith(SYNTHETIC)
    for split in graph_splits(folder):
        for part in ("balanced", "all"):
            if has_questions(folder, split, part):
                result = agreement(folder, split, words, part)
                if is_synthetic:
                    found += [f"{split}: {wrong}" for wrong in result.wrong]
                elif result.share < LEAST_AGREEMENT:
                    found.append(f"{split}: {result.share:.1%} of the {part} answers follow from their graphs")
    return found


def balance(folder: Path) -> list[str]:
    """No answer to balanced training questions is so frequent in its group that guessing it would pay."""
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for question in each_question(folder, "train"):
        truth = question.answer in ("yes", "no")
        groups["yes or no" if truth else f"group '{question.global_group}'"][question.answer] += 1
    found = []
    for name, counts in groups.items():
        answer, number = counts.most_common(1)[0]
        limit = LARGEST_TRUTH if name == "yes or no" else LARGEST_SHARE
        if counts.total() >= LEAST_QUESTIONS and number > limit * counts.total():
            found.append(f"{name}: '{answer}' is the answer to {number / counts.total():.0%} of its questions")
    return found


def prior(folder: Path) -> list[str]:
    """Guessing the most frequent training answer of a question's kind is not too good on validation questions."""
    score, number = guess(each_question(folder, "train"), each_question(folder, "val"))
    if number < LEAST_QUESTIONS or score <= LARGEST_PRIOR:
        return []
    return [f"{score:.1%} of the validation questions are answered by the frequencies of their kinds alone"]


def guess(train: Iterable[Question], val: Iterable[Question]) -> tuple[float, int]:
    """Accuracy in [0, 1] of the most frequent training answer per local group, else detailed type; number of questions.

    This is a blind guess: it sees which kind of question is asked about which kind of thing, and no image.
    """
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for question in train:
        for key in _kinds(question):
            counts[key][question.answer] += 1
    best = {key: found.most_common(1)[0][0] for key, found in counts.items()}
    right = [next((best[key] for key in _kinds(each) if key in best), "") == each.answer for each in val]
    return sum(right) / len(right) if right else 0.0, len(right)


def _kinds(question: Question) -> list[tuple[str, str]]:
    types = question.types or {}
    return [("local", question.local_group or ""), ("detailed", types.get("detailed", ""))]


def _check_split(folder: Path, split: str) -> None:
    graphs = None
    if split in graph_splits(folder):
        graphs = {graph.image: frozenset(thing.id for thing in graph) for graph in each_graph(folder, split)}
    is_answered = split not in ("test", "challenge")
    asked: set[str] = set()
    for question in each_question(folder, split, answered=is_answered):
        asked.add(question.id)
        _check_question(question, folder, graphs)
        if not question.is_balanced:
            raise InputError(f"{question.where}, field 'isBalanced': false among the balanced questions")
    _check_unbalanced(folder, split, asked, graphs, is_answered)
    if choice_files(folder, split) and (lost := asked - read_choices(folder, split).keys()):
        raise InputError(f"{folder / 'eval'}: the choices of split '{split}' lack question '{min(lost)}'")


def _check_unbalanced(folder: Path, split: str, asked: set[str], graphs: Objects | None, is_answered: bool) -> None:
    if not has_questions(folder, split, "all"):
        return
    rest = set(asked)
    for question in each_question(folder, split, "all", is_answered):
        _check_question(question, folder, graphs)
        rest.discard(question.id)
        if question.is_balanced != (question.id in asked):
            raise InputError(f"{question.where}, field 'isBalanced': does not agree with the balanced questions")
    if rest:
        raise InputError(f"{folder}: balanced question '{min(rest)}' is not among all questions of split '{split}'")


def _check_question(question: Question, folder: Path, graphs: Objects | None) -> None:
    if question.semantic:
        program = question.program
        if graphs is not None and question.image not in graphs:
            raise InputError(f"{question.where}, field 'imageId': image '{question.image}' has no scene graph")
        known = None if graphs is None else graphs[question.image]
        for step in program:
            if known is not None and (lost := [each for each in step.ids if each not in known]):
                raise InputError(f"{question.where}, field 'semantic': object '{lost[0]}' is not in the scene graph")
    if not image_path(folder, question.image).is_file():
        raise InputError(f"{image_path(folder, question.image)}: missing, though {question.where} is about it")


def _faults_of(check: Callable[[], object]) -> list[str]:
    try:
        check()
    except InputError as error:
        return [str(error)]
    return []
