"""The first entry on the page of an asset: what it is, how good, beside what, how it was made, how it is used.

The web UI keeps the order of metadata, and shows markdown of less than 1,000 characters in place; anything longer only
on a click.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest, folder_of
from nsmodels.core.config import flat
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable_seconds
from nsmodels.evaluation.measure import Measure
from pipeline.lib.display import curves

KEY = "summary"
MOST = 999  # characters of markdown that the UI shows in place
MOST_BASELINES, MOST_NUMBERS, MOST_INPUTS = 3, 4, 3
FIRST_LOOK, BEST = "first_look/", "/value"
LOOK_METRIC, BEST_METRIC = "first_look_metric", "/metric"  # what those are: "success", "val/success"


def summary(manifest: Manifest, shown: Mapping[str, Any]) -> dg.MarkdownMetadataValue:
    """The answers for a sealed artifact; `shown` is the other metadata of its step."""
    lines = [f"- **{head}**: {text}" for head, text in _answers(manifest, shown) if text]
    while len("\n".join(lines)) > MOST:
        lines.remove(max(lines, key=len))
    return dg.MetadataValue.md("\n".join(lines))


def _answers(manifest: Manifest, shown: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    folder = folder_of(manifest.key)
    yield "What", _what(manifest)
    yield from _scores(folder) or _numbers(manifest, shown)
    yield "How it was made", _how(manifest, shown)
    yield "How to use it", _use(manifest, folder)


def _what(manifest: Manifest) -> str:
    keys = [f"`{key}`" for key in manifest.inputs]
    more = f" and {len(keys) - MOST_INPUTS} more" if len(keys) > MOST_INPUTS else ""
    made_from = f"from {', '.join(keys[:MOST_INPUTS])}{more}" if keys else ""
    return ", ".join(filter(None, [f"`{manifest.key}`", manifest.source, made_from]))


def _scores(folder: Path) -> list[tuple[str, str]]:
    """The headline of an evaluation with its interval, and what was scored beside it; empty for other artifacts."""
    from nsmodels.evaluation import entry

    try:
        found, _ = entry.entries_of(folder, artifact.data_root())[0]
    except (InputError, OSError, IndexError):
        return []
    measure, ends = found.measure, ""
    if found.low is not None and found.high is not None:
        ends = f" (95 % interval {measure.text(found.low)}–{measure.text(found.high)})"
    direction = ", lower is better" if measure.direction == "lower" else ""
    ordered = sorted(found.baselines.items(), key=lambda pair: -measure.sign * pair[1])[:MOST_BASELINES]
    beside = ", ".join(f"{name.replace('_', ' ')} {measure.with_unit(value)}" for name, value in ordered)
    if ordered:
        is_above = measure.sign * found.score > measure.sign * ordered[0][1]
        beside += f"; it is {'better' if is_above else '**not better**'} than the best of them"
    score = f"{found.metric.replace('_', ' ')} **{measure.with_unit(found.score)}**{ends}, n = {found.n:,}{direction}"
    return [("Is it good", score), ("Beside", beside)]


def _numbers(manifest: Manifest, shown: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The first look at a model, else the best validation values of its networks, else the first numbers."""
    looks = {name.removeprefix(FIRST_LOOK): shown[name] for name in shown if name.startswith(FIRST_LOOK)}
    if looks:
        metric = str(getattr(shown.get(LOOK_METRIC, ""), "value", shown.get(LOOK_METRIC, "")))
        first, *others = (f"{name.replace('_', ' ')} {_plain(value, metric)}" for name, value in looks.items())
        more = f" (a first look at few items; the score is in `{manifest.key.replace('_model', '_evaluation')}`)"
        head = f"{metric.replace('_', ' ')}: " if metric not in ("", next(iter(looks))) else ""
        return [("Is it good", f"{head}**{first}**{more}"), ("Beside", ", ".join(others[:MOST_BASELINES]))]
    plain = {n: v for n, v in flat(manifest.metrics, separator="/").items() if type(v) in (int, float)}
    best = {name.removesuffix(BEST): value for name, value in plain.items() if name.endswith(BEST)}
    if best:
        metrics = {name: str(manifest.metrics.get(f"{name}{BEST_METRIC}", "")).partition("/")[2] for name in best}
        names = {name: " ".join(f"{name} {metrics[name]}".replace("_", " ").split()) for name in best}
        found = [f"{names[name]} {_plain(value, metrics[name])}" for name, value in best.items()]
        return [("Best on validation data", ", ".join(found[:MOST_NUMBERS]))]
    found = [f"{name.replace('_', ' ')} {_plain(value)}" for name, value in plain.items()]
    return [("In numbers", ", ".join(found[:MOST_NUMBERS]))]


def _how(manifest: Manifest, shown: Mapping[str, Any]) -> str:
    preset, seed = shown.get("preset"), shown.get("seed", manifest.seed)
    seed = getattr(seed, "value", seed)
    parts = [f"preset {getattr(preset, 'value', preset)}" if preset else "", f"seed {seed}" if seed is not None else ""]
    parts += [
        f"{readable_seconds(manifest.wall_seconds)} on {manifest.created[:10]}",
        f"commit `{manifest.commit[:7]}`",
        f"copied from `{manifest.copy_of}`" if manifest.copy_of else "",
    ]
    return ", ".join(filter(None, parts))


def _use(manifest: Manifest, folder: Path) -> str:
    verb = "load" if manifest.kind.startswith("training") else "report" if (folder / "report.json").is_file() else ""
    name, _, part = manifest.key.partition("/")
    partition = f', "{part.partition("/")[0]}"' if part else ""
    call = f'`nsmodels.{verb}("{name}"{partition})`; ' if verb else ""
    pages = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.pdf"))[:2]]
    return f"{call}files in `{folder}`" + (f" ({', '.join(pages)})" if pages else "")


def _plain(value: Any, metric: str = "") -> str:
    """A number; in percent where its metric is known to be a share."""
    number = getattr(value, "value", value)
    if curves.is_share(metric):
        return Measure(metric).with_unit(number)
    return f"{number:,.4g}" if isinstance(number, float) else f"{number:,}" if isinstance(number, int) else str(number)
