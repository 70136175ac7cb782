"""Overview of a VQA folder: a contact sheet, and the frequencies of questions and answers."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image

from nsmodels.datasets.vqa.files.annotations import read_annotations
from nsmodels.datasets.vqa.files.names import annotations_name, image_name, pairs_name, questions_name, splits
from nsmodels.datasets.vqa.files.pairs import read_pairs
from nsmodels.datasets.vqa.files.questions import read_questions

MOST_ANSWERS = 20


def contact_sheet(folder: Path, columns: int = 6, rows: int = 3, width: int = 200) -> bytes:
    """PNG bytes of the first training images side by side, each `width` pixels wide; where there are pairs, of them."""
    questions = read_questions(folder / questions_name("train")).by_id
    images = [questions[key].image for pair in _pairs(folder, "train") for key in pair]
    images = list(dict.fromkeys(images + [question.image for question in questions.values()]))[: columns * rows]
    height = width * 3 // 4
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for place, number in enumerate(images):
        with Image.open(folder / image_name("train", number)) as image:
            tile = image.convert("RGB").resize((width, height))
        sheet.paste(tile, (place % columns * width, place // columns * height))
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def distributions(folder: Path) -> dict[str, Any]:
    """Counts of images, questions and pairs, and shares of answers, question types and answer types in training."""
    found: dict[str, Any] = {}
    for split in splits(folder):
        questions = read_questions(folder / questions_name(split)).by_id
        found[f"num_images_{split}"] = len({question.image for question in questions.values()})
        found[f"num_questions_{split}"] = len(questions)
        found[f"num_pairs_{split}"] = len(_pairs(folder, split))
    kinds: dict[str, Counter[str]] = {"question_types": Counter(), "answer_types": Counter()}
    answers: dict[str, Counter[str]] = {}
    for record in read_annotations(folder / annotations_name("train")):
        kinds["question_types"][record["question_type"]] += 1
        kinds["answer_types"][record["answer_type"]] += 1
        answers.setdefault(record["answer_type"], Counter())[record["multiple_choice_answer"]] += 1
    shares = {name: _shares(counts) for name, counts in kinds.items()}
    return found | shares | {"answer_shares": {name: _shares(counts) for name, counts in answers.items()}}


def examples(folder: Path, split: str, num: int) -> list[str]:
    """The first questions of a split in words, with their most frequent answer and the ten answers."""
    asked = read_questions(folder / questions_name(split)).by_id
    found = []
    for record in read_annotations(folder / annotations_name(split)):
        given = Counter(answer["answer"] for answer in record["answers"]).most_common()
        answers = ", ".join(f"{answer} x{times}" if times > 1 else answer for answer, times in given)
        question = asked[record["question_id"]]
        found.append(f"{image_name(split, question.image)}: {question.text} {answers}")
        if len(found) == num:
            break
    return found


def _pairs(folder: Path, split: str) -> list[tuple[int, int]]:
    path = folder / pairs_name(split)
    return read_pairs(path) if path.is_file() else []


def _shares(counts: Counter[str]) -> dict[str, float]:
    """The most frequent ones, largest first."""
    return {name: num / counts.total() for name, num in counts.most_common(MOST_ANSWERS)}
