from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from nsmodels.engine import checkpoint
from nsmodels.engine.loop import Fit, fit
from nsmodels.engine.session.precision import has_bfloat16
from tests.engine.toy import CONFIG, Toy, losses

BURNT = 0.02  # CPU-seconds by which a step is slower


class Slow(Toy):
    """The toy task on a processor that is slow in one of the two types."""

    slow_in_bfloat16 = False

    def loss(self, model, batch):
        if torch.is_autocast_enabled("cpu") == self.slow_in_bfloat16 and model.training:
            end = time.process_time() + BURNT
            while time.process_time() < end:
                pass
        return super().loss(model, batch)


class SlowInBfloat16(Slow):
    slow_in_bfloat16 = True


def train(kind: type[Toy], folder: Path, **values) -> Fit:
    config = CONFIG.model_copy(update={"epochs": 1, "max_steps": 3, "amp_dtype": "measured"} | values)
    return fit(kind(config), config, folder)


@pytest.mark.skipif(not has_bfloat16(), reason="the processor has no instructions for bfloat16")
@pytest.mark.parametrize(("kind", "other", "chosen"), [(Slow, "bf16", "bfloat16"), (SlowInBfloat16, "auto", "float32")])
def test_the_faster_type_is_taken_and_leaves_no_trace(kind, other, chosen, tmp_path, capsys):
    measured = train(kind, tmp_path / "measured")
    assert measured.precision == chosen
    assert f"precision: {chosen}; a step takes" in capsys.readouterr().err
    assert losses(measured.history) == losses(train(Toy, tmp_path / "set", amp_dtype=other).history)


@pytest.mark.skipif(not has_bfloat16(), reason="the processor has no instructions for bfloat16")
def test_a_resumed_run_keeps_the_recorded_type_without_measuring(tmp_path, capsys):
    train(Slow, tmp_path, max_steps=0)
    capsys.readouterr()
    resumed = train(SlowInBfloat16, tmp_path, epochs=2, max_steps=0)  # would now measure the opposite
    assert resumed.precision == "bfloat16"
    assert "precision" not in capsys.readouterr().err
    assert checkpoint.load(tmp_path / "last.pt")["progress"]["precision"] == "bfloat16"


def test_a_processor_without_instructions_trains_in_float32(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert train(Toy, tmp_path).precision == "float32"
    assert "no instructions for bfloat16" in capsys.readouterr().err
