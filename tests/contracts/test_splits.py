"""A batch has one gradient, however it is split over processes and micro-batches; nothing in here names a system."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from nsmodels.core import discover
from nsmodels.core.config import Config
from nsmodels.core.orders import Inputs
from nsmodels.engine.batching import weight_of
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.system import Stage, System
from nsmodels.engine.task import Shard, Task
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")

SYSTEMS = [discover.system(name) for name in discover.systems()]
PHASES = [(system, stage, phase) for system in SYSTEMS for stage in system.stages for phase in stage.phases]
SPLITS = [(1, 3), (2, 1), (3, 2)]  # processes, micro-batches of each
BATCH = 7  # which none of them divides


def config_of(stage: Stage, settings: Mapping[str, Any]) -> Any:
    """The debug configuration with small batches in all its trainings."""
    config: Config = stage.presets["debug"]().with_values(settings)
    trainings = [name for name in type(config).model_fields if isinstance(getattr(config, name), TrainingConfig)]
    values = {"batch_size": BATCH, "num_workers": 0, "device": "cpu"}
    return config.with_values({f"{name}.{field}": value for name in trainings for field, value in values.items()})


def split(task: Task, name: str, world: int, parts: int, number: int) -> list[Any]:
    """The parts of one batch, of all processes."""
    shards = [list(task.batches(name, 0, Shard(rank, world, parts=parts))) for rank in range(world)]
    return [part for shard in shards for part in shard[number * parts : (number + 1) * parts] if part is not None]


def gradient(task: Task, model: torch.nn.Module, parts: list[Any]) -> tuple[float, torch.Tensor]:
    """Loss and gradient of the parts together, each weighted as the loop does."""
    model.zero_grad(set_to_none=True)
    weights = [weight_of(task, part) for part in parts]
    loss = 0.0
    for part, weight in zip(parts, weights, strict=True):
        share = weight / sum(weights) * task.loss(model, part)[0]
        share.backward()
        loss += share.item()
    return loss, torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def totals(batch: Any) -> dict[str, float]:
    """The sum of every tensor in a batch that holds no indices, by its place."""
    if isinstance(batch, torch.Tensor):
        return {} if batch.dtype == torch.int64 else {"": float(batch.double().nan_to_num().sum())}
    if dataclasses.is_dataclass(batch):
        batch = {each.name: getattr(batch, each.name) for each in dataclasses.fields(batch)}
    items = batch.items() if isinstance(batch, dict) else enumerate(batch) if isinstance(batch, tuple | list) else ()
    return {f"{name}.{place}": value for name, each in items for place, value in totals(each).items()}


def require_whole(whole: list[Any], parts: list[Any]) -> None:
    """Assert that parts contain the samples of batches, and what was drawn for them: all that a split must keep."""
    wanted, found = [totals(batch) for batch in whole], [totals(part) for part in parts]
    assert wanted[0]
    for name in wanted[0]:
        value, apart = (sum(each.get(name, 0.0) for each in some) for some in (wanted, found))
        assert apart == pytest.approx(value, rel=1e-4, abs=1e-3), name


def task_of(shared: Shared, system: System[Any, Any], stage: Stage, phase: str) -> Task:
    """On the first dataset on which the phase is trained, after the phases before it."""
    configs = {name: config_of(stage, system.settings.get(name, {})) for name in system.datasets}
    dataset = next(name for name, config in configs.items() if phase in system.enabled(stage, config))
    data = shared.data(dataset)
    inputs = Inputs.of(data)
    if stage.starts_from is not None:
        parent = shared.trained(system.name, dataset).folder_of(system.stage(stage.starts_from))
        inputs = Inputs.of(data, parent=("parent", parent))
    if phase not in system.enabled(stage, configs[system.datasets[0]]):
        inputs = replace(inputs, earlier=shared.trained(system.name, dataset).folder_of(stage))
    return system.make_trial(phase, configs[dataset], inputs).task


@pytest.mark.parametrize(("system", "stage", "phase"), PHASES, ids=[f"{s.name}-{phase}" for s, _, phase in PHASES])
def test_the_gradient_of_a_batch_does_not_depend_on_its_split(
    shared: Shared, system: System[Any, Any], stage: Stage, phase: str
) -> None:
    task = task_of(shared, system, stage, phase)
    torch.manual_seed(0)
    model = task.build().eval()  # batch normalisation and dropout act on each part by itself
    last = len(list(task.batches("train", 0, Shard()))) - 1
    for number in (0, last):
        loss, whole = gradient(task, model, split(task, "train", 1, 1, number))
        for world, parts in SPLITS:
            if task.compares_samples:
                require_whole(split(task, "train", 1, 1, number), split(task, "train", world, parts, number))
                continue
            apart, found = gradient(task, model, split(task, "train", world, parts, number))
            assert apart == pytest.approx(loss, rel=1e-5)
            assert (found - whole).norm() < 1e-4 * whole.norm()


@pytest.mark.parametrize(("system", "stage", "phase"), PHASES, ids=[f"{s.name}-{phase}" for s, _, phase in PHASES])
@torch.no_grad()
def test_validation_does_not_depend_on_the_number_of_processes(
    shared: Shared, system: System[Any, Any], stage: Stage, phase: str
) -> None:
    task = task_of(shared, system, stage, phase)
    torch.manual_seed(0)
    model = task.build().eval()

    def mean(world: int, parts: int) -> dict[str, float]:
        batches = [each for rank in range(world) for each in task.batches("val", 0, Shard(rank, world, parts=parts))]
        rows = [(weight_of(task, batch), task.loss(model, batch)) for batch in batches]
        total = sum(weight for weight, _ in rows)
        values = [(weight / total, {**terms, "loss": loss}) for weight, (loss, terms) in rows]
        return {name: sum(share * float(row[name]) for share, row in values) for name in values[0][1]}

    if task.compares_samples:
        shards = [list(task.batches("val", 0, Shard(rank, 3, parts=2))) for rank in range(3)]
        require_whole(list(task.batches("val", 0, Shard())), [part for shard in shards for part in shard])
    else:
        assert mean(3, 2) == pytest.approx(mean(1, 1), rel=1e-4, abs=1e-6)
