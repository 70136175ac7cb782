"""Command line of the reasoner on natural images: `nsmodels natural train | evaluate | answer | study`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from nsmodels.core.cli import Parser, run
from nsmodels.engine.commands import verbs
from nsmodels.layers.answers.config import ABOUT_BASELINES
from nsmodels.systems.natural import SYSTEM
from nsmodels.systems.natural.command import add_verbs
from nsmodels.systems.natural.evaluation.competition.config import BASELINE_PRESETS
from nsmodels.systems.natural.evaluation.studies.config import ABLATION_PRESETS

READS = "whose perception object attention reads; without it that row is left out"
STUDIES = {
    "ablations": verbs.Study(
        "nsmodels.systems.natural.evaluation.studies.ablations:ablate",
        ABLATION_PRESETS,
        "the model without one part after the other, over the same seeds",
    ),
    "baselines": verbs.Study(
        "nsmodels.systems.natural.evaluation.competition.study:compare",
        BASELINE_PRESETS,
        ABOUT_BASELINES,
        READS,
        is_verb=True,
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb."""
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> Parser:
    """The parser of this command line."""
    return verbs.parser(SYSTEM, _add_verbs)


def _add_verbs(added: Any) -> None:
    add_verbs(added)
    verbs.add_studies(added, SYSTEM, "many trainings: every part left out once, or baselines", STUDIES)


if __name__ == "__main__":
    sys.exit(run(main))
