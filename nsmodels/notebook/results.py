"""Evaluation of a trained model, comparison with all others, and files to take along."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels import loading
from nsmodels.core import artifact
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.notebook import live
from nsmodels.notebook.choice import Choice

if TYPE_CHECKING:
    import pandas as pd

Report = dict[str, Any]
COMPARED = (
    *("name", "system", "dataset", "source", "split", "metric", "score", "low", "high", "n", "seed", "differences"),
    *("num_parameters", "train_cpu_seconds", "created"),
)


def evaluate(choice: Choice, is_forced: bool = False, has_figures: bool = True) -> Report:
    """Score the model on held-out data, print the table, show the figures; returns the whole report.

    Raises `InputError` when the model is none of this choice: nobody trained it since its configuration was changed.
    """
    trained = artifact.read_manifest(choice.model, choice.model_key)
    if fingerprint(trained.config) != fingerprint(choice.config.relevant()):
        raise InputError(f"{choice.model}: trained with another configuration than the chosen one; train first")
    inputs = Inputs.of({choice.data_key: choice.data}, model=(choice.model_key, choice.model))
    how = next(iter(choice.trained.evaluation_presets.values()))()
    choice.trained.evaluate(Order(choice.evaluation_key, how, inputs, choice.evaluation, is_forced))
    print((choice.evaluation / "table.txt").read_text())
    for path in sorted((choice.evaluation / "figures").glob("*.png")) if has_figures else []:
        live.show_png(path.read_bytes())
    return loading.report(choice.evaluation)


def classes(report: Report) -> pd.DataFrame:
    """The scores by class of a report: every section `by_...` of it and of its headline row, a row per class."""
    import pandas as pd

    headline = report["rows"][report["headline"]]
    rows = [row for part in (report, headline) for row in _by_class(part)]
    return pd.DataFrame(rows)


def _by_class(part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for section, found in part.items():
        if section.startswith("by_") and isinstance(found, Mapping):
            for name, row in found.items():
                yield {"section": section, "class": name} | {k: v for k, v in row.items() if not isinstance(v, dict)}


def calibration(report: Report) -> pd.DataFrame:
    """How sure and how right the model was, by bins of confidence, for all in a report that has such; drawn too."""
    import pandas as pd

    from nsmodels.evaluation import plots

    found = dict(_bins(report, ""))
    if not found:
        return pd.DataFrame()
    figure, axes = plots.make_figure(len(found), width=3.4, height=3.0)
    for axis, (name, rows) in zip(axes, found.items(), strict=True):
        bins = pd.DataFrame(rows)
        axis.bar(bins["low"], bins["accuracy"], bins["high"] - bins["low"], align="edge", edgecolor="white")
        axis.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--")
        axis.set(xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1), title=name)
    live.show(figure)
    return pd.DataFrame([{"of": name, **row} for name, rows in found.items() for row in rows])


def _bins(part: Mapping[str, Any], name: str) -> Iterator[tuple[str, list[dict[str, float]]]]:
    """Every section of a report that holds bins of confidence, with its name."""
    for key, value in part.items():
        if key == "bins" and isinstance(value, list) and value and {"low", "high", "accuracy"} <= value[0].keys():
            yield name, value
        elif isinstance(value, Mapping):
            yield from _bins(value, key)


def compare(data: str = "") -> pd.DataFrame:
    """Every evaluation in the ledger, best first within each contest, over systems, data and seeds; drawn too.

    `data` keeps those on data whose key contains it. `nsmodels leaderboard` tells more, and compares two item by item.
    """
    from nsmodels.evaluation import leaderboard, ledger

    ledger.scan()
    found = [entry for entry in ledger.entries() if data in entry.dataset]
    if not found:
        raise InputError(f"the ledger holds no evaluation{f' on data like {data}' if data else ''}; evaluate first")
    live.show(leaderboard.draw(found))
    return leaderboard.frame(found).reindex(columns=list(COMPARED))


def export(choice: Choice, folder: str | Path = "exports", has_onnx: bool = False) -> list[Path]:
    """Copy model and evaluation, checked against their manifests, as zip files; `has_onnx` adds the graph.

    Raises `InputError` when a file differs from its checksum, and for ONNX where the system has no such export.
    """
    target = Path(folder).resolve()
    target.mkdir(parents=True, exist_ok=True)
    made = []
    for place in (choice.model, choice.evaluation):
        artifact.verify(place)
        made.append(Path(shutil.make_archive(str(target / f"{choice.name}-{place.name}"), "zip", place)))
    if has_onnx:
        graph = target / f"{choice.name}.onnx"
        made.append(choice.trained.export(loading.load(choice.model, device="cpu"), graph))
    for path in made:
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    return made
