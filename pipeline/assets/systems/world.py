"""The world model: five models, each started from the one before, the evaluation of the last, ablations and figures."""

from typing import Any

from nsmodels.core.orders import DATA
from nsmodels.systems.world import SYSTEM
from nsmodels.systems.world.config import CODE_VERSION, EvaluationConfig
from nsmodels.systems.world.studies.config import ABLATION_PRESETS
from pipeline.assets.systems.world_checks import first_look
from pipeline.lib import figure
from pipeline.lib.display import results
from pipeline.lib.training import Training, study

FIGURES, STUDIES = "nsmodels.systems.world.figures", "nsmodels.systems.world.studies"
ABOUT = {
    "vision": "Phase 1 of the world model: frames of `impacts`, by contrast of two views (SimCLR).",
    "audio": "Phase 2: sounds of `impacts` by contrast of two views, and a reconstruction of their mel spectrogram.",
    "fusion": "Phase 3: sight, sound and touch fused to a state of the world.",
    "dynamics": "Phase 4: states of the world imagined over several steps, given actions.",
    "full": "Phase 5: all modules of the world model together, with heads of properties, affordances and effects of "
    "changes; these are taught by twins of training clips.",
}
ABOUT_EVALUATION = (
    "`world_model` by six metrics on unseen objects and unseen combinations of material and shape: zero-shot, "
    "few-shot, retrieval, dynamics, properties, effects; chance, simple baselines and ceilings beside them."
)


def chain() -> list[Training]:
    """The five trainings, each with the one that it starts from."""
    found: list[Training[Any, EvaluationConfig]] = []
    for stage in SYSTEM.stages:
        is_last = stage is SYSTEM.stages[-1]
        found.append(
            Training[Any, EvaluationConfig](
                name="world" if is_last else f"world_{stage.name}",
                system=SYSTEM,
                datasets=SYSTEM.datasets,
                about_model=ABOUT[stage.name],
                about_evaluation=ABOUT_EVALUATION if is_last else None,
                stage=stage.name,
                starts_from=found[-1] if found else None,
                show=first_look if is_last else results.pages,
            )
        )
    return found


TRAININGS = chain()
assets = [asset for each in TRAININGS for asset in each.assets()]
training_checks = [check for each in TRAININGS for check in each.checks()]

world_ablations = study(
    "world_ablations",
    dict.fromkeys(SYSTEM.datasets, DATA),
    f"{STUDIES}.ablations:ablate",
    ABLATION_PRESETS,
    CODE_VERSION,
    "The world model with fewer modalities, and without one term of its losses after the other, over several seeds: "
    "gains paired by clip and seed with their intervals. The chain is trained once per seed; of a variant only the "
    "stages that it changes and those after them. A finished trial is kept.",
)
world_phase_curves = figure.asset(
    "world_phase_curves",
    ", ".join(each.model_key for each in TRAININGS),
    FIGURES,
    CODE_VERSION,
    "Loss and monitored terms of the five phases by epoch.",
    "phase_curves",
)
world_scores = figure.asset(
    "world_scores",
    TRAININGS[-1].evaluation_key,
    FIGURES,
    CODE_VERSION,
    "Properties believed and true with the identifiability matrix, retrieval, a rollout against the truth with "
    "intervals, effects, and what each modality adds.",
    "scores",
)
