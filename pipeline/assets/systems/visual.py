"""The neuro-symbolic visual reasoner: a model and its evaluation per dataset."""

from nsmodels.core.orders import DATA
from nsmodels.engine.config import EvaluationConfig
from nsmodels.layers.answers.config import BASELINE_PRESETS, STUDY_VERSION
from nsmodels.systems.visual import SYSTEM
from nsmodels.systems.visual.config import EVALUATION_VERSION, VisualConfig
from nsmodels.systems.visual.evaluation.studies.config import ABLATION_PRESETS
from pipeline.assets.systems.visual_checks import first_look
from pipeline.lib.training import Training, study


def training(dataset: str) -> Training[VisualConfig, EvaluationConfig]:
    """Learning from a dataset of CLEVR's form."""
    return Training(
        name=dataset,
        system=SYSTEM,
        datasets=(dataset,),
        about_model=f"Perception and question parser trained on `{dataset}`; answers with proofs.",
        about_evaluation=f"`{dataset}_model` on held-out `{dataset}`: four rows, priors, calibration, latency.",
        show=first_look,
    )


TRAININGS = [training("clevr_mini"), training("clevr")]
baselines = study(
    "clevr_mini_baselines",
    {"clevr_mini": DATA},
    "nsmodels.systems.visual.evaluation.competition:compare",
    BASELINE_PRESETS,
    STUDY_VERSION,
    "Classifiers of answers trained on `clevr_mini` over seeds, with equal epochs: the question alone, beside a small "
    "CNN, beside a ResNet, and ViLT where a checkpoint is configured. A stopped study resumes.",
)
assets = [asset for each in TRAININGS for asset in each.assets()]
training_checks = [check for each in TRAININGS for check in each.checks()]

clevr_ablations = study(
    "clevr_ablations",
    {"clevr_mini": DATA},
    "nsmodels.systems.visual.evaluation.studies.ablations:ablate",
    ABLATION_PRESETS,
    EVALUATION_VERSION,
    "The visual reasoner without one part after the other, over several seeds: gains paired by item and seed with "
    "their intervals, and whether each part helps. A finished trial is kept.",
)
