"""Cards of models and data as the Hugging Face hub reads them; `nsmodels push` and the paper write the same text.

All of it is read from the manifest and the sealed files beside it; nothing is typed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest
from nsmodels.core.config import as_yaml
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable, readable_seconds
from nsmodels.core.sealed import licences
from nsmodels.evaluation.entry import Entry, entries_of
from nsmodels.evaluation.outcomes import OUTCOMES
from nsmodels.evaluation.sealing import TABLE
from nsmodels.evaluation.sources import SYNTHETIC, kind_of
from nsmodels.paper import recipes
from nsmodels.paper.cards import croissant

CARD, CONFIG = "README.md", "config.yaml"
BEST, PLAIN = "best.pt", "best.safetensors"
DATASETS = "nsmodels.datasets."
TRAINING = "training"
SPDX = {licences.GENERATED: "cc0-1.0", licences.CC_BY: "cc-by-4.0"}
SHOWN = 60  # figures of a manifest on a card


def is_dataset(manifest: Manifest) -> bool:
    """Whether an artifact is data."""
    return manifest.maker.startswith(DATASETS)


def is_model(manifest: Manifest) -> bool:
    """Whether an artifact is a trained checkpoint."""
    return manifest.kind.split(" ")[0] == TRAINING


def plain_weights(manifest: Manifest) -> dict[str, str]:
    """Names of the checkpoints that a copy also holds as plain weights, and of these."""
    names = [PurePosixPath(name) for name in sorted(manifest.files)]
    return {str(name): str(name.parent / PLAIN) for name in names if len(name.parts) == 2 and name.name == BEST}


def card(folder: Path, manifest: Manifest) -> str:
    """The text of the card: front matter as the hub reads it, and what a reader asks first."""
    beside = [croissant.NAME] if is_dataset(manifest) else list(plain_weights(manifest).values())
    scored = evaluation_of(folder, manifest)
    parts = [
        f"---\n{_front_matter(manifest, scored)}---",
        f"# {manifest.key}",
        f"{'Data' if is_dataset(manifest) else 'Model'} made by `{manifest.maker}` from: "
        f"{manifest.source or 'no data'}.{_warning(manifest)}",
        f"Licence of the data: {manifest.licence or 'not recorded'}.",
        _usage(manifest),
        *_scores(scored),
        _table("Figures of the manifest", _figures(manifest)),
        _table("Origin", _origin(manifest)),
        _again(manifest),
        f"## Configuration\n\n```yaml\n{as_yaml(recipes.settings(manifest)).rstrip()}\n```",
        f"## Files\n\n{len(manifest.files):,} files, {readable(manifest.num_bytes)}, listed with their SHA-256 in "
        f"`manifest.json`. Not of the artifact: {', '.join(f'`{name}`' for name in [*beside, CARD])}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _warning(manifest: Manifest) -> str:
    is_drawn = kind_of(manifest.source) == SYNTHETIC
    return " These data are synthetic: scores on them are no scores on released data." if is_drawn else ""


def _front_matter(manifest: Manifest, scored: Path | None) -> str:
    name = SPDX.get(manifest.licence)
    about: dict[str, Any] = {"license": name} if name else {"license": "other", "license_name": "see-below"}
    about["tags"] = ["nsmodels", "neuro-symbolic", manifest.maker.rpartition(".")[2]]
    about["tags"] += [SYNTHETIC] if kind_of(manifest.source) == SYNTHETIC else []
    if is_dataset(manifest):
        about["pretty_name"] = manifest.key
        about |= {"annotations_creators": ["machine-generated"]} if kind_of(manifest.source) == SYNTHETIC else {}
    else:
        about["library_name"] = "nsmodels"
        about |= {"model-index": [_index(manifest, scored)]} if scored else {}
    return yaml.safe_dump(about, sort_keys=False)


def _index(manifest: Manifest, evaluation: Path) -> dict[str, Any]:
    """The scores of a model as the hub lists them: by data set, all metrics."""
    entries = [entry for entry, _ in entries_of(evaluation, evaluation.parent, has_intervals=False)]
    first = entries[0]
    data = {"name": f"{first.dataset} ({first.source})", "type": first.dataset, "split": first.split}
    metrics = [_metric(entry) for entry in entries]
    task = {"type": "other", "name": manifest.maker.rpartition(".")[2]}
    return {"name": manifest.key, "results": [{"task": task, "dataset": data, "metrics": metrics}]}


def _metric(entry: Entry) -> dict[str, Any]:
    return {"type": entry.metric, "name": entry.measure.title, "value": round(entry.score, 6), "verified": False}


def _again(manifest: Manifest) -> str:
    """How it is made again. Whether it was made as an asset is not recorded: any folder may have the name of one."""
    name = manifest.key.partition("/")[0]
    return (
        f"## Making it again\n\nWhere the project has an asset `{name}`:\n\n```sh\n{recipes.command(manifest)}\n```"
        f"\n\n{recipes.preset_of(manifest).text()}. Under any name, with the configuration below in `{CONFIG}`:\n\n"
        f"```sh\n{recipes.command_with(manifest, CONFIG)}\n```"
    )


def _usage(manifest: Manifest) -> str:
    use = "" if is_dataset(manifest) else f"\n\n```python\nimport nsmodels\n\nmodel = {_load(manifest.key)}\n```"
    return f"## Use\n\n```sh\nnsmodels pull ADDRESS_OF_THIS_COPY\n```{use}"


def _load(key: str) -> str:
    """The call that loads a model; a replicate is loaded by its partition."""
    name, *partition = key.split("/")
    return f'nsmodels.load("{name}", "{partition[0]}")' if partition else f'nsmodels.load("{name}")'


def evaluation_of(folder: Path, manifest: Manifest) -> Path | None:
    """The sealed evaluation beside a model, where it scored this very checkpoint; None without one, and for data."""
    if is_dataset(manifest):
        return None
    name = manifest.key.rpartition("/")[2].removesuffix("model").removesuffix("_")
    place = folder.with_name(f"{name}_evaluation" if name else "evaluation")
    try:
        scored = artifact.read_manifest(place)
    except InputError:
        return None
    has_scored = manifest.fingerprint in {record.fingerprint for record in scored.inputs.values()}
    return place if has_scored and (place / OUTCOMES).is_file() else None


def _scores(evaluation: Path | None) -> Iterator[str]:
    if evaluation is not None:
        scored = artifact.read_manifest(evaluation)
        table = (evaluation / TABLE).read_text(encoding="utf-8").strip()
        yield f"## Evaluation\n\n```\n{table}\n```\n\nCommit {scored.commit}, seed {scored.seed}."


def _figures(manifest: Manifest) -> dict[str, str]:
    numbers = {name: value for name, value in manifest.metrics.items() if isinstance(value, int | float | str)}
    return {name: f"{v:,.4g}" if isinstance(v, float) else str(v) for name, v in list(numbers.items())[:SHOWN]}


def _origin(manifest: Manifest) -> dict[str, str]:
    about = {"commit": manifest.commit, "seed": str(manifest.seed), "fingerprint": manifest.fingerprint}
    about |= {"sealed": manifest.created, "machine": manifest.machine}
    about |= {"CPU time": readable_seconds(manifest.cpu_seconds), "wall time": readable_seconds(manifest.wall_seconds)}
    about |= {f"from {key}": f"{each.source}, {each.fingerprint}" for key, each in manifest.inputs.items()}
    return about | {name: version for name, version in manifest.versions.items() if name in ("torch", "python")}


def _table(title: str, rows: dict[str, str]) -> str:
    if not rows:
        return ""
    lines = [f"| {name} | {value.replace('|', '/')} |" for name, value in rows.items()]
    return "\n".join([f"## {title}", "", "| | |", "| --- | --- |", *lines])
