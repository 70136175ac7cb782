"""Navigation data: grid maps with start, goal and A* demonstrations, drawn here or read from files of your own."""

from pathlib import Path

import dagster as dg

from nsmodels.core.artifact import Manifest, folder_of
from nsmodels.core.orders import Inputs, Order
from nsmodels.datasets.mazes.config import CODE_VERSION, PRESETS, MazesConfig
from nsmodels.datasets.mazes.prepare import recipe_of
from pipeline.lib import checks, policy, step, store
from pipeline.lib.display import pictures, results
from pipeline.lib.launchpad import Launchpad

LAUNCHPAD = Launchpad(PRESETS, default="quick")
SMALL_TO_LARGE = list(PRESETS)


def build(order: Order[MazesConfig]) -> Manifest:
    """Draw or read the data of an order."""
    from nsmodels.datasets.mazes.prepare import prepare

    return prepare(order.config, order.key, order.folder, is_forced=order.force)


def show(folder: Path) -> results.Metadata:
    """Maps of every kind with their shortest paths, and how long, crooked and dense they are."""
    from nsmodels.datasets.mazes.files.format import ABOUT, INDEX
    from nsmodels.datasets.mazes.look import contact_sheet, distributions

    found = distributions(folder)
    panels = {name.replace("_", " "): found.pop(name) for name in ("kinds", "path_length", "detour", "density")}
    return {
        "contact_sheet": pictures.markdown(contact_sheet(folder), "maps with shortest paths"),
        "distributions": pictures.bars(panels),
        **results.columns(folder / INDEX, ABOUT),
        **found,
    }


def is_too_small(manifest: Manifest, preset: str) -> bool:
    """Whether the data are just those of a smaller preset; what somebody configured otherwise is kept."""
    smaller = SMALL_TO_LARGE[: SMALL_TO_LARGE.index(preset)] if preset in SMALL_TO_LARGE else []
    return any(manifest.config == recipe_of(PRESETS[name]()) for name in smaller)


@store.on_demand("mazes", is_too_small)
def make(preset: str | None) -> Manifest:
    """What a step that misses `mazes` makes: the data of its own preset."""
    config = PRESETS[preset if preset in PRESETS else LAUNCHPAD.default]()
    return build(Order("mazes", config, Inputs({}), folder_of("mazes")))


@dg.asset(
    **policy.generated(kinds={"parquet", "numpy"}),
    tags={"dataset": "mazes"},
    code_version=LAUNCHPAD.version(CODE_VERSION),
    config_schema=LAUNCHPAD.schema,
)
def mazes(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Obstacle fields, mazes, rooms and caves, each with a solvable problem and its A* path; no map in two splits.

    `source: local` in the launchpad reads maps of yours; a contact sheet and the columns of the index are below.
    """
    return step.materialise(context, LAUNCHPAD, CODE_VERSION, (), build, show, wanted=recipe_of)


CHECKS = {
    "disjoint": "No map stands in two splits, turned and mirrored ones included.",
    "solvable": "Every path leads over free cells from start to goal and costs what the index says.",
    "labels_agree": "On a sample, labels equal Dijkstra's and costs those of A*.",
    "detours": "Problems that need a detour are equally frequent in train, val and test.",
}
BLOCKING = {"disjoint", "solvable", "labels_agree"}  # without these a model trained on the data is meaningless


dataset_checks = [
    checks.check("mazes", name, text, checks.of_dataset("mazes", name), is_blocking=name in BLOCKING)
    for name, text in CHECKS.items()
]
