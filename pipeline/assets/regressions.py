"""A check of every system's evaluation: it is no worse than the one before."""

from functools import partial
from pathlib import Path
from typing import Any

from pipeline.assets.systems import trainings
from pipeline.lib import checks
from pipeline.lib.automation import regression
from pipeline.lib.training import Training


def judge(training: Training[Any, Any], folder: Path) -> checks.Verdict:
    """Compare with the evaluation before, from the ledger."""
    return regression.verdict(training)


# A warning: with fewer epochs or less data it is what one expects.
regression_checks = [
    checks.check(
        training.evaluation_key,
        regression.NAME,
        "Not worse than the evaluation before on the same data, by more than the interval of the difference.",
        partial(judge, training),
        is_warning=True,
    )
    for training in trainings()
    if training.is_scored
]
