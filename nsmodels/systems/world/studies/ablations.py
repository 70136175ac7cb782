"""The ablations: the world model with fewer modalities, and without one term of its losses after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.core.orders import DATA, Order
from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import MODALITIES
from nsmodels.studies.comparison import Counts, Size
from nsmodels.studies.study import run_study
from nsmodels.studies.trials import Arm
from nsmodels.systems.world import SYSTEM
from nsmodels.systems.world.config import PHASES, DynamicsObjectiveConfig, FusionObjectiveConfig
from nsmodels.systems.world.model import WorldModel
from nsmodels.systems.world.studies.config import STEPS, TERMS, AblationConfig, SensesConfig
from nsmodels.systems.world.studies.scoring import score


def ablate(order: Order[AblationConfig]) -> Manifest:
    """Train and score every variant over all seeds on the clips of an order, and seal the table.

    A stopped study resumes. Raises `InputError` for data that lack what the metrics need, and as `run_study`.
    """
    artifact.require_inputs(order.inputs)
    # The kind is that of studies of modalities alone, which such a study replaces.
    return run_study(order, arms_for, SYSTEM.package, "modalities")


def arms_for(order: Order[AblationConfig]) -> list[Arm]:
    """The one part of the study, see `arm_of`."""
    (key,) = order.inputs.datasets
    return [arm_of(order.config, key, order.data)]


def arm_of(config: AblationConfig, key: str, data: Path) -> Arm:
    """The one part of the study. Raises `InputError` for clips without states, properties, concepts or twins."""
    _require(data, config.evaluation.split)
    num = len(files.read(data, "train"))

    def count(own: AblationConfig, _: SensesConfig) -> Counts:
        terms = sum(len(terms_of(phase, getattr(own, phase))) for phase in PHASES)
        return {TERMS: terms, STEPS: sum(num_steps(getattr(own, phase), num) for phase in ("vision", "audio"))}

    return Arm(
        name=data.name if key == DATA else key,
        system=SYSTEM,
        config=config,
        evaluation=SensesConfig.model_validate(config.evaluation.model_dump()),
        data={key: data},
        variants=config.variants,
        score=score,
        measure=measure_size,
        count=count,
        stages=PHASES,
    )


def _require(data: Path, split: str) -> None:
    there = files.splits(data)
    if split != "test" or not {"test", "novel", "train"} <= set(there):
        found = ", ".join(there) or "none"
        raise InputError(f"{data}: the study scores split test, and novel beside it; it has {found}")
    clips = files.read(data, "test")
    missing = [name for name in ("properties", "states", "actions") if getattr(clips, name) is None]
    missing += [] if files.read_twins(data, "test") is not None else ["twins"]
    if missing:
        raise InputError(f"{data}: the clips have no {', '.join(missing)} to score; give simulated ones")


# --- what a variant lacks --------------------------------------------------------------------------------------------


def measure_size(folder: Path, config: SensesConfig) -> Size:
    """Parameters that act on what is observed: encoders and tokens of hidden modalities do not."""
    network = WorldModel.load(folder, "cpu").network
    idle = [getattr(network.fusion.tokens, name) for name in MODALITIES if name not in config.modalities]
    idle += [getattr(network, name) for name in ("vision", "audio") if name not in config.modalities]
    count = [sum(p.numel() for p in module.parameters()) for module in (network, *idle)]
    return Size(count[0] - sum(count[1:]), None)


def num_steps(stage: Any, num_clips: int) -> int:
    """Steps in which an encoder is trained by contrast."""
    whole = stage.training.epochs * -(-num_clips // stage.training.batch_size)
    return min(whole, stage.training.max_steps or whole)


def terms_of(phase: str, stage: Any) -> list[str]:
    """Terms of the loss of a stage that reach what it trains."""
    objective = stage.objective
    if phase in ("vision", "audio"):
        weights = {"contrastive": 1.0, "variance": objective.variance_weight}
        return _acting(weights | ({"mel_error": objective.mel_weight} if phase == "audio" else {}))
    if phase == "fusion":
        return _acting(_of_fusion(objective))
    if phase == "dynamics":
        return _acting(_of_rollouts(objective, 1.0) | _of_fusion(stage.fusion, objective.fusion_weight))
    heads = {name: getattr(objective, f"{name}_weight") for name in HEADS}
    rollouts = _of_rollouts(stage.dynamics, objective.dynamics_weight)
    return _acting(heads | rollouts | _of_fusion(stage.fusion, objective.fusion_weight))


HEADS = ("property", "affordance", "concept", "outcome", "causal")


def _of_fusion(objective: FusionObjectiveConfig, weight: float = 1.0) -> dict[str, float]:
    names = ("prediction", "consistency", "regularisation", "alignment")
    return {name: weight * getattr(objective, f"{name}_weight") for name in names}


def _of_rollouts(objective: DynamicsObjectiveConfig, weight: float) -> dict[str, float]:
    return {"mse": weight, "nll": weight * objective.nll_weight, "state_mse": weight * objective.state_weight}


def _acting(weights: dict[str, float]) -> list[str]:
    return [name for name, weight in weights.items() if weight]
