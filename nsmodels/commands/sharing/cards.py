"""Cards that stand beside the copy of an artifact: README.md, Croissant metadata of data, plain weights of models.

All of it is read from the manifest and the sealed files; nothing is typed in.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from nsmodels.commands.sharing import croissant, weights
from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest
from nsmodels.core.config import as_yaml
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable, readable_seconds
from nsmodels.core.sealed import licences

CARD = "README.md"
DATASETS = "nsmodels.datasets."
SPDX = {licences.GENERATED: "cc0-1.0", licences.CC_BY: "cc-by-4.0"}
SHOWN = 60  # figures of a manifest on a card


def write_cards(folder: Path, manifest: Manifest, into: Path) -> dict[str, Path]:
    """Write what describes the artifact in `folder` below `into`; the files by the name that they have in the copy."""
    is_dataset = manifest.maker.startswith(DATASETS)
    found = {} if is_dataset else weights.write(folder, into)
    if is_dataset:
        disk.write_json(into / croissant.NAME, croissant.metadata(folder, manifest))
        found[croissant.NAME] = into / croissant.NAME
    disk.write_atomic(into / CARD, card(folder, manifest, sorted(found)))
    return found | {CARD: into / CARD}


def card(folder: Path, manifest: Manifest, beside: list[str]) -> str:
    """The text of the card: front matter as the Hugging Face hub reads it, and what a reader asks first."""
    is_dataset = manifest.maker.startswith(DATASETS)
    parts = [
        f"---\n{_front_matter(manifest, is_dataset)}---",
        f"# {manifest.key}",
        f"{'Data' if is_dataset else 'Model'} made by `{manifest.maker}` from: {manifest.source or 'no data'}.",
        f"Licence of the data: {manifest.licence or 'not recorded'}.",
        _usage(manifest, is_dataset),
        *_scores(folder, manifest),
        _table("Figures of the manifest", _figures(manifest)),
        _table("Origin", _origin(manifest)),
        f"## Configuration\n\n```yaml\n{as_yaml(manifest.config).rstrip()}\n```",
        f"## Files\n\n{len(manifest.files):,} files, {readable(manifest.num_bytes)}, listed with their SHA-256 in "
        f"`manifest.json`. Not of the artifact: {', '.join(f'`{name}`' for name in [*beside, CARD])}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(manifest: Manifest, is_dataset: bool) -> str:
    name = SPDX.get(manifest.licence)
    about = {"license": name} if name else {"license": "other", "license_name": "see-below"}
    about |= {"tags": ["nsmodels", "neuro-symbolic", manifest.maker.rpartition(".")[2]], "pretty_name": manifest.key}
    if not is_dataset:
        del about["pretty_name"]
        about |= {"library_name": "nsmodels"}
    return yaml.safe_dump(about, sort_keys=False)


def _usage(manifest: Manifest, is_dataset: bool) -> str:
    use = "" if is_dataset else f'\n\n```python\nimport nsmodels\n\nmodel = nsmodels.load("{manifest.key}")\n```'
    return f"## Use\n\n```sh\nnsmodels pull ADDRESS_OF_THIS_COPY\n```{use}"


def _scores(folder: Path, manifest: Manifest) -> list[str]:
    """The table of the sealed evaluation beside a model, where it scored this very checkpoint."""
    place = folder.with_name(manifest.key.removesuffix("_model") + "_evaluation")
    try:
        scored = artifact.read_manifest(place)
        table = (place / "table.txt").read_text(encoding="utf-8")
    except (InputError, OSError):
        return []
    if manifest.fingerprint not in {record.fingerprint for record in scored.inputs.values()}:
        return []
    return [f"## Evaluation\n\n```\n{table.strip()}\n```\n\nCommit {scored.commit}, seed {scored.seed}."]


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
