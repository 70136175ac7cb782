"""Navigation data: grid maps with start, goal and A* demonstrations, drawn here or read from files of your own."""

from pathlib import Path

from nsmodels.datasets.mazes.prepare import recipe_of
from pipeline.lib.dataset import Generated
from pipeline.lib.display import pictures, results

LEGEND = "Each row a kind of map. Green: start; red: goal; yellow: a shortest path; dark: walls."


def show(folder: Path) -> results.Metadata:
    """Maps of every kind with their shortest paths, and how long, crooked and dense they are."""
    from nsmodels.datasets.mazes.files.format import ABOUT, INDEX
    from nsmodels.datasets.mazes.look import contact_sheet, distributions

    found = distributions(folder)
    panels = {name.replace("_", " "): found.pop(name) for name in ("kinds", "path_length", "detour", "density")}
    return {
        "contact_sheet": pictures.markdown(contact_sheet(folder), "maps with shortest paths", LEGEND),
        "distributions": pictures.bars(panels),
        **results.columns(folder / INDEX, ABOUT),
        **found,
    }


MAZES = Generated(
    "mazes",
    """Obstacle fields, mazes, rooms, caves and corridors, each with a solvable problem and its A* path.

No map is in two splits. `source: local` in the launchpad reads maps of yours. A contact sheet and the columns of the
index are below.""",
    {
        "disjoint": "No map is in two splits, turned and mirrored ones included.",
        "solvable": "Every path leads over free cells from start to goal and costs as much as the index records.",
        "labels_agree": "On a sample, labels equal Dijkstra's and costs those of A*.",
        "detours": "Problems that need a detour are equally frequent in train, val and test.",
    },
    warnings=("detours",),
    show=show,
    wanted=recipe_of,
    kinds=("parquet", "numpy"),
)
mazes, mazes_checks = MAZES.asset(), MAZES.checks()
