"""Checks of a CLEVR folder: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.files.format import (
    check_split,
    image_path,
    read_questions,
    read_scenes,
    training_splits,
    verify_image,
)
from nsmodels.datasets.clevr.questions.executor import agreement
from nsmodels.datasets.clevr.vocabulary import question_type

# Largest share of one answer. The published majority baseline is 41.8 % of all questions; single types are more skewed.
LARGEST_SHARE = {"all": 0.5, "count": 0.6, "exist": 0.75, "compare_number": 0.8, "compare_attribute": 0.75}


def schema(folder: Path) -> list[str]:
    """Scenes, questions and image files are in the released format and match each other."""
    try:
        names = training_splits(folder)
    except InputError as error:
        return [str(error)]
    return [line for split in names for line in _faults_of(lambda s=split: check_split(folder, s))]


def images(folder: Path) -> list[str]:
    """Every image decodes to its last byte."""
    paths = [
        image_path(folder, split, scene) for split in training_splits(folder) for scene in read_scenes(folder, split)
    ]
    with ThreadPoolExecutor() as pool:
        faults = pool.map(lambda path: _faults_of(lambda: verify_image(path)), paths)
    return [line for lines in faults for line in lines]


def disjoint(folder: Path) -> list[str]:
    """No scene is in two splits, whatever its name."""
    first, second = (
        {fingerprint(s["objects"]): s for s in read_scenes(folder, split)} for split in training_splits(folder)
    )
    shared = first.keys() & second.keys()
    return [f"{first[m]['image_filename']} (train) shows the scene of {second[m]['image_filename']}" for m in shared]


def answers(folder: Path) -> list[str]:
    """Every recorded answer is the executor's answer from the scene."""
    return [
        f"{split} question {wrong['question_index']} '{wrong['question']}': recorded {wrong['answer']}, "
        f"executed {wrong['executed']}"
        for split in training_splits(folder)
        for wrong in agreement(folder, split)[1]
    ]


def answer_shares(questions: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Share of each answer among all questions and among those of each type, largest first."""
    counts: dict[str, Counter[str]] = {"all": Counter()}
    for question in questions:
        kind = question_type(question["program"][-1]["function"])
        counts["all"][question["answer"]] += 1
        counts.setdefault(kind, Counter())[question["answer"]] += 1
    return {
        kind: {answer: number / tally.total() for answer, number in tally.most_common()}
        for kind, tally in counts.items()
    }


def balance(folder: Path) -> list[str]:
    """No answer to training questions has a share above `LARGEST_SHARE`, from which a prior alone would profit."""
    train, _ = training_splits(folder)
    questions = read_questions(folder, train)
    if not questions:
        return [f"{folder}: no questions in split '{train}'"]
    found = []
    for kind, shares in answer_shares(questions).items():
        answer, share = next(iter(shares.items()))
        if share > LARGEST_SHARE.get(kind, 0.5):
            found.append(f"{kind}: '{answer}' is the answer to {share:.0%} of the questions")
    return found


def _faults_of(check: Callable[[], object]) -> list[str]:
    try:
        check()
    except InputError as error:
        return [str(error)]
    return []
