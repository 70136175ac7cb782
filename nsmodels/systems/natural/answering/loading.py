"""What answers questions by a checkpoint: programs alone, or the answers that people give where no program decides."""

from __future__ import annotations

from pathlib import Path

from nsmodels.engine import checkpoint
from nsmodels.systems.natural.answering.functions import FunctionReasoner, has_functions
from nsmodels.systems.natural.answering.reasoner import Reasoner
from nsmodels.systems.natural.answering.respondent import Respondent


def load(folder: Path, device: str = "auto") -> Reasoner | Respondent | FunctionReasoner:
    """The model of a checkpoint folder; raise `InputError` when it is not sealed, changed or of another system."""
    if (folder / "answers" / checkpoint.BEST).is_file():
        return Respondent.load(folder, device)
    return FunctionReasoner.load(folder, device) if has_functions(folder) else Reasoner.load(folder, device)
