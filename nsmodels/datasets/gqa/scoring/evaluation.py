"""Scores of a file of predictions about a split of a GQA folder, and their report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import read_choices, read_graphs
from nsmodels.datasets.gqa.files.places import choice_files, has_questions, splits
from nsmodels.datasets.gqa.scoring.items import Item, Predictions, each_item, read_attentions, read_predictions
from nsmodels.datasets.gqa.scoring.metrics import Scorer, Scores

_TITLES = ("binary", "open", "accuracy", "consistency", "validity", "plausibility", "grounding", "grounding_fixed")


def score_file(path: Path, root: Path, split: str = "val", attentions: Path | None = None) -> Scores:
    """Scores of predictions in the official form, [{"questionId", "prediction"}].

    Consistency needs answers to all questions, unbalanced ones too; without choices validity and plausibility are left
    out. Raises `InputError` for broken files, a split without answers, and unless every balanced question of the split
    is answered once, and nothing else.
    """
    predictions = read_predictions(path)
    maps = read_attentions(attentions) if attentions else None
    has_choices = bool(choice_files(root, split))
    scorer = Scorer(predictions, read_choices(root, split) if has_choices else None, maps)
    graphs = read_graphs(root, split) if maps is not None else {}
    answers: dict[str, str] = {}
    missing: list[str] = []
    for item in _each(root, split, predictions, answers):
        if item.is_balanced and item.id not in predictions:
            missing.append(item.id)
        elif item.is_balanced:
            _add(scorer, item, graphs, f"{root}, split {split}")
    _require_whole(path, predictions, answers, missing, split)
    reason = f"there is no {root / 'eval' / f'{split}_choices.json'}"
    return scorer.finish(answers, {} if has_choices else dict.fromkeys(("validity", "plausibility"), reason))


def report(scores: Scores) -> str:
    """The scores as the published evaluation prints them, then by type."""
    lines = [
        f"{name.replace('_', ' ').capitalize()}: {value:.2f}%"
        for name in _TITLES
        if (value := getattr(scores, name)) is not None
    ]
    lines.append(f"Distribution: {scores.distribution:.2f} (lower is better)")
    lines += [f"{name.capitalize()}: left out, {reason}" for name, reason in scores.left_out.items()]
    for kind, rows in scores.by.items():
        lines += ["", f"Accuracy by {_spaced(kind)}:"]
        lines += [f"  {key}: {share:.2f}% ({number:,} questions)" for key, (share, number) in rows.items()]
    return "\n".join(lines)


def _each(root: Path, split: str, predictions: Predictions, answers: dict[str, str]) -> Iterator[Item]:
    """The balanced questions, then others where there are predictions for more; `answers` takes in the true ones."""
    if not has_questions(root, split) and not has_questions(root, split, "all"):
        raise InputError(f"{root}: no split '{split}' (there are: {', '.join(splits(root))})")
    if has_questions(root, split):
        yield from each_item(root, split, "balanced", answers)
    if has_questions(root, split, "all") and (not answers or predictions.keys() - answers.keys()):
        yield from each_item(root, split, "all", answers)


def _add(scorer: Scorer, item: Item, graphs: dict, where: str) -> None:
    try:
        if scorer.attentions is not None and item.image not in graphs:
            raise InputError(f"image '{item.image}' of question '{item.id}' has no scene graph")
        scorer.add(item, graphs.get(item.image))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _require_whole(
    path: Path, predictions: Predictions, answers: dict[str, str], missing: list[str], split: str
) -> None:
    unknown = [key for key in predictions if key not in answers]
    if unknown:
        raise InputError(
            f"{path}: {len(unknown):,} of {len(predictions):,} predictions are for no question of split '{split}' "
            f"here, the first is '{unknown[0]}'; remove them, or give the folder and split that they are for"
        )
    if missing:
        raise InputError(
            f"{path}: no prediction for {len(missing):,} balanced questions of split '{split}', the first is "
            f"'{missing[0]}'; answer every question"
        )


def _spaced(kind: str) -> str:
    return {"StructuralType": "structural type", "SemanticType": "semantic type", "Length": "number of words"}.get(
        kind, "number of steps"
    )
