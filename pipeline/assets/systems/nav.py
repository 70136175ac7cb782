"""The tiny recursive navigator: a model, its evaluation, three studies and the figures."""

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.core.orders import DATA, Order
from nsmodels.engine import machine
from nsmodels.systems.nav import SYSTEM
from nsmodels.systems.nav.config import CODE_VERSION, EVALUATION_VERSION
from nsmodels.systems.nav.studies.config import SCALING_PRESETS, DataScalingConfig
from nsmodels.systems.nav.studies.grid import GRID_PRESETS
from nsmodels.systems.nav.studies.grid import TARGET as GRID_TARGET
from nsmodels.systems.nav.studies.variants import ABLATION_PRESETS
from pipeline.assets.systems.nav_checks import first_look
from pipeline.lib import figure, policy, step
from pipeline.lib.launchpad import Launchpad
from pipeline.lib.training import Training, study

SCALING = Launchpad(SCALING_PRESETS, default="base", automatic=machine.fitting_preset)
FIGURES = "nsmodels.systems.nav.figures"
TAGS = {"system": "nav", "dataset": "mazes"}


def scale(order: Order[DataScalingConfig]) -> Manifest:
    """Train on more and more maps, or what is left of it."""
    from nsmodels.systems.nav.studies.experiments import data_scaling

    return data_scaling(order)


TRAININGS = [
    Training(
        name="nav",
        system=SYSTEM,
        datasets=("mazes",),
        about_model="The recursive navigator trained on `mazes`, and networks without recursion beside it.",
        about_evaluation="`nav_model` on held-out maps and larger ones: walks, cells, detours, more recursion, speed, "
        "A* beside.",
        show=first_look,
    )
]
assets = [asset for each in TRAININGS for asset in each.assets()]
training_checks = [check for each in TRAININGS for check in each.checks()]


nav_grid_search = study(
    "nav_grid_search",
    {"mazes": DATA},
    "nsmodels.systems.nav.studies.grid:grid_search",
    GRID_PRESETS,
    GRID_TARGET.version,
    "Width x depth x dropout of the recursive network, every combination; hopeless trials are stopped, the best one is "
    "confirmed with fresh seeds. An interrupted search resumes.",
)


@dg.asset(
    **policy.study(),
    tags=TAGS,
    deps=["mazes"],
    code_version=SCALING.version(CODE_VERSION),
    config_schema=SCALING.schema,
)
def nav_data_scaling(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The navigator by number of training maps, with and without augmentation, in equally many steps."""
    return step.materialise(context, SCALING, CODE_VERSION, ["mazes"], scale, phases=("trials",))


nav_ablations = study(
    "nav_ablations",
    {"mazes": DATA},
    "nsmodels.systems.nav.studies.ablations:ablate",
    ABLATION_PRESETS,
    EVALUATION_VERSION,
    "The navigator without one part after the other (recursion, horizon, augmentation, terms of its loss), over "
    "several seeds, on test maps and on larger ones: gains paired by map and seed with their intervals, and whether "
    "each part helps. A finished trial is kept.",
)
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
