"""How well ill-posed questions are told from well-posed ones: what a question takes for granted and is not so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import mannwhitneyu

from nsmodels.evaluation.metrics import expected_calibration_error
from nsmodels.systems.visual.answering.answer import THRESHOLD
from nsmodels.systems.visual.answering.calibration import Calibration
from nsmodels.systems.visual.answering.fitting import Records, posed_answers
from nsmodels.systems.visual.answering.posing import posed_pairs
from nsmodels.systems.visual.reasoning.belief import Array, SceneBelief

NUM_QUESTIONS = 1000


@dataclass(frozen=True, eq=False)
class Posedness:
    """Well-posed questions, and as many ill-posed ones, with what the model makes of each (n,).

    Attributes:
        truth: whether the question is well posed, by the exact executor in the true scene.
        posed: calibrated probability of that.
        answered: confidence of the answer given that the question is well posed; all that was shown before.
    """

    truth: Array
    posed: Array
    answered: Array

    @property
    def confidence(self) -> Array:
        """The joint confidence."""
        return self.posed * self.answered

    def report(self) -> dict[str, Any]:
        """The measures, ready for JSON; empty without a question that refers to a single object."""
        if not len(self.truth):
            return {}
        given, well, ill = self.confidence >= THRESHOLD, self.truth, ~self.truth
        return {
            "n": len(self.truth),
            "auc": float(mannwhitneyu(self.posed[well], self.posed[ill]).statistic / (well.sum() * ill.sum())),
            "ece": expected_calibration_error(self.posed, well.astype(float)),
            "ill_posed_refused": float(1 - given[ill].mean()),
            "well_posed_answered": float(given[well].mean()),
            "confidence_ill_posed": float(self.confidence[ill].mean()),
            "confidence_well_posed": float(self.confidence[well].mean()),
            "confidence_if_posed_ill_posed": float(self.answered[ill].mean()),
            "confidence_if_posed_well_posed": float(self.answered[well].mean()),
        }


def measure(
    scenes: Records, beliefs: Sequence[SceneBelief], questions: Records, calibration: Calibration, seed: int = 1
) -> Posedness:
    """Pose questions about scenes other than their own, by their true programs."""
    pairs = posed_pairs(scenes, questions, NUM_QUESTIONS, seed)
    found = posed_answers(pairs, beliefs, questions)
    return Posedness(
        np.array([pair.is_well_posed for pair in pairs], bool),
        np.array([calibration.posed(each.well_posed, len(each.uniques)) for each in found]),
        np.array([each.confidence for each in found]),
    )
