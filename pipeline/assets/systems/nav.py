"""The tiny recursive navigator: a model, its evaluation, two studies and the figures."""

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.systems.nav.config import CODE_VERSION, EVALUATION_VERSION, PRESETS, EvaluationConfig, NavConfig
from nsmodels.systems.nav.studies.config import GRID_PRESETS, SCALING_PRESETS, DataScalingConfig, GridSearchConfig
from pipeline.assets.systems.nav_checks import first_look
from pipeline.lib import figure, hardware, policy, step
from pipeline.lib.launchpad import Launchpad
from pipeline.lib.training import Training

MODEL = Launchpad(PRESETS, default="base", automatic=hardware.fitting_preset)
EVALUATION = Launchpad({"default": lambda: EvaluationConfig.from_mapping({})}, default="default")
GRID = Launchpad(GRID_PRESETS, default="base", automatic=hardware.fitting_preset)
SCALING = Launchpad(SCALING_PRESETS, default="base", automatic=hardware.fitting_preset)
FIGURES = "nsmodels.systems.nav.figures"
TAGS = {"system": "nav", "dataset": "mazes"}


def train(order: step.Order[NavConfig]) -> Manifest:
    """Train the navigator, then the MLP and the CNN, and seal them as one checkpoint."""
    from nsmodels.systems.nav.train import train

    (data_key, data), trackers = next(iter(order.inputs.items())), order.trackers("navigator", "mlp", "cnn")
    return train(order.config, data, order.folder, order.key, data_key, trackers, is_forced=order.force)


def evaluate(order: step.Order[EvaluationConfig]) -> Manifest:
    """Score the checkpoint, with baselines, the search it learnt from, calibration and speed."""
    from nsmodels.systems.nav.evaluate import make_evaluation

    (model_key, model), (data_key, data) = order.inputs.items()
    where, config = (model, data, order.folder, order.key, model_key, data_key), order.config
    return make_evaluation(*where, config.split, config.device, order.force, config.max_steps)


def search(order: step.Order[GridSearchConfig]) -> Manifest:
    """Train the grid's trials, or those that are left."""
    from nsmodels.systems.nav.studies.experiments import grid_search

    (data_key, data), trackers = next(iter(order.inputs.items())), order.trackers("trials")
    return grid_search(order.config, data, order.folder, order.key, data_key, trackers, order.force)


def scale(order: step.Order[DataScalingConfig]) -> Manifest:
    """Train on more and more maps, or what is left of it."""
    from nsmodels.systems.nav.studies.experiments import data_scaling

    (data_key, data), trackers = next(iter(order.inputs.items())), order.trackers("trials")
    return data_scaling(order.config, data, order.folder, order.key, data_key, trackers, order.force)


TRAININGS = [
    Training(
        name="nav",
        system="nav",
        dataset="mazes",
        code_version=CODE_VERSION,
        model=MODEL,
        train=train,
        evaluation=EVALUATION,
        evaluate=evaluate,
        evaluation_version=EVALUATION_VERSION,
        about_model="The recursive navigator trained on `mazes`, and networks without recursion beside it.",
        about_evaluation="`nav_model` on held-out maps and larger ones: walks, cells, detours, thinking longer, speed, "
        "A* beside.",
        show=first_look,
    )
]
assets = [asset for each in TRAININGS for asset in each.assets()]


@dg.asset(
    **policy.study(), tags=TAGS, deps=["mazes"], code_version=GRID.version(CODE_VERSION), config_schema=GRID.schema
)
def nav_grid_search(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Width x depth x dropout of the navigator; hopeless trials are stopped, an interrupted search goes on."""
    return step.materialise(context, GRID, CODE_VERSION, ("mazes",), search)


@dg.asset(
    **policy.study(),
    tags=TAGS,
    deps=["mazes"],
    code_version=SCALING.version(CODE_VERSION),
    config_schema=SCALING.schema,
)
def nav_data_scaling(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The navigator by number of training maps, with and without augmentation, in equally many steps."""
    return step.materialise(context, SCALING, CODE_VERSION, ("mazes",), scale)


nav_training_curves = figure.asset(
    "nav_training_curves", "nav_model", FIGURES, CODE_VERSION, "Losses of the navigator, MLP and CNN by epoch."
)
nav_success = figure.asset(
    "nav_success", "nav_evaluation", FIGURES, CODE_VERSION, "Success by map size and by how long a detour is needed."
)
nav_policies = figure.asset(
    "nav_policies",
    "nav_model, mazes",
    FIGURES,
    CODE_VERSION,
    "What the network does on maps of each kind, and how it gets there.",
)
