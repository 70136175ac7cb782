"""Question files of a split: balanced, all, and choices, in the released form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from nsmodels.core.disk import atomically, writing
from nsmodels.core.hardware import num_cores
from nsmodels.core.progress import counted
from nsmodels.core.workers import run
from nsmodels.datasets.gqa.files.places import NUM_CHUNKS, questions_path
from nsmodels.datasets.gqa.questions.asking import Source
from nsmodels.datasets.gqa.questions.balance import Item, balanced
from nsmodels.datasets.gqa.questions.choices import AnswerChoices
from nsmodels.datasets.gqa.questions.config import QuestionSettings
from nsmodels.datasets.gqa.questions.counts import Counts, count
from nsmodels.datasets.gqa.questions.families import FAMILIES
from nsmodels.datasets.gqa.questions.generation import questions_of
from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

CHUNK = 200  # images of a job
UNBALANCED, BALANCED = '"isBalanced": false', '"isBalanced": true'


def write_questions(
    folder: Path, split: str, graphs: Sequence[SceneGraph], words: SceneVocabulary,
    settings: QuestionSettings, workers: int | None = None, progress: bool = False,
) -> dict[str, int]:  # fmt: skip
    """Write the questions of a split with their choices; returns the numbers of all and of balanced ones.

    `questions/<split>_balanced_questions.json`, `questions/<split>_all_questions.json` (train: ten chunks),
    `eval/<split>_choices.json` of the balanced ones (train: `eval/train_choices/train_choices_0.json` …). The files
    depend on the graphs, the vocabulary and the settings, not on `workers` (default: one per core). Raises `InputError`
    when a file cannot be written.
    """
    source = Source(words, count(graphs, words))
    with writing(folder), TemporaryDirectory(prefix=".questions-", dir=_made(folder)) as place:
        starts = range(0, len(graphs), CHUNK)
        jobs = [
            (graphs[start : start + CHUNK], source.counts, words, settings, split, Path(place) / f"{start:09d}")
            for start in starts
        ]
        found = run(make_chunk, jobs, min(workers or num_cores(), len(jobs)))
        items = [item for chunk in counted(found, len(jobs), f"asking, {split}", "chunk", progress) for item in chunk]
        shares = {name: family.share for name, family in FAMILIES.items()}
        kept = balanced(items, shares, settings.spread, settings.leftover, f"{settings.seed} {split}")
        _write_parts(folder, split, items, kept, _lines([job[-1] for job in jobs]), AnswerChoices(source))
    return {"all": len(items), "balanced": len(kept)}


def make_chunk(
    graphs: Sequence[SceneGraph], counts: Counts, words: SceneVocabulary,
    settings: QuestionSettings, split: str, path: Path,
) -> list[Item]:  # fmt: skip
    """Write the questions of some images, one a line; returns what balancing needs of each."""
    source = Source(words, counts)
    items: list[Item] = []
    with path.open("w", encoding="utf-8") as file:
        for graph in graphs:
            for made in questions_of(graph, source, settings, split):
                draft = made.draft
                file.write(f'"{made.id}": {json.dumps(made.record)}\n')
                items.append(
                    Item(made.id, draft.family, draft.place, draft.group, draft.answer, draft.rival, draft.scope)
                )
    return items


def _made(folder: Path) -> Path:
    for name in ("questions", "eval"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


def _lines(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        with path.open(encoding="utf-8") as file:
            yield from file


class _Entries:
    """A file `{"id": record, …}` written entry by entry."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = stack.enter_context(atomically(path))
        self.file: TextIO = stack.enter_context(beside.open("w", encoding="utf-8"))
        self.file.write("{")
        self.separator = ""
        stack.callback(self.file.write, "}")

    def add(self, entry: str) -> None:
        """Write an entry: a quoted id, a colon, a record."""
        self.file.write(self.separator + entry)
        self.separator = ", "


def _write_parts(
    folder: Path, split: str, items: list[Item], kept: set[int], lines: Iterator[str], choices: AnswerChoices
) -> None:
    """The final files from the lines of all questions."""
    everything, some = questions_path(folder, split, "all"), questions_path(folder, split, "balanced")
    is_train = not everything.suffix
    number = NUM_CHUNKS if is_train else 1
    with ExitStack() as stack:
        names = [everything / f"{everything.name}_{i}.json" for i in range(number)] if is_train else [everything]
        single = folder / "eval" / f"{split}_choices.json"
        answers = (
            [single.with_suffix("") / f"{split}_choices_{i}.json" for i in range(number)] if is_train else [single]
        )
        all_files, choice_files = ([_Entries(path, stack) for path in paths] for paths in (names, answers))
        balanced_file = _Entries(some, stack)
        for place, (item, line) in enumerate(zip(items, lines, strict=True)):
            chunk = place * number // len(items)
            entry = line[:-1]
            if place in kept:
                entry = entry.replace(UNBALANCED, BALANCED, 1)
                balanced_file.add(entry)
                choice_files[chunk].add(f'"{item.id}": {choices.line(item.scope, item.answer)}')
            all_files[chunk].add(entry)
