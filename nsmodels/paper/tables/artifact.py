"""The artifact `paper_tables`: every table as LaTeX and CSV, and a document that sets them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest, Part, read_manifest
from nsmodels.paper.contents import TABLES
from nsmodels.paper.inputs import MAKER, Inputs, read_inputs, recipe
from nsmodels.paper.recipes import labels
from nsmodels.paper.tables import rows
from nsmodels.paper.tables.latex import Table, document
from nsmodels.paper.versions import TABLES_VERSION

DOCUMENT = "tables.tex"


def make_tables(root: Path, folder: Path, is_forced: bool = False, is_strict: bool = False) -> Manifest:
    """Seal the tables of all that lies sealed under a data root; an equal artifact is kept.

    Raises `InputError` as `read_inputs` does.
    """
    inputs = read_inputs(root, is_strict)

    def fill(part: Part) -> None:
        made = list(every_table(inputs))
        for table in made:
            disk.write_atomic(part.path / f"{table.name}.tex", table.latex())
            disk.write_atomic(part.path / f"{table.name}.csv", table.csv())
        disk.write_atomic(part.path / DOCUMENT, document(made))
        part.metrics |= {"num_tables": len(made), "num_left_out": len(inputs.left_out)}
        part.metrics |= {f"{each.training}/{each.first.metric}": each.mean for each in inputs.results}

    about: Any = {"key": TABLES, "maker": MAKER, "kind": TABLES, "code_version": TABLES_VERSION, "is_resumable": False}
    return artifact.made(folder, is_forced, fill, config=recipe(inputs), inputs=dict(inputs.folders), **about)


def every_table(inputs: Inputs) -> Iterator[Table]:
    """All tables, in their order in the paper."""
    yield from rows.main_results(inputs.results)
    yield from rows.baselines(inputs.results)
    for key, (parts, sources) in inputs.studies.items():
        yield rows.ablations(key, parts, sources, labels([read_manifest(inputs.root / key)]))
    yield from rows.searches(inputs.searches)
    yield rows.costs(inputs.results, inputs.root)
