"""Figures of several systems, as PDF for print and PNG for the screen; each names its data source."""

from nsmodels.studies import figure as studies
from nsmodels.systems.natural.evaluation import figures as natural
from nsmodels.systems.visual.figures import CODE_VERSION
from pipeline.lib import figure

VISUAL, NATURAL = "nsmodels.systems.visual.figures", natural.__name__

training_curves = figure.asset(
    "training_curves", "clevr_mini_model", VISUAL, CODE_VERSION, "Losses of perception and parser by epoch."
)
reasoning_depth = figure.asset(
    "reasoning_depth",
    "clevr_mini_evaluation",
    VISUAL,
    CODE_VERSION,
    "How deep the questions are, by the longest path of their programs, and how accuracy depends on it.",
)
gqa_training_curves = figure.asset(
    "gqa_training_curves",
    "gqa_mini_model",
    NATURAL,
    natural.CODE_VERSION,
    "Losses and validation scores of perception, parser and baselines on natural images, by epoch.",
    "training_curves",
)
gqa_reasoning_depth = figure.asset(
    "gqa_reasoning_depth",
    "gqa_mini_evaluation",
    NATURAL,
    natural.CODE_VERSION,
    "How many steps questions about natural images take, and how accuracy depends on it, baselines beside the model.",
    "reasoning_depth",
)
gqa_consistency = figure.asset(
    "gqa_consistency",
    "gqa_mini_evaluation",
    NATURAL,
    natural.CODE_VERSION,
    "Whether right answers are consistent with the answers to what follows from them, baselines beside the model.",
    "consistency",
)
ablation_study = figure.asset(
    "ablation_study",
    "visual_ablations",
    NATURAL,
    studies.CODE_VERSION,
    "Gain by each part of the reasoner on natural images, paired by item and seed; needs at least three seeds.",
)
further_ablation_studies = [
    figure.asset(
        f"{system}_ablation_study",
        f"{system}_ablations",
        f"nsmodels.systems.{system}.figures",
        studies.CODE_VERSION,
        f"Gain by each part of the {words}, paired by item and seed; needs at least three seeds.",
        "ablation_study",
    )
    for system, words in {"graph": "graph reasoner", "world": "world model", "nav": "navigator"}.items()
]
