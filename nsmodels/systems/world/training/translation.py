"""The configuration file of the source document, translated to the fields of one stage.

That file has one set of values for all phases. Each value becomes a field of the stage, or is printed with the reason
why it does not act there; a name that is neither its own nor ours is an error. Torch-free until a parent is read.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.core.config import Config, flat, read_yaml
from nsmodels.core.errors import InputError, near
from nsmodels.core.orders import PARENT, Inputs
from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import ACTION, MODALITIES
from nsmodels.systems.world.config import PHASES

WARMUP = 0.1  # largest share of a training, where the file asks for more steps than there are


def _for_all(field: str) -> dict[str, str]:
    return dict.fromkeys(PHASES, field)


# By name in the source document: the field here of each phase in which it acts.
FIELDS: dict[str, dict[str, str]] = {
    "model.latent_dim": {"vision": "model.latent_dim"},
    "model.state_dim": {"fusion": "model.state_dim"},
    "model.vision.input_height": {"vision": "model.image_size"},
    "model.vision.input_width": {"vision": "model.image_size"},
    "model.vision.base_channels": {"vision": "model.base_channels"},
    "model.audio.sample_rate": {"audio": "model.sample_rate"},
    "model.audio.n_mels": {"audio": "model.n_mels"},
    "model.fusion.num_heads": {"fusion": "model.num_heads"},
    "model.fusion.num_layers": {"fusion": "model.num_layers"},
    "model.temporal.num_heads": {"fusion": "model.temporal_heads"},
    "model.temporal.num_layers": {"fusion": "model.temporal_layers"},
    "model.temporal.max_seq_len": {"fusion": "model.max_seq_len"},
    "training.batch_size": _for_all("training.batch_size"),
    "training.learning_rate": _for_all("training.lr"),
    "training.weight_decay": _for_all("training.weight_decay"),
    "training.warmup_steps": _for_all("training.warmup_epochs"),
    "training.max_steps": _for_all("training.max_steps"),
    **{f"training.{phase}_epochs": {phase: "training.epochs"} for phase in PHASES if phase != "full"},
    "data.num_workers": _for_all("training.num_workers"),
    "logging.use_wandb": _for_all("training.use_wandb"),
    "logging.project": _for_all("training.wandb_project"),
    "logging.save_interval": _for_all("training.save_interval"),
    # Its recommended starting points stand outside of any section.
    "learning_rate": _for_all("training.lr"),
    "batch_size": _for_all("training.batch_size"),
    "temperature": dict.fromkeys(("vision", "audio", "fusion"), "objective.temperature"),
    "latent_dim": {"vision": "model.latent_dim"},
}
# What has no field here in any phase.
REASONS = {
    "model.action_dim": f"the clips decide it, an action has {len(ACTION)} numbers",
    "data.vision_dataset": "the data are given with --data; nsmodels impacts generate --source hub makes them from it",
    "data.audio_dataset": "the data are given with --data; nsmodels impacts generate --source hub makes them from it",
    "data.prefetch_factor": "training.prefetch_factor sets what each worker keeps ready",
    "logging.log_interval": "metrics are logged once an epoch",
}
KNOWN = (*FIELDS, *REASONS)
STEPS = {"training.warmup_steps", "logging.save_interval"}  # given in steps, ours are in epochs


def read(path: Path, stage: str, preset: Config, inputs: Inputs) -> Mapping[str, Any]:
    """The values in a configuration file for a stage: with our names as they are, with those of the source translated.

    Prints a line on stderr for each value that does not act in this stage. Raises InputError for an unreadable file,
    an unknown name, and a value that the data or the parent contradict.
    """
    values, own = read_yaml(path), flat(preset.model_dump())
    given = flat(values)
    if not any(name in KNOWN and name not in own for name in given):
        return values
    fields, notes = translated(given, stage, own, inputs, str(path))
    for note in notes:
        print(f"{path}: {note}", file=sys.stderr)
    return fields


def translated(
    given: Mapping[str, Any], stage: str, preset: Mapping[str, Any], inputs: Inputs, where: str
) -> tuple[dict[str, Any], list[str]]:
    """The fields of `stage` by dotted name, and a line for each value that does not act there.

    Args:
        given: values by dotted name of the source document.
        stage: name of the stage.
        preset: fields of the stage by dotted name, for what the file does not have.
        inputs: data and parent.
        where: the file, for messages.
    """
    for name in given:
        if name not in KNOWN:
            raise InputError(f"{where}: unknown field '{name}' of the source document's file{near(name, KNOWN)}")
    _require_facts(given, where)
    _require_parent(given, inputs, where)
    acting = {name: FIELDS[name][stage] for name in given if stage in FIELDS.get(name, {})}
    if not given.get("logging.use_wandb", preset["training.use_wandb"]):
        acting.pop("logging.project", None)
    fields = _fields(given, acting, where)
    notes = [f"{name}={given[name]}: no effect here: {_reason(name)}" for name in given if name not in acting]
    if STEPS & acting.keys():
        epochs, more = _in_epochs(given, {**preset, **fields}, stage, inputs.data, where)
        fields, notes = fields | epochs, notes + more
    return fields, notes


def _fields(given: Mapping[str, Any], acting: Mapping[str, str], where: str) -> dict[str, Any]:
    """The values that need no conversion, by field. Raises InputError where two names give a field two values."""
    found: dict[str, Any] = {}
    for name, field in acting.items():
        if name in STEPS:
            continue
        if field in found and found[field] != given[name]:
            both = " and ".join(other for other, of in acting.items() if of == field)
            raise InputError(f"{where}: {both} are both {field} here and differ; give them one value")
        found[field] = given[name]
    return found


def _reason(name: str) -> str:
    if name in REASONS:
        return REASONS[name]
    if name == "logging.project":
        return "logging.use_wandb is false"
    return f"it acts in --phase {' and '.join(FIELDS[name])}"


def _require_facts(given: Mapping[str, Any], where: str) -> None:
    """Raise InputError for a width of the actions other than that of the clips."""
    if given.get("model.action_dim", len(ACTION)) != len(ACTION):
        raise InputError(f"{where}: model.action_dim: expected {len(ACTION)}, the numbers of an action in the clips")


def _require_parent(given: Mapping[str, Any], inputs: Inputs, where: str) -> None:
    """Raise InputError for a dimension that is a different one in the checkpoint of an earlier phase."""
    found = sorted(inputs.parent.glob("*/best.pt")) if inputs.has(PARENT) else []
    if not found:
        return
    from nsmodels.engine import checkpoint

    fixed = checkpoint.settings_of(checkpoint.load(found[0]), "network", str(found[0]))
    for name, value in given.items():
        for phase, field in FIELDS.get(name, {}).items():
            key = field.removeprefix("model.")
            if phase in fixed and fixed[phase].get(key, value) != value:
                raise InputError(
                    f"{where}: {name}: {value}, but {inputs.parent} has {fixed[phase][key]}; correct the file, or "
                    f"train from --phase {phase} on"
                )


def _in_epochs(
    given: Mapping[str, Any], fields: Mapping[str, Any], stage: str, data: Path, where: str
) -> tuple[dict[str, Any], list[str]]:
    """Numbers of steps as epochs of these data, and what had to be changed for it."""
    numbers = {name: given[name] for name in STEPS & given.keys()}
    for name, value in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise InputError(f"{where}: {name}: expected a number of steps, got {value}")
    steps = _steps_per_epoch(stage, fields, data)
    found, notes, epochs = {}, [], fields["training.epochs"]
    if (name := "training.warmup_steps") in numbers:
        wanted, most = numbers[name] / steps, WARMUP * epochs if isinstance(epochs, int) else math.inf
        found["training.warmup_epochs"] = round(min(wanted, most), 4)
        if wanted > most:
            notes.append(
                f"{name}={numbers[name]}: {wanted:.4g} epochs of these data; limited to {most:g}, a tenth of them all"
            )
    if (name := "logging.save_interval") in numbers:
        found["training.save_interval"] = math.ceil(numbers[name] / steps)
    return found, notes


def _steps_per_epoch(stage: str, fields: Mapping[str, Any], data: Path) -> int:
    """Optimizer steps in an epoch of the training clips that have the modality of the stage."""
    clips, size = files.read(data, "train"), fields["training.batch_size"]
    number = int(clips.has(stage).sum()) if stage in MODALITIES else len(clips)
    return max(1, math.ceil(number / size)) if isinstance(size, int) and size > 0 else max(1, number)
