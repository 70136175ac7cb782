"""A folder of GQA in the released form, from the real questions and graphs of `tests/data/gqa`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "data" / "gqa"
GOLDEN: dict[str, Any] = json.loads((DATA / "golden.json").read_text(encoding="utf-8"))
GRAPHS: dict[str, Any] = json.loads((DATA / "sceneGraphs.json").read_text(encoding="utf-8"))


def write(path: Path, document: Any) -> Path:
    """Write JSON, with the folder around it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def release(root: Path, questions: Any = None, choices: Any = GOLDEN["choices"]) -> Path:
    """Questions of split val, balanced and all, with choices and graphs."""
    every = GOLDEN["questions"] if questions is None else questions
    balanced = {key: question for key, question in every.items() if question["isBalanced"]}
    write(root / "questions" / "val_balanced_questions.json", balanced)
    write(root / "questions" / "val_all_questions.json", every)
    write(root / "sceneGraphs" / "val_sceneGraphs.json", GRAPHS)
    if choices is not None:
        write(root / "eval" / "val_choices.json", choices)
    return root


def predicted(path: Path, answers: dict[str, str]) -> Path:
    """A file of predictions in the official form."""
    return write(path, [{"questionId": key, "prediction": answer} for key, answer in answers.items()])
