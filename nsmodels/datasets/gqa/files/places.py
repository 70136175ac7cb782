"""Where the files of a GQA folder are: the released trees, and further splits by the same rule of names.

images/<imageId>.jpg
sceneGraphs/<split>_sceneGraphs.json                     {imageId: graph}; testdev has none
questions/<split>_balanced_questions.json                {questionId: question}
questions/<split>_all_questions.json                     the same, unbalanced
questions/train_all_questions/train_all_questions_0.json … _9.json
eval/<split>_choices.json, eval/train_choices/*.json     {questionId: {valid, plausible}}
vocabulary.json                                          ours: `SceneVocabulary`
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from nsmodels.core.artifact import MANIFEST
from nsmodels.core.errors import InputError

Part = Literal["balanced", "all"]
NUM_CHUNKS = 10  # files of the unbalanced training questions
KNOWN = ("train", "val", "testdev", "test", "challenge")
_BALANCED, _GRAPHS = "_balanced_questions.json", "_sceneGraphs.json"
_VQA = "v2_OpenEnded_mscoco_*_questions.json"


def image_path(root: Path, image: str) -> Path:
    """The picture of an image id."""
    return Path(root) / "images" / f"{image}.jpg"


def graphs_path(root: Path, split: str) -> Path:
    """The scene graphs of a split."""
    return Path(root) / "sceneGraphs" / f"{split}{_GRAPHS}"


def questions_path(root: Path, split: str, part: Part = "balanced") -> Path:
    """The question file of a split; of the unbalanced training questions the folder of their chunks."""
    name = f"{split}_{part}_questions"
    folder = Path(root) / "questions"
    return folder / name if (split, part) == ("train", "all") else folder / f"{name}.json"


def question_files(root: Path, split: str, part: Part = "balanced") -> list[Path]:
    """The files of a split's questions: one, or ten chunks. Raises `InputError` naming a missing chunk."""
    path = questions_path(root, split, part)
    if path.suffix:
        return [path]
    if not path.is_dir() and path.with_suffix(".json").is_file():
        return [path.with_suffix(".json")]
    chunks = [path / f"{path.name}_{number}.json" for number in range(NUM_CHUNKS)]
    missing = [chunk for chunk in chunks if not chunk.is_file()]
    if missing:
        raise InputError(
            f"{missing[0]}: missing, expected {NUM_CHUNKS} chunks of the unbalanced training questions, and "
            f"{NUM_CHUNKS - len(missing)} are there; fetch it again"
        )
    return chunks


def has_questions(root: Path, split: str, part: Part = "balanced") -> bool:
    """Whether the folder has questions of that part of the split; of chunks, any."""
    path = questions_path(root, split, part)
    return path.is_file() or path.with_suffix(".json").is_file() or (path.is_dir() and any(path.glob("*.json")))


def choice_files(root: Path, split: str) -> list[Path]:
    """The files of valid and plausible answers of a split; empty where there are none."""
    folder = Path(root) / "eval"
    path = folder / f"{split}_choices.json"
    return [path] if path.is_file() else sorted((folder / f"{split}_choices").glob("*.json"))


def splits(root: Path) -> list[str]:
    """Splits with balanced questions; those of the release first, in its order.

    Raises `InputError` where there are none, and for a folder of VQA v2.
    """
    return _ordered(root, "questions", _BALANCED)


def graph_splits(root: Path) -> list[str]:
    """Splits with scene graphs, in the order of `splits`. Raises as `splits` does."""
    return _ordered(root, "sceneGraphs", _GRAPHS)


def training_splits(root: Path, train: str = "", val: str = "") -> tuple[str, str]:
    """Names of the splits for training and validation: those given, else `train` and `val`.

    Raises `InputError` listing the splits that there are.
    """
    names = (train or "train", val or "val")
    found = splits(root)
    for name in names:
        if name not in found:
            raise InputError(f"{root}: no split '{name}' (there are: {', '.join(found)})")
    return names


def is_synthetic(root: Path) -> bool:
    """Whether a sealed folder was composed here."""
    try:
        manifest: dict[str, Any] = json.loads((Path(root) / MANIFEST).read_text(encoding="utf-8"))
        return manifest["config"]["source"] == "synthetic"
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _ordered(root: Path, folder: str, end: str) -> list[str]:
    names = {path.name.removesuffix(end) for path in (Path(root) / folder).glob(f"*{end}")}
    if not names:
        _refuse(root, folder, end)
    return [name for name in KNOWN if name in names] + sorted(names.difference(KNOWN))


def _refuse(root: Path, folder: str, end: str) -> None:
    if any(Path(root).glob(_VQA)):
        raise InputError(f"{root}: is a folder of VQA v2, expected one of GQA; use nsmodels vqa")
    found = ", ".join(sorted(path.name for path in _existing(Path(root)))[:5]) or "nothing"
    raise InputError(f"{root}: no {folder}/<split>{end} (there is: {found}); expected a folder of GQA")


def _existing(root: Path) -> Iterable[Path]:
    return root.iterdir() if root.is_dir() else ()
