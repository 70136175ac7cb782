"""Dagster's command line: selections of nothing, configurations of nobody, partitions that do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.bad_inputs.case import Case, Place

MAKE = ("dagster", "asset", "materialize", "--select")
SELECTIONS = {
    "a group that does not exist": ("group:nope", "nope"),
    "an asset that does not exist": ("clevr_mini_modell", "clevr_mini_modell"),
    "a pattern of nothing": ('key:"nope*"', "nope"),
    "nothing": ("", "select"),
    "a comma": (",", "select"),
    "one name of two": ("mazes,mazess", "mazess"),
    "a tag of nothing": ("tag:nope=1", "nope"),
    "no syntax": ("group:(", "group"),
    "an intersection of nothing": ("key:mazes and key:clevr", "mazes"),
}
CONFIGURATIONS = {
    "empty": "",
    "a list": "[]",
    "no json": "{ops",
    "null": "null",
    "a number": "5",
    "a misspelt asset": '{"ops": {"mazess": {"config": {"preset": "debug"}}}}',
    "another asset": '{"ops": {"clevr_mini": {"config": {"preset": "debug"}}}}',
    "a misspelt root": '{"opps": {"mazes": {"config": {"preset": "debug"}}}}',
    "a misspelt config": '{"ops": {"mazes": {"configg": {"preset": "debug"}}}}',
    "a misspelt field": '{"ops": {"mazes": {"config": {"preset": "debug", "seeed": 3}}}}',
    "a field twice": '{"ops": {"mazes": {"config": {"preset": "debug", "preset": "quick"}}}}',
    "no preset": '{"ops": {"mazes": {"config": {"preset": "nope"}}}}',
    "out of bounds": '{"ops": {"mazes": {"config": {"preset": "debug", "num_train": -5}}}}',
    "a word": '{"ops": {"mazes": {"config": {"preset": "debug", "num_train": "many"}}}}',
}
PARTITIONS = {
    "of none": (*MAKE, "mazes", "--partition", "3"),
    "unknown": (*MAKE, "nav_replicates", "--partition", "nope"),
    "a range of nothing": (*MAKE, "nav_replicates", "--partition-range", "5...2"),
    "no range": (*MAKE, "nav_replicates", "--partition-range", "all"),
    "needed": (*MAKE, "nav_replicates"),
}


def cases() -> Iterator[Case]:
    for name, (selection, mention) in SELECTIONS.items():
        yield Case(f"selection/{name}", (*MAKE, selection), project, (mention,))
        yield Case(
            f"selection/{name}, by module", (*MAKE, selection, "-m", "pipeline.definitions"), project, (mention,)
        )
    for name, text in CONFIGURATIONS.items():
        status = 1 if name == "out of bounds" else 2  # found by the first step of a run, before it makes anything
        yield Case(f"run configuration/{name}", (*MAKE, "mazes", "--config-json", text), project, status=status)
    for name, command in PARTITIONS.items():
        yield Case(f"partition/{name}", command, project)


def project(place: Place) -> None:
    """The files of the project that Dagster reads, in the current folder."""
    root = Path(__file__).parents[2]
    for name in ("pyproject.toml", "workspace.yaml", "dagster.yaml", "pipeline", "nsmodels"):
        (place.path / name).symlink_to(root / name)
