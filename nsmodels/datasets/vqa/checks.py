"""Checks of a VQA folder: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.files.annotations import ANSWER_TYPES, read_annotations
from nsmodels.datasets.vqa.files.instances import read_instances
from nsmodels.datasets.vqa.files.names import annotations_name, instances_name, pairs_name, questions_name, splits
from nsmodels.datasets.vqa.files.pairs import read_pairs
from nsmodels.datasets.vqa.files.questions import read_questions
from nsmodels.datasets.vqa.questions.queries import View, answer, read_query
from nsmodels.datasets.vqa.questions.twin import graphs_name, read_truths, truths_name
from nsmodels.datasets.vqa.questions.types import question_type
from nsmodels.datasets.vqa.scoring.accuracy import accuracy
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.datasets.vqa.validation import require_images
from nsmodels.formats.scenes.graphs import read_graph
from nsmodels.formats.scenes.records import opened, read_entries
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

# Largest share of one answer among those of a type.
LARGEST_SHARE = {"yes/no": 0.75, "number": 0.7, "other": 0.25}
SHOWN = 20  # faults of one kind that are listed


def schema(folder: Path) -> list[str]:
    """Questions, annotations, pairs and boxes are in the released format and belong together."""
    names = splits(folder)
    missing = [f"{folder}: no split '{split}'" for split in ("train", "val") if split not in names]
    return missing + [line for split in names for line in _faults_of(lambda s=split: _read(folder, s))]


def images(folder: Path) -> list[str]:
    """Every image that is asked about decodes to its last byte."""
    return [line for split in splits(folder) for line in _faults_of(lambda s=split: require_images(folder, s))]


def disjoint(folder: Path) -> list[str]:
    """No image is in two splits."""
    seen: dict[int, str] = {}
    found: list[str] = []
    for split in splits(folder):
        questions = read_questions(folder / questions_name(split)).by_id.values()
        images = {question.image for question in questions}
        found += [f"image {image} is in '{seen[image]}' and in '{split}'" for image in sorted(images & seen.keys())]
        seen |= dict.fromkeys(images, split)
    return found[:SHOWN]


def pairs(folder: Path) -> list[str]:
    """Complementary questions have the same words, different images and different true answers."""
    found: list[str] = []
    for split in splits(folder):
        if not (folder / pairs_name(split)).is_file():
            continue
        asked = read_questions(folder / questions_name(split)).by_id
        truths = read_truths(folder, split) if (folder / truths_name(split)).is_file() else {}
        for first, second in read_pairs(folder / pairs_name(split), asked):
            one, other = asked[first], asked[second]
            if one.text.lower() != other.text.lower() or one.image == other.image:
                found.append(f"{split}: questions {first} and {second} are no pair: '{one.text}', '{other.text}'")
            elif truths and truths[first]["answer"] == truths[second]["answer"]:
                found.append(f"{split}: questions {first} and {second} have the same answer")
    return found[:SHOWN]


def truths(folder: Path) -> list[str]:
    """Of a twin: every true answer follows from the scene graph, and the types from the question."""
    found: list[str] = []
    for split in splits(folder):
        if (folder / truths_name(split)).is_file():
            found += _untrue(folder, split)
    return found[:SHOWN]


def balance(folder: Path) -> list[str]:
    """No answer to training questions is so frequent that a prior could live on it; the vocabulary covers most."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in ANSWER_TYPES}
    for record in read_annotations(folder / annotations_name("train")):
        counts[record["answer_type"]][record["multiple_choice_answer"]] += 1
    found = []
    for kind, tally in counts.items():
        answer_, num = tally.most_common(1)[0] if tally else ("", 0)
        if num > LARGEST_SHARE[kind] * max(20, tally.total()):
            found.append(f"{kind}: '{answer_}' is the answer to {num / tally.total():.0%} of the questions")
    if not AnswerVocabulary.read(folder).answers:
        found.append(f"{folder}: the vocabulary of answers is empty")
    return found


def _read(folder: Path, split: str) -> None:
    questions = read_questions(folder / questions_name(split), True)
    for _ in read_annotations(folder / annotations_name(split), questions, True):
        pass
    if (folder / pairs_name(split)).is_file():
        read_pairs(folder / pairs_name(split), questions.by_id)
    if (folder / instances_name(split)).is_file():
        read_instances(folder / instances_name(split))


def _untrue(folder: Path, split: str) -> list[str]:
    """Questions whose recorded truth or type is not what the graph and the words give."""
    path, words = folder / graphs_name(split), SceneVocabulary.read(folder)
    with opened(path) as file:
        views = {
            int(image): View(read_graph(image, value, str(path)), words)
            for image, value in read_entries(file, str(path))
        }
    asked, found = read_questions(folder / questions_name(split)).by_id, []
    recorded = read_truths(folder, split)
    for record in read_annotations(folder / annotations_name(split)):
        key = record["question_id"]
        query = read_query(recorded[key]["query"], f"{folder / truths_name(split)}: '{key}'")
        truth = answer(query, views[asked[key].image])
        if truth != recorded[key]["answer"]:
            found.append(f"{split}: question {key} '{asked[key].text}': {recorded[key]['answer']}, the graph: {truth}")
        if record["question_type"] != question_type(asked[key].text):
            found.append(f"{split}: question {key} '{asked[key].text}' is of type '{record['question_type']}'")
        if accuracy(record["multiple_choice_answer"], record["answers"]) == 0:
            found.append(f"{split}: question {key}: nobody answers '{record['multiple_choice_answer']}'")
    return found


def _faults_of(check: Callable[[], object]) -> list[str]:
    try:
        check()
    except InputError as error:
        return [str(error)]
    return []
