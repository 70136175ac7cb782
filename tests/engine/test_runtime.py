from __future__ import annotations

import os
import random
import signal
import threading

import numpy as np
import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.engine import runtime
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.processes import launch
from nsmodels.engine.session.meters import Meter

CPU = torch.device("cpu")


def draw():
    return random.random(), float(np.random.rand()), torch.rand(()).item()


def test_seeds_and_states_bring_every_generator_back(tmp_path):
    runtime.seed_everything(3)
    first = draw()
    torch.save(runtime.rng_state(CPU), tmp_path / "rng.pt")
    second = draw()
    runtime.restore_rng_state(torch.load(tmp_path / "rng.pt", weights_only=True), CPU)
    assert draw() == second
    runtime.seed_everything(3)
    assert draw() == first


def test_device_names():
    assert runtime.resolve_device("cpu") == CPU
    with pytest.raises(InputError, match="device: expected auto, cpu, cuda or cuda:N, got 'gpu'"):
        runtime.resolve_device("gpu")
    with pytest.raises(InputError, match="device: 'cuda:99' requested, but"):
        runtime.resolve_device("cuda:99")


def test_precision_on_a_cpu_needs_an_explicit_bf16():
    for values, wanted in [({}, None), ({"amp_dtype": "bf16"}, torch.bfloat16), ({"amp_dtype": "fp16"}, None)]:
        assert runtime.resolve_precision(TrainingConfig(**values), CPU) == wanted
    assert runtime.resolve_precision(TrainingConfig(amp_dtype="bf16", use_amp=False), CPU) is None


def test_first_signal_is_a_request_and_the_second_meets_the_previous_handler():
    before = signal.getsignal(signal.SIGINT)
    with runtime.interrupts() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    with runtime.interrupts(is_patient=True) as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.requested
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_no_handler_is_touched():
    seen = []

    def inside():
        with runtime.interrupts() as interrupt:
            seen.append((interrupt.requested, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [(False, signal.getsignal(signal.SIGTERM))]


def test_meter_weighs_by_samples_and_reads_in_groups():
    meter = Meter(every=3)
    meter.add("step 1", 4, {"loss": torch.tensor(1.0)})
    meter.add("step 2", 1, {"loss": torch.tensor(6.0), "extra": 2.0})
    assert meter.means() == {}
    meter.flush()
    assert meter.means() == {"loss": 2.0, "extra": 2.0}
    meter.add("step 3", 1, {"aux": torch.tensor(float("nan")), "loss": torch.tensor(float("nan"))})
    with pytest.raises(InputError, match="step 3: 'aux' is nan"):
        meter.flush()


def test_launch_starts_torchrun_and_tells_its_failure():
    with pytest.raises(InputError, match="process 0: ImportError: No module named no_such_module_here"):
        launch.launch([], 1, module="no_such_module_here")
    assert not launch.is_launched()
    with pytest.raises(InputError, match="num_processes"):
        launch.launch([], 0)
