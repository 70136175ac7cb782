"""Questions with programs and answers about CLEVR scenes, balanced over families and answers.

Random numbers are drawn per scene from (seed, split, image_index); balance is kept within chunks of `CHUNK` consecutive
scenes, each of which starts from zero. So the questions do not depend on the number of workers, and those of the first
complete chunks not on the number of scenes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from nsmodels.core.hardware import num_cores
from nsmodels.core.progress import counted
from nsmodels.core.workers import run
from nsmodels.datasets.clevr.files.format import read_scenes, write_questions
from nsmodels.datasets.clevr.questions.executor import Compiled, compile, execute
from nsmodels.datasets.clevr.questions.families import FAMILIES, Form, program_of
from nsmodels.datasets.clevr.questions.sampling import Sampler
from nsmodels.datasets.clevr.questions.wording import word_question

CHUNK = 250
CANDIDATES = 4
# An answer is refused while its count in the family is EXCESS times that of the next one or more, and at least GRACE.
EXCESS, GRACE = 1.1, 3
# Number of passes over the families for a scene that allows few questions.
ROUNDS = 3

Record = dict[str, Any]
Candidate = tuple[str, Form, list[Record]]


def generate(scenes: list[Record], per_scene: int = 10, seed: int = 0, split: str = "train") -> list[Record]:
    """Questions in the released key order, `per_scene` for each scene (fewer where a scene allows no more).

    Args:
        scenes: scenes in the released form.
        per_scene: questions per scene; one of each family before a family is repeated.
        seed: random seed.
        split: recorded in the questions, and part of the seed.
    """
    questions = [q for chunk in _chunks(scenes) for q in generate_chunk(chunk, per_scene, seed, split)]
    return _numbered(questions)


def generate_split(
    root: Path, split: str, per_scene: int = 10, seed: int = 0, workers: int | None = None, progress: bool = True
) -> Path:
    """Read the scenes of a split and write its question file; returns its path.

    `workers` (default: one per core) does not change the result. Raises `InputError` when the scenes are missing.
    """
    chunks = _chunks(read_scenes(root, split))
    jobs = [(chunk, per_scene, seed, split) for chunk in chunks]
    count = min(workers or num_cores(), len(jobs))
    made: list[Record] = []
    chunks_made = run(generate_chunk, jobs, count)
    for questions in counted(chunks_made, len(jobs), f"generating questions, {split}", "chunk", progress):
        made.extend(questions)
    return write_questions(root, split, _numbered(made))


class Balance:
    """Counts of the questions of each family in a chunk, and of their answers."""

    def __init__(self) -> None:
        self.families: Counter[int] = Counter()
        self.answers: defaultdict[int, Counter[str]] = defaultdict(Counter)

    def is_allowed(self, family: int, answer: str) -> bool:
        """Whether `answer` is not too frequent in its family yet."""
        counts = self.answers[family]
        others = max((count for other, count in counts.items() if other != answer), default=0)
        return counts[answer] < max(GRACE, EXCESS * others)

    def add(self, family: int, answer: str) -> None:
        """Count a question."""
        self.families[family] += 1
        self.answers[family][answer] += 1

    def order(self, rng: Random) -> list[int]:
        """Numbers of the families, least frequent first, ties in random order."""
        return sorted(rng.sample(range(len(FAMILIES)), len(FAMILIES)), key=self.families.__getitem__)


def _chunks(scenes: list[Record]) -> list[list[Record]]:
    return [scenes[start : start + CHUNK] for start in range(0, len(scenes), CHUNK)]


def generate_chunk(scenes: list[Record], per_scene: int, seed: int, split: str) -> list[Record]:
    """Questions, not numbered yet, of consecutive scenes that are balanced together; arguments as of `generate`."""
    balance = Balance()
    return [q for scene in scenes for q in _questions_of(scene, per_scene, seed, split, balance)]


def _questions_of(scene: Record, per_scene: int, seed: int, split: str, balance: Balance) -> Iterator[Record]:
    if not scene["objects"]:
        return
    rng = Random(f"{seed} {split} {scene['image_index']}")
    compiled = compile(scene)
    sampler = Sampler(compiled, rng)
    programs: list[list[Record]] = []
    for family in balance.order(rng) * ROUNDS:
        if len(programs) == per_scene:
            return
        chosen = _choose(family, sampler, compiled, balance)
        if chosen and chosen[2] not in programs:
            answer, form, program = chosen
            balance.add(family, answer)
            programs.append(program)
            yield _record(scene, split, family, answer, program, word_question(form, rng))


def _choose(family: int, sampler: Sampler, scene: Compiled, balance: Balance) -> Candidate | None:
    """The candidate whose answer is the least frequent in its family; None when none is allowed."""
    counts = balance.answers[family]
    best: Candidate | None = None
    for _ in range(CANDIDATES):
        form = sampler.draw(FAMILIES[family])
        if form is None:
            continue
        program = program_of(form)
        answer = execute(program, scene)
        if balance.is_allowed(family, answer) and (best is None or counts[answer] < counts[best[0]]):
            best = (answer, form, program)
    return best


def _record(scene: Record, split: str, family: int, answer: str, program: list[Record], text: str) -> Record:
    return {
        "image_index": scene["image_index"],
        "program": program,
        "question_index": -1,
        "image_filename": scene["image_filename"],
        "question_family_index": family,
        "split": split,
        "answer": answer,
        "question": text,
    }


def _numbered(questions: list[Record]) -> list[Record]:
    for number, question in enumerate(questions):
        question["question_index"] = number
    return questions
