"""From the name of an asset to the trained model or the report in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact, discover
from nsmodels.core.artifact import MANIFEST, Manifest
from nsmodels.core.errors import InputError
from nsmodels.core.sealed import renamed

if TYPE_CHECKING:
    from nsmodels.engine.system import System

MODEL = "model"  # a partition may hold a model and its evaluation side by side
EVALUATION = "evaluation"
REPORT = "report.json"
BEST = "best.pt"
SYSTEMS = "nsmodels.systems."


def load(name: str | Path, partition: str | None = None, device: str = "auto") -> Any:
    """The trained model called `name`; see `nsmodels.load`."""
    place = place_of(name, partition, MODEL)
    if place.is_file():
        return _load_network(place, device)
    manifest = artifact.require_intact(place)
    system = _system_of(manifest.maker, place)
    if not any(place.glob(f"*/{BEST}")):
        raise InputError(f"{place}: holds no trained model{_hint(place, manifest)}")
    return system.load(place, device)


def load_checkpoint(path: Path, device: str = "auto") -> Any:
    """What a system makes of one checkpoint file, that of an unfinished training included."""
    return _system_in(path).load_checkpoint(path, device)


def report(name: str | Path, partition: str | None = None) -> dict[str, Any]:
    """The report of the evaluation called `name`; see `nsmodels.report`."""
    place = place_of(name, partition, EVALUATION)
    manifest = artifact.require_intact(place)
    try:
        return json.loads((place / REPORT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{place}: holds no evaluation{_hint(place, manifest)}") from None


def _load_network(path: Path, device: str) -> Any:
    """One network of a model from any of its checkpoint files, those of an unfinished training included."""
    return _system_in(path).load_network(path, device)


def _system_in(path: Path) -> System[Any, Any]:
    """The system that a checkpoint file belongs to."""
    folder, phase = path.parent.parent, path.parent.name
    maker = artifact.maker_of(folder)
    names = discover.systems() if not maker else []
    systems = [_system_of(maker, folder)] if maker else [system for name in names if (system := _readable(name))]
    fitting = [system for system in systems if phase in system.phases and path.suffix == ".pt"]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(system.name for system in fitting)
        raise InputError(f"{path}: several systems have a network '{phase}' ({names}); load it from a sealed model")
    known = ", ".join(phase for system in systems for phase in system.phases)
    raise InputError(f"{path}: not a checkpoint; those are .pt files in folders named after networks ({known})")


def place_of(name: str | Path, partition: str | None, part: str) -> Path:
    """The folder or file meant: below the data root, else as a path; a partition's own `part` where it has several."""
    place = renamed.place_of(str(name), artifact.data_root())
    if partition is not None:
        place = place / partition
    elif not place.exists() and Path(name).exists():
        place = Path(name).resolve()
    is_whole = place.is_file() or (place / MANIFEST).exists()
    if not is_whole and (place / part).is_dir():
        return place / part
    if not is_whole and (place / BEST).is_file():
        return place / BEST
    if not is_whole and place.is_dir():
        _require_artifact(place)
    return place


def _require_artifact(place: Path) -> None:
    """Say which folder to name where `place` is one around artifacts, or inside of one."""
    artifact.recover(place)
    if (place.parent / MANIFEST).exists():
        raise InputError(f"{place}: is a part of {place.parent}; give that folder, or a .pt file in this one")
    inner = sorted({path.parent.relative_to(place) for end in ("*", "*/*") for path in place.glob(f"{end}/{MANIFEST}")})
    if inner:
        names = ", ".join(dict.fromkeys(path.parts[0] for path in inner))
        raise InputError(f"{place}: is no artifact but holds some ({names}); name one, as {place.name}/{inner[0]}")


def _readable(name: str) -> System[Any, Any] | None:
    """A system, or None where its package is broken: it must not prevent others from loading."""
    try:
        return discover.system(name)
    except (ImportError, SyntaxError, AttributeError):
        return None


def _system_of(maker: str, place: Path) -> System[Any, Any]:
    if not maker.startswith(SYSTEMS):
        raise InputError(f"{place}: holds no trained model; it was made by {maker}")
    return discover.system(maker.removeprefix(SYSTEMS))


def _hint(place: Path, manifest: Manifest) -> str:
    if (place / REPORT).exists():
        return f"; it is an evaluation: nsmodels.report({manifest.key!r})"
    if any(place.glob(f"*/{BEST}")):
        return f"; it is a model: nsmodels.load({manifest.key!r})"
    return f"; it was made by {manifest.maker}"
