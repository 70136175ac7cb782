"""Overview of a GQA folder: a contact sheet, and the frequencies of questions and answers."""

from __future__ import annotations

import io
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image

from nsmodels.datasets.gqa.checks import guess
from nsmodels.datasets.gqa.files.format import each_graph, read_questions
from nsmodels.datasets.gqa.files.places import graph_splits, image_path, splits, training_splits

MOST_ROWS = 20  # of a panel


def contact_sheet(folder: Path, columns: int = 6, rows: int = 3, width: int = 200) -> bytes:
    """PNG bytes of the first training images side by side, each `width` pixels wide."""
    train, _ = training_splits(folder)
    height = width * 3 // 4
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for place, graph in enumerate(islice(each_graph(folder, train), columns * rows)):
        with Image.open(image_path(folder, graph.image)) as image:
            tile = image.convert("RGB").resize((width, height))
        sheet.paste(tile, (place % columns * width, place // columns * height))
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def distributions(folder: Path) -> dict[str, Any]:
    """Counts of images, objects and questions, shares of answers and types, and the score of a blind guess."""
    train, val = training_splits(folder)
    questions = {split: read_questions(folder, split) for split in splits(folder)}
    found: dict[str, Any] = {f"num_questions_{split}": len(each) for split, each in questions.items()}
    sizes = {split: [len(graph.things) for graph in each_graph(folder, split)] for split in graph_splits(folder)}
    found |= {f"num_images_{split}": len(each) for split, each in sizes.items()}
    asked = list(questions[train].values())
    types = [question.types or {} for question in asked]
    operations = Counter(step["operation"] for question in asked for step in question.semantic)
    return {
        **found,
        "num_operations": len(operations),
        "blind_guess": guess(asked, questions[val].values())[0],
        "objects_per_image": dict(sorted(Counter(sizes[train]).items())),
        "structural_types": _shares(Counter(each.get("structural", "") for each in types)),
        "semantic_types": _shares(Counter(each.get("semantic", "") for each in types)),
        "operations": _shares(operations),
        "answers": _shares(Counter(question.answer for question in asked)),
    }


def _shares(counts: Counter[str]) -> dict[str, float]:
    return {name: number / counts.total() for name, number in counts.most_common(MOST_ROWS)}
