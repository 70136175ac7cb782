"""Calibration of a trained reasoner, kept in the file `calibration.json` of its checkpoint. Torch-free."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.systems.visual.perception.familiarity import Familiarity

FILE = "calibration.json"
LogisticMap = tuple[float, float]
IDENTITY: LogisticMap = (1.0, 0.0)
LARGEST_LOGIT = 13.8  # of a probability of 1e-6, or of one minus that


@dataclass(frozen=True, eq=False)
class Calibration:
    """What turns raw outputs into probabilities.

    Attributes:
        presence_map: slope and intercept from the logit of a peak to that of the probability of an object there.
        posed_map: the same from the probability that a question is well posed, as executed, to the calibrated one; None
            in older checkpoints.
        familiarity: distribution of the features of familiar images; None in older checkpoints.
    """

    presence_map: LogisticMap = IDENTITY
    posed_map: LogisticMap | None = None
    familiarity: Familiarity | None = None

    @classmethod
    def read(cls, folder: Path) -> Calibration:
        """The calibration of a checkpoint folder; raise `InputError` for a file that is missing or broken."""
        path = folder / FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            familiarity, posed = content.get("familiarity"), content.get("posed_map")
            return cls(
                _pair(content["presence_map"]),
                None if posed is None else _pair(posed),
                None if familiarity is None else Familiarity.from_json(familiarity),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"{path}: missing or broken; the checkpoint is incomplete, train it again") from None

    def to_json(self) -> dict[str, Any]:
        """The content of the file."""
        return {
            "presence_map": list(self.presence_map),
            "posed_map": self.posed_map and list(self.posed_map),
            "familiarity": self.familiarity and self.familiarity.to_json(),
        }

    def posed(self, well_posed: float, num_uniques: int) -> float:
        """The probability that a question is well posed; `well_posed`: as executed, over `num_uniques` steps."""
        if not num_uniques:
            return 1.0
        slope, intercept = self.posed_map or IDENTITY
        return 1 / (1 + math.exp(-(slope * logit(well_posed) + intercept)))


def logit(probability: float) -> float:
    """log p / (1 − p), within ± `LARGEST_LOGIT`."""
    if probability in (0.0, 1.0):
        return math.copysign(LARGEST_LOGIT, probability - 0.5)
    return min(LARGEST_LOGIT, max(-LARGEST_LOGIT, math.log(probability / (1 - probability))))


def _pair(values: Any) -> LogisticMap:
    slope, intercept = values
    return float(slope), float(intercept)
