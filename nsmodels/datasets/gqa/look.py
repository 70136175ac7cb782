"""Overview of a GQA folder: a contact sheet, and the frequencies of questions and answers."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image

from nsmodels.datasets.gqa.checks import guess
from nsmodels.datasets.gqa.files.format import Question, each_graph, each_question, each_record
from nsmodels.datasets.gqa.files.places import graph_splits, image_path, splits, training_splits
from nsmodels.datasets.gqa.programs.parsing import as_text

MOST_ROWS = 20  # of a panel


def contact_sheet(folder: Path, columns: int = 6, rows: int = 3, width: int = 200, form: str = "PNG") -> bytes:
    """Bytes of the first training images side by side, each `width` pixels wide, as PNG or JPEG."""
    train, _ = training_splits(folder)
    height = width * 3 // 4
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for place, graph in enumerate(islice(each_graph(folder, train), columns * rows)):
        with Image.open(image_path(folder, graph.image)) as image:
            tile = image.convert("RGB").resize((width, height))
        sheet.paste(tile, (place % columns * width, place // columns * height))
    stream = io.BytesIO()
    sheet.save(stream, form)
    return stream.getvalue()


def distributions(folder: Path) -> dict[str, Any]:
    """Counts of images, objects and questions, shares of answers and types, and the score of a blind guess."""
    train, val = training_splits(folder)
    found: dict[str, Any] = {
        f"num_questions_{split}": sum(1 for _ in each_record(folder, split)) for split in splits(folder)
    }
    sizes = {split: Counter(len(graph.things) for graph in each_graph(folder, split)) for split in graph_splits(folder)}
    found |= {f"num_images_{split}": counts.total() for split, counts in sizes.items()}
    asked = _counts(each_question(folder, train))
    found |= {
        "num_operations": len(asked["operations"]),
        "blind_guess": guess(each_question(folder, train), each_question(folder, val))[0],
        "objects_per_image": dict(sorted(sizes[train].items())),
    }
    return found | {name: _shares(counts) for name, counts in asked.items()}


def _counts(questions: Iterable[Question]) -> dict[str, Counter[str]]:
    names = ("structural_types", "semantic_types", "operations", "answers")
    found = {name: Counter[str]() for name in names}
    for question in questions:
        types = question.types or {}
        found["structural_types"][types.get("structural", "")] += 1
        found["semantic_types"][types.get("semantic", "")] += 1
        found["operations"].update(step["operation"] for step in question.semantic)
        found["answers"][question.answer] += 1
    return found


def examples(folder: Path, split: str, num: int) -> list[str]:
    """The first questions of a split with their answers and programs, two lines each."""
    asked = islice(each_question(folder, split), num)
    return [
        line
        for question in asked
        for line in (f"{question.id} {question.text} {question.answer}", f"  {as_text(question.program)}")
    ]


def _shares(counts: Counter[str]) -> dict[str, float]:
    return {name: number / counts.total() for name, number in counts.most_common(MOST_ROWS)}
