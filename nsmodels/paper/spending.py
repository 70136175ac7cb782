"""What artifacts cost by manifests and reports: processor and wall seconds, latency, energy where it was measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.core.artifact import MANIFEST, OF_ORIGIN, Manifest, read_manifest
from nsmodels.core.config import fingerprint
from nsmodels.core.sealed import inventory, unfinished
from nsmodels.core.sealed.inventory import Item
from nsmodels.evaluation import ledger
from nsmodels.evaluation.sealing import REPORT

JOULES, COUNTED = "_joules", "energy_of"
NO_NAMES = "which of the machine is not recorded"
MODEL = "model"
DEVICE = "/device"
BATCHED = "one of a batch, by its throughput"
SINGLE = "one at a time, median"


@dataclass(frozen=True)
class Spending:
    """What one artifact cost.

    Attributes:
        key: of the artifact.
        kind: as in its manifest.
        cpu_seconds: of all sittings of its trainings; of what has none that of the build.
        wall_seconds: likewise.
        joules: energy of its trainings, all devices together; None where a training of it was not measured.
        energy_of: what was counted, and what was not; several where trainings differ in it.
        devices: on which its networks were trained.
        latency: milliseconds of one answer; None where it was not measured.
        latency_of: how it was measured.
    """

    key: str
    kind: str
    cpu_seconds: float
    wall_seconds: float
    joules: float | None
    devices: tuple[str, ...]
    latency: float | None = None
    latency_of: str = ""
    energy_of: tuple[str, ...] = ()


def spent(manifest: Manifest) -> Spending:
    """What an artifact cost, baselines that were trained with it included."""
    phases = _phases(manifest)
    cpu = max(manifest.cpu_seconds, sum(_figures(manifest, phases, "cpu_seconds")))
    wall = max(manifest.wall_seconds, sum(_figures(manifest, phases, "seconds")))
    measured = [_joules(manifest, phase) for phase in phases]
    joules = [value for value in measured if value is not None]
    devices = dict.fromkeys(str(manifest.metrics[f"{phase}{DEVICE}"]) for phase in phases)
    total = sum(joules) if joules and len(joules) == len(measured) else None
    counted = dict.fromkeys(_counted(manifest, phase) for phase in phases) if total is not None else ()
    return Spending(manifest.key, manifest.kind, cpu, wall, total, tuple(devices), energy_of=tuple(counted))


def of_builds(manifests: Iterable[Manifest]) -> list[Spending]:
    """What artifacts cost; copies of one are counted once."""
    builds: dict[str, Manifest] = {}
    for manifest in sorted(manifests, key=lambda each: bool(each.copy_of)):
        of_build = (manifest.maker, manifest.kind, *(getattr(manifest, name) for name in OF_ORIGIN))
        builds.setdefault(fingerprint([manifest.seed, *of_build]), manifest)
    return [spent(manifest) for manifest in builds.values()]


def chain_of(place: Path) -> list[Manifest]:
    """Manifests of the models in a partition: the parents, and the model that starts from them."""
    parents = [read_manifest(path.parent) for path in sorted(place.glob(f"*_{MODEL}/{MANIFEST}"))]
    return [*parents, read_manifest(place / MODEL)]


def spending_of(root: Path, training: str, seed: str) -> Spending:
    """What the model of a replicate and its parents cost, baselines left out, and the latency in its evaluation.

    Energy is that of the whole trainings, baselines included.
    """
    place = root / f"{training}_replicates" / seed
    chain = chain_of(place)
    every = [spent(manifest) for manifest in chain]
    cpu, wall = (
        sum(float(manifest.metrics.get(f"train_{name}", getattr(manifest, name))) for manifest in chain)
        for name in ("cpu_seconds", "wall_seconds")
    )
    energy = [each.joules for each in every if each.joules is not None]
    joules = sum(energy) if len(energy) == len(every) else None
    report = json.loads((place / "evaluation" / REPORT).read_text(encoding="utf-8"))
    milliseconds, how = latency_of(report, read_manifest(place / "evaluation").metrics)
    counted = tuple(dict.fromkeys(name for each in every for name in each.energy_of)) if joules is not None else ()
    return Spending(every[-1].key, every[-1].kind, cpu, wall, joules, every[-1].devices, milliseconds, how, counted)


def latency_of(report: Mapping[str, Any], metrics: Mapping[str, Any]) -> tuple[float | None, str]:
    """Milliseconds of one answer and how they were measured, as an evaluation reports it; None where it does not."""
    single = (report.get("latency") or {}).get("milliseconds_median")
    if single is not None:
        return float(single), SINGLE
    first = next(iter((report.get("rows") or {}).values()), {})
    rate = metrics.get("graphs_per_second") or (first.get("maps_per_second") if isinstance(first, dict) else None)
    return (1e3 / float(rate), BATCHED) if rate else (None, "")


def replaced(root: Path) -> list[tuple[str, float]]:
    """Trainings and evaluations whose artifacts are gone: name in the ledger, and their processor seconds."""
    ledger.scan(root)
    there = {item.manifest.fingerprint for item in inventory.items(root) if item.manifest}
    gone = [entry for entry in ledger.entries(root) if entry.evaluation_fingerprint not in there and entry.is_headline]
    found = [(f"{entry.name}, evaluation {entry.id}", entry.evaluation_cpu_seconds) for entry in gone]
    models = {entry.model_fingerprint: entry for entry in gone if entry.model_fingerprint not in there}
    return found + [(f"{entry.name}, seed {entry.seed}", entry.train_cpu_seconds) for entry in models.values()]


def abandoned(root: Path, is_running: bool = False) -> Iterator[tuple[str, float]]:
    """Work that was begun and left: place below the data root, and its recorded processor seconds.

    With `is_running` instead what a process of this machine works at now, with the seconds of its earlier sittings.
    """
    for item in inventory.items(root):
        is_wanted = item.kind == "unfinished" and item.is_being_built == is_running
        if is_wanted and (note := unfinished.note_of(item.path)):
            yield str(item.path.relative_to(root)), note.cpu_seconds


def sealed(root: Path) -> list[Item]:
    """Every sealed artifact under a data root, sorted by name."""
    return [item for item in inventory.items(root) if item.kind == "sealed" and item.manifest]


def _phases(manifest: Manifest) -> list[str]:
    return [name.removesuffix(DEVICE) for name in manifest.metrics if name.endswith(DEVICE) and name.count("/") == 1]


def _figures(manifest: Manifest, phases: list[str], name: str) -> Iterator[float]:
    yield from (float(manifest.metrics.get(f"{phase}/{name}", 0.0)) for phase in phases)


def _joules(manifest: Manifest, phase: str) -> float | None:
    """Energy of a phase over all devices; None where it was not measured."""
    found = [
        float(value) for key, value in manifest.metrics.items() if key.startswith(f"{phase}/") and key.endswith(JOULES)
    ]
    return sum(found) if found else None


def _counted(manifest: Manifest, phase: str) -> str:
    """What is in the energy of a phase; earlier manifests name the devices alone."""
    if found := manifest.metrics.get(f"{phase}/{COUNTED}"):
        return str(found)
    keys = [key for key in manifest.metrics if key.startswith(f"{phase}/") and key.endswith(JOULES)]
    return f"{', '.join(key.removeprefix(f'{phase}/').removesuffix(JOULES) for key in keys)} ({NO_NAMES})"
