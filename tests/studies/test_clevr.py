"""The variants of the visual reasoner on CLEVR: what each has less of, measured on networks, batches and questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from nsmodels.engine.task import Shard
from nsmodels.studies.trials import Arm
from nsmodels.studies.variant import FULL, PARAMETERS
from nsmodels.systems.visual.config import VisualConfig
from nsmodels.systems.visual.evaluation.studies.ablations import arm_of
from nsmodels.systems.visual.evaluation.studies.config import NUM_EPOCHS, PARAPHRASES, VARIANTS, VIEWS, debug
from nsmodels.systems.visual.phases import make_trial
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def arm(shared: Shared) -> Arm:
    config = debug().with_values({"variants": list(VARIANTS), "model.training.num_workers": 0})
    return arm_of(config, {"clevr_mini": shared.data("clevr")})


def measured(quantity: str, config: VisualConfig, data: Path) -> float:
    if quantity == PARAPHRASES:
        given = config.with_values({"parser.paraphrases": 0.0})
        longer, plain = (len(make_trial("parser", each, data).task.splits["train"]) for each in (config, given))
        return longer / plain - 1
    task = make_trial("perception", config, data).task
    if quantity == PARAMETERS:
        return sum(p.numel() for p in task.build().parameters())
    assert quantity == VIEWS
    found = set()
    for epoch in range(NUM_EPOCHS):
        batch = next(iter(task.batches("train", epoch, Shard())))
        found.add(batch.augmentation if batch.augmentation is None else batch.augmentation[0].numpy().tobytes())
    return len(found)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_has_less_of_what_it_removes(name: str, arm: Arm) -> None:
    quantity, (data,) = arm.variants[name].removes, arm.data.values()
    found = {each: measured(quantity, arm.config_of(each, 0), data) for each in (FULL, name)}
    assert found[FULL] > found[name]
    if quantity != PARAMETERS:
        assert found == pytest.approx({each: arm.counts()[each][quantity] for each in found}, rel=0.01)
