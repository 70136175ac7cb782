"""How a parser reads questions as people type them: right, not sure, wrong, and wrong with high confidence.

    OMP_NUM_THREADS=1 python -m benchmarks.free_form CHECKPOINT [--questions FILE] [--list] [--official FILE ...]

A reading is right when its program has the answer of the true program in each of 200 random scenes where the latter is
well posed: perception plays no part. "Not sure" is a probability below a threshold. Questions that CLEVR's functions
cannot express, or that mean nothing, are right only as "not sure".
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nsmodels.datasets.clevr.questions.executor import Compiled, IllPosed, compile, execute
from nsmodels.datasets.clevr.rendering.scenes import sample_scene, scene_generator
from nsmodels.engine import checkpoint
from nsmodels.evaluation.metrics import mean_interval
from nsmodels.systems.visual.evaluation.scoring import to_released_form
from nsmodels.systems.visual.language.clauses import presupposed
from nsmodels.systems.visual.language.confidence import SURE, Parse
from nsmodels.systems.visual.language.description import describe
from nsmodels.systems.visual.language.grammar import Program
from nsmodels.systems.visual.language.notation import program
from nsmodels.systems.visual.language.parser import Parser

QUESTIONS = Path(__file__).parents[1] / "tests/data/free_form_questions.json"
NUM_SCENES, SEED = 200, 0
HIGH = 0.9
OUTCOMES = ("right", "not sure", "wrong", "wrong above 0.9")


def random_scenes(count: int = NUM_SCENES, seed: int = SEED) -> list[Compiled]:
    """Random scenes, without images."""
    return [compile(sample_scene(scene_generator(seed, "free", i), index=i)[0]) for i in range(count)]


def answer(asked: Program, scene: Compiled) -> str:
    """The exact answer; "" where the question is ill posed, what "the" one thing presupposes included."""
    try:
        counted = presupposed(asked)
        return execute(asked, scene) if counted is None or execute(counted, scene) == "1" else ""
    except IllPosed:
        return ""


def is_equal(read: Program, true: Program, scenes: Iterable[Compiled]) -> bool:
    """Whether two programs have equal answers wherever the true one is well posed."""
    answers = [(answer(true, scene), scene) for scene in scenes]
    posed = [(found, scene) for found, scene in answers if found]
    return bool(posed) and all(_plain(read, scene) == found for found, scene in posed)


def _plain(asked: Program, scene: Compiled) -> str:
    try:
        return execute(asked, scene)
    except IllPosed:
        return ""


def outcome(parse: Parse, true: str | None, scenes: list[Compiled]) -> str:
    """One of `OUTCOMES`."""
    if parse.probability < SURE:
        return "not sure"
    if true is not None and is_equal(parse.program, program(true), scenes):
        return "right"
    return OUTCOMES[3] if parse.probability > HIGH else OUTCOMES[2]


def shares(found: list[str], is_in_scope: list[bool]) -> str:
    """One line of figures: of all questions, and of those that can be answered."""
    count = Counter(found)
    inside = [outcome for outcome, is_in in zip(found, is_in_scope, strict=True) if is_in]
    good = np.array([outcome in ("right", "not sure") for outcome in found], float)
    low, high = mean_interval(good, np.arange(len(good))) or (np.nan, np.nan)
    parts = [f"{name} {count[name]}" for name in OUTCOMES]
    return (
        f"n {len(found)}: {', '.join(parts)}; right or not sure {good.mean():.1%} ({low:.1%}-{high:.1%}); "
        f"can be answered {len(inside)}: right {inside.count('right') / max(1, len(inside)):.1%}, "
        f"not sure {inside.count('not sure') / max(1, len(inside)):.1%}"
    )


def report(parser: Parser, path: Path, is_listed: bool) -> None:
    """The table of a file of questions, by group; with `is_listed` every question that is not right."""
    items: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["questions"]
    scenes, parses = random_scenes(), parser.parse([item["question"] for item in items])
    found = [outcome(parse, item["program"], scenes) for parse, item in zip(parses, items, strict=True)]
    for name in dict.fromkeys(item["group"] for item in items):
        rows = [k for k, item in enumerate(items) if item["group"] == name]
        print(f"{name}: {shares([found[k] for k in rows], [items[k]['program'] is not None for k in rows])}")
        for k in rows if is_listed else []:
            is_good = found[k] == ("not sure" if items[k]["program"] is None else "right")
            if not is_good:
                print(line(found[k], parses[k], items[k]["question"]))


def line(found: str, parse: Parse, question: str) -> str:
    """One reading: outcome, probability, question, what was read, doubts."""
    read = f"{question} | {describe(parse.program)} | {'; '.join(parse.doubts)}"
    return f"  {found:16}{parse.probability:.3f} {read}"


def official(parser: Parser, path: Path) -> None:
    """Share of a released question file whose programs are read exactly, and how many are sure."""
    items = json.loads(path.read_text(encoding="utf-8"))["questions"]
    parses = parser.parse([item["question"] for item in items])
    exact = [parse.program == to_released_form(item["program"]) for parse, item in zip(parses, items, strict=True)]
    sure = [parse.probability >= SURE for parse in parses]
    low = sorted(parse.probability for parse in parses)[: max(1, len(parses) // 100)]
    print(f"{path.name}: {sum(exact)} of {len(exact)} programs exact, {sum(sure)} sure, lowest hundredth {low[-1]:.3f}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("checkpoint", type=Path, help="folder of a trained reasoner, or its parser's file")
    options.add_argument("--questions", type=Path, default=QUESTIONS)
    options.add_argument("--official", type=Path, nargs="*", default=[], help="released question files")
    options.add_argument("--list", action="store_true", help="print every question that is not right")
    given = options.parse_args()
    torch.set_num_threads(1)
    path = given.checkpoint if given.checkpoint.is_file() else given.checkpoint / "parser" / "best.pt"
    parser = Parser.from_checkpoint(checkpoint.load(path), str(path))
    report(parser, given.questions, given.list)
    for file in given.official:
        official(parser, file)


if __name__ == "__main__":
    main()
