"""Overview of a CLEVR folder: a contact sheet, and the frequencies of questions and answers."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image

from nsmodels.datasets.clevr.checks import answer_shares
from nsmodels.datasets.clevr.files.format import image_path, read_questions, read_scenes, training_splits


def contact_sheet(folder: Path, columns: int = 6, rows: int = 3, width: int = 200) -> bytes:
    """PNG bytes of the first training images side by side, each `width` pixels wide."""
    train, _ = training_splits(folder)
    scenes = read_scenes(folder, train)[: columns * rows]
    height = width * 2 // 3
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for place, scene in enumerate(scenes):
        with Image.open(image_path(folder, train, scene)) as image:
            tile = image.convert("RGB").resize((width, height))
        sheet.paste(tile, (place % columns * width, place // columns * height))
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def distributions(folder: Path) -> dict[str, Any]:
    """Counts of images, objects and questions, and shares of answers, question families and object numbers."""
    names = training_splits(folder)
    train = names[0]
    scenes = {split: read_scenes(folder, split) for split in names}
    questions = {split: read_questions(folder, split) for split in names}
    counted = {f"num_images_{split}": len(found) for split, found in scenes.items()}
    counted |= {f"num_questions_{split}": len(found) for split, found in questions.items()}
    families = Counter(question.get("question_family_index", -1) for question in questions[train])
    objects = Counter(len(scene["objects"]) for scene in scenes[train])
    return {
        **counted,
        "num_families": len(families),
        "objects_per_image": dict(sorted(objects.items())),
        "questions_per_family": dict(sorted(families.items())),
        "answer_shares": answer_shares(questions[train]),
    }
