"""A toy task for the loop's tests, also run as a program: python -m tests.engine.toy FOLDER [field=value ...]."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from nsmodels.core.errors import InputError
from nsmodels.engine.batching import Batches, epoch_batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.engine.trial import Trial

CONFIG = TrainingConfig(epochs=4, batch_size=16, lr=0.02, seed=1, device="cpu", checkpoint_minutes=5.0)


class Toy(Task):
    """Which quadrant of the plane a point lies in: four classes, an MLP with dropout, chance is ln 4 = 1.386."""

    def __init__(self, config: TrainingConfig = CONFIG, num_samples: int = 128, **options) -> None:
        self.config = config
        self.options = options  # dropout, is_shuffled, nap (seconds per batch), nan_step, nan_gradient_step, width
        drawn = torch.Generator().manual_seed(7)
        self.points = torch.randn(num_samples + 64, 2, generator=drawn)
        self.labels = (self.points[:, 0] > 0).long() * 2 + (self.points[:, 1] > 0).long()
        if options.get("is_shuffled"):
            self.labels = self.labels[torch.randperm(len(self.labels), generator=drawn)]
        self.num_samples = num_samples
        self.steps = 0

    def build(self) -> nn.Module:
        width = int(self.options.get("width", 16))
        return nn.Sequential(
            nn.Linear(2, width), nn.ReLU(), nn.Dropout(float(self.options.get("dropout", 0.1))), nn.Linear(width, 4)
        )

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        train = split == "train"
        count = self.num_samples if train else 64
        offset = 0 if train else self.num_samples
        index = epoch_batches(count, self.config.batch_size, self.config.seed, epoch, shard, shuffle=train)
        return Batches(index, lambda i: self._collate(i + offset), int(self.options.get("workers", 0)))

    def _collate(self, index):
        time.sleep(float(self.options.get("nap", 0.0)))
        return {"x": self.points[index], "y": self.labels[index]}

    def loss(self, model, batch):
        loss = functional.cross_entropy(model(batch["x"]), batch["y"])
        if self.steps + 1 == self.options.get("nan_gradient_step"):
            loss = loss + (0 * next(model.parameters()).sum()).sqrt()  # 0, with a gradient of 0 times infinity
        term = loss / (0.0 if self.steps + 1 == self.options.get("nan_step") else 1.0)
        return loss, {"entropy": term}

    def after_step(self, model, step):
        self.steps = step

    def validate(self, model, epoch):
        hits = model(self.points[self.num_samples :]).argmax(-1) == self.labels[self.num_samples :]
        return {"val/accuracy": hits.float().mean().item()}

    def settings(self):
        return {"system": "toy", "network": {"dropout": self.options.get("dropout", 0.1)}}

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


class ToySystem:
    """As much of a system as the phases of an artifact read."""

    def make_trial(self, phase, config, inputs):
        return Trial(Toy(config), config)


SYSTEM = ToySystem()


def losses(history):
    """What must not depend on how the run was cut into sittings."""
    return [{k: v for k, v in r.items() if k not in ("seconds", "samples_per_second")} for r in history]


def main(argv: Sequence[str]) -> int:
    from nsmodels.engine.loop import fit

    torch.set_num_threads(1)
    values = {k: json.loads(v) for k, v in (argument.split("=", 1) for argument in argv[1:])}
    options = {k: values.pop(k) for k in list(values) if k not in TrainingConfig.model_fields}
    config = CONFIG.model_copy(update=values)
    try:
        result = fit(Toy(config, **options), config, Path(argv[0]))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if os.environ.get("RANK", "0") == "0":
        print(json.dumps({"outcome": result.outcome, "history": result.history}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
