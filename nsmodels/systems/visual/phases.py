"""The phases of training, each a task on the shared loop; run as a module by the processes of one phase."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from nsmodels.core.cli import run
from nsmodels.datasets.clevr.files.format import read_questions
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.phases import run_launched, sharing
from nsmodels.engine.task import Task
from nsmodels.systems.visual.baselines.task import CnnLstmTask
from nsmodels.systems.visual.config import VisualConfig
from nsmodels.systems.visual.language.task import ParserTask
from nsmodels.systems.visual.perception.task import PerceptionTask


def make_task(phase: str, config: VisualConfig, data: Path) -> tuple[Task, TrainingConfig]:
    """The task of a phase and how it is trained."""
    if phase == "perception":
        return PerceptionTask(config.perception, config.training, data), config.training
    if phase == "baseline":
        training = sharing(config.baseline_training, config.training)
        return CnnLstmTask.from_tree(data, config.baseline, training), training
    training = sharing(config.parser_training, config.training)
    questions = parser_questions(config, read_questions(data, "train"))
    return ParserTask(questions, read_questions(data, "val"), config.parser, training), training


def parser_questions(config: VisualConfig, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those training questions that the parser sees."""
    return questions[: config.parser.max_questions or None]


if __name__ == "__main__":
    sys.exit(run(lambda: run_launched(sys.argv[1:], VisualConfig, make_task)))
