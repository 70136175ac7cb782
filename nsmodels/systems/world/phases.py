"""The phases of the world model: the trial of each on the shared loop, and the network in a checkpoint file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.engine import checkpoint
from nsmodels.engine.task import Task
from nsmodels.engine.trial import Trial
from nsmodels.systems.world.config import PHASES, frozen
from nsmodels.systems.world.network.world import WorldNetwork


def make_trial(phase: str, config: Any, inputs: Inputs) -> Trial:
    """The training of a phase on clips, from the weights of its parent. Raises InputError for bad data."""
    start = parent_weights(phase, inputs)
    settings = (settings_of(start) if start else {}) | {phase: config.model.model_dump(mode="json")}
    return Trial(_task(phase, config, settings, inputs.data, start), config.training, start, frozen(config))


def _task(phase: str, config: Any, settings: Mapping[str, Any], data: Path, start: Path | None) -> Task:
    if phase == "vision":
        from nsmodels.systems.world.training.vision import VisionTask

        return VisionTask(config, settings, data)
    if phase == "audio":
        from nsmodels.systems.world.training.audio import AudioTask

        return AudioTask(config, settings, data)
    from nsmodels.systems.world.training.world import TASKS

    assert start is not None
    return TASKS[phase](config, settings, data, start)


def parent_weights(phase: str, inputs: Inputs) -> Path | None:
    """The checkpoint file that a phase starts from; the first one starts from none."""
    number = PHASES.index(phase)
    return inputs.parent / PHASES[number - 1] / checkpoint.BEST if number else None


def settings_of(path: Path) -> dict[str, Any]:
    """The settings of the network in a checkpoint file, by phase. Raises InputError for a broken file."""
    return checkpoint.settings_of(checkpoint.load(path), "network", str(path))


def load_network(path: Path, device: str = "auto") -> WorldNetwork:
    """The network in one checkpoint file, in evaluation mode. Raises InputError for a broken file."""
    network = checkpoint.restore(path, "network", WorldNetwork, device)
    assert isinstance(network, WorldNetwork)
    return network


def require_compiler(config: Any) -> None:
    """Raise InputError where `compute.use_compile` is asked for and this machine cannot compile."""
    if not config.compute.use_compile or config.training.device.startswith("cuda"):
        return
    from torch._inductor import cpp_builder, exc

    try:
        cpp_builder.get_cpp_compiler()
    except exc.InvalidCxxCompiler:
        raise InputError("compute.use_compile: torch.compile finds no C++ compiler; set it to false") from None
