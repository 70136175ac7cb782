"""The neuro-symbolic visual reasoner: a model and its evaluation per dataset."""

from nsmodels.core.artifact import Manifest
from nsmodels.systems.visual.config import CODE_VERSION, EVALUATION_VERSION, PRESETS, EvaluationConfig, VisualConfig
from pipeline.assets.systems.visual_checks import first_look
from pipeline.lib import hardware, step
from pipeline.lib.launchpad import Launchpad
from pipeline.lib.training import Training

MODEL = Launchpad(PRESETS, default="base", automatic=hardware.fitting_preset)
EVALUATION = Launchpad({"default": lambda: EvaluationConfig.from_mapping({})}, default="default")


def train(order: step.Order[VisualConfig]) -> Manifest:
    """Train perception, the parser, then the baseline, and seal them as one checkpoint."""
    from nsmodels.systems.visual.train import train

    (data_key, data), trackers = next(iter(order.inputs.items())), order.trackers("perception", "parser", "baseline")
    return train(order.config, data, order.folder, order.key, data_key, trackers, is_forced=order.force)


def evaluate(order: step.Order[EvaluationConfig]) -> Manifest:
    """Score the checkpoint, with baselines, calibration, latency and example proofs."""
    from nsmodels.systems.visual.evaluate import make_evaluation

    (model_key, model), (data_key, data) = order.inputs.items()
    where = (model, data, order.folder, order.key, model_key, data_key)
    return make_evaluation(*where, order.config.split, order.config.device, order.force)


def training(dataset: str) -> Training[VisualConfig, EvaluationConfig]:
    """Learning from a dataset of CLEVR's form."""
    return Training(
        name=dataset,
        system="visual",
        dataset=dataset,
        code_version=CODE_VERSION,
        model=MODEL,
        train=train,
        evaluation=EVALUATION,
        evaluate=evaluate,
        evaluation_version=EVALUATION_VERSION,
        about_model=f"Perception and question parser trained on `{dataset}`; answers with proofs.",
        about_evaluation=f"`{dataset}_model` on held-out `{dataset}`: four rows, priors, calibration, latency.",
        show=first_look,
    )


TRAININGS = [training("clevr_mini"), training("clevr")]
assets = [asset for each in TRAININGS for asset in each.assets()]
