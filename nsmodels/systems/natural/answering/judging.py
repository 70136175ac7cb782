"""Calibration of truths that are asked about, on questions whose true answers to each step are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.execution import Compiled, IllPosed, trace
from nsmodels.systems.natural.language.asking import Question
from nsmodels.systems.natural.language.task import program_of
from nsmodels.systems.natural.perception.calibration import logistic_fit
from nsmodels.systems.natural.reasoning.execution import SoftExecutor
from nsmodels.systems.natural.reasoning.verdicts import Verdicts, kind_of, logit


def fit_verdicts(
    questions: Sequence[Question], scenes: Mapping[str, Compiled], executors: Mapping[str, SoftExecutor]
) -> Verdicts:
    """The maps fitted to the truths in the programs of questions; `executors` are those without maps, by image."""
    found: dict[str, list[tuple[float, bool]]] = {}
    for question in questions:
        executor = executors[question.image]
        program = program_of(question, executor.scene.lexicon.words)
        try:
            true, soft = trace(program, scenes[question.image]), executor.trace(program)[0]
        except (IllPosed, InputError):
            continue
        for step, is_so, truth in zip(program, true, soft, strict=True):
            kind = kind_of(step, program)
            if kind and isinstance(is_so, bool) and isinstance(truth, float):
                found.setdefault(kind, []).append((logit(truth), is_so))
    return Verdicts({kind: _fitted(pairs) for kind, pairs in sorted(found.items())})


def _fitted(pairs: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    logits, labels = zip(*pairs, strict=True)
    return logistic_fit(np.array(logits), np.array(labels))
