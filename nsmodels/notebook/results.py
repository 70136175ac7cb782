"""Evaluation of a trained model, comparison with all others, and export as files."""

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

    Raises `InputError` when the model is missing, or was trained with a different configuration than the choice's.
    """
    trained = artifact.read_manifest(choice.model, choice.model_key)
    if not choice.taken and fingerprint(trained.config) != fingerprint(choice.config.relevant()):
        raise InputError(f"{choice.model}: trained with a different configuration than the chosen one; train first")
    inputs = Inputs.of({choice.data_key: choice.data}, model=(choice.model_key, choice.model))
    how = next(iter(choice.trained.evaluation_presets.values()))()
    choice.trained.evaluate(Order(choice.evaluation_key, how, inputs, choice.evaluation, is_forced))
    live.show_text((choice.evaluation / "table.txt").read_text(encoding="utf-8"))
    for path in sorted((choice.evaluation / "figures").glob("*.png")) if has_figures else []:
        live.show_png(path.read_bytes())
    return loading.report(choice.evaluation)


def classes(report: Report) -> pd.DataFrame:
    """Scores by class: a row for each in the sections `classes` and `by_...` of a report and of its headline row."""
    import pandas as pd

    headline = report["rows"][report["headline"]]
    rows = [row for part in (report, headline) for row in _by_class(part)]
    return pd.DataFrame(rows)


def _by_class(part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for section, found in part.items():
        if (section.startswith("by_") or section == "classes") and isinstance(found, Mapping):
            for name, row in found.items():
                yield {"section": section, "class": name} | {k: v for k, v in row.items() if not isinstance(v, dict)}


def calibration(report: Report) -> pd.DataFrame:
    """Confidence, accuracy and number by bins of confidence, for every such section of a report; also drawn.

    Empty when the report has no bins.
    """
    import pandas as pd

    from nsmodels.evaluation import plots

    found = dict(_bins(report, ""))
    if not found:
        return pd.DataFrame()
    figure, axes = plots.make_figure(2 * len(found), width=3.4, height=3.0)
    for axis, beside, (name, rows) in zip(axes[::2], axes[1::2], found.items(), strict=True):
        bins = pd.DataFrame(rows)
        numbers = bins["n"] if "n" in bins else bins["low"] * 0
        beside.bar(bins["low"], numbers, bins["high"] - bins["low"], align="edge", edgecolor="white")
        beside.set(xlabel="confidence", ylabel="number", xlim=(0, 1), title=name)
        axis.bar(bins["low"], bins["accuracy"], bins["high"] - bins["low"], align="edge", edgecolor="white")
        axis.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--")
        axis.set(xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1), title=name)
    live.show(figure)
    return pd.DataFrame([{"of": name, **row} for name, rows in found.items() for row in rows])


def _bins(part: Mapping[str, Any], name: str) -> Iterator[tuple[str, list[dict[str, float]]]]:
    """Every section of a report with bins of confidence, with its name."""
    for key, value in part.items():
        if (
            key in ("bins", "reliability")
            and isinstance(value, list)
            and value
            and {"low", "high", "accuracy"} <= value[0].keys()
        ):
            yield name, value
        elif isinstance(value, Mapping):
            yield from _bins(value, key)


def compare(data: str = "", system: str = "") -> pd.DataFrame:
    """Every evaluation in the ledger over systems, data and seeds, best first among the comparable ones; also drawn.

    `data` selects evaluations on data whose key contains it, `system` those of one system: its domains side by side.
    `nsmodels leaderboard` gives more detail, and compares two evaluations item by item. Raises `InputError` when there
    is no evaluation.
    """
    from nsmodels.evaluation import leaderboard, ledger

    ledger.scan()
    found = [entry for entry in ledger.entries() if data in entry.dataset and system in ("", entry.system)]
    if not found:
        which = "".join([f" of {system}" if system else "", f" on data like {data}" if data else ""])
        raise InputError(f"the ledger has no evaluation{which}; evaluate first")
    live.show(leaderboard.draw(found))
    return leaderboard.frame(found).reindex(columns=list(COMPARED))


def export(choice: Choice, folder: str | Path = "exports") -> list[Path]:
    """Copy model and evaluation, verified against their manifests, as zip files; the graph for ONNX where there is one.

    Returns the paths of the files. Raises `InputError` where the model is missing, and when a file differs from its
    checksum.
    """
    target = Path(folder).resolve()
    artifact.read_manifest(choice.model, choice.model_key)
    target.mkdir(parents=True, exist_ok=True)
    found = {"model": choice.model, "evaluation": choice.evaluation}
    made = [_zipped(place, target / f"{choice.name}-{name}") for name, place in found.items() if place.exists()]
    try:
        made.append(choice.trained.export(loading.load(choice.model, device="cpu"), target / f"{choice.name}.onnx"))
    except InputError as error:
        print(f"without a graph for ONNX: {error}")
    for path in made:
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    return made


def _zipped(place: Path, path: Path) -> Path:
    """An artifact as a zip file; `path` is without suffix."""
    artifact.verify(place)
    return Path(shutil.make_archive(str(path), "zip", place))
