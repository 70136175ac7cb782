"""Compilation of the network by a field that changes nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nsmodels.core.errors import InputError
from nsmodels.engine.batching import Batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.processes.distributed import World
from nsmodels.engine.session import compiler
from nsmodels.engine.session.session import Session
from tests.engine.toy import CONFIG, Toy

CPU = torch.device("cpu")


class Parts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 2)
        self.rest = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])

    def method(self, x):
        return self.rest[1](self.rest[0](self.first(x)))


def test_neither_compilation_nor_loaders_belong_to_what_a_result_depends_on():
    given = TrainingConfig(use_compile=True, prefetch_factor=5)
    assert given.relevant() == TrainingConfig().relevant()
    with pytest.raises(ValueError, match="prefetch_factor"):
        TrainingConfig(prefetch_factor=0)


def test_parts_whose_methods_a_task_calls_are_compiled_in_place_and_weights_keep_their_names(monkeypatch):
    seen: list[nn.Module] = []

    def compiled(self, *_, **__):
        seen.append(self)

    monkeypatch.setattr(nn.Module, "compile", compiled)
    model = Parts()
    names = list(model.state_dict())
    compiler.compile_network(model, CPU)
    assert seen == [model, model.first, *model.rest]
    assert list(model.state_dict()) == names


def test_a_session_compiles_when_asked_and_only_then(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr("nsmodels.engine.session.session.compile_network", lambda *given: calls.append(given))
    for use_compile in (False, True):
        config = CONFIG.with_values({"use_compile": use_compile})
        Session(Toy(config), config, tmp_path, World(), CPU)
        assert len(calls) == use_compile


@pytest.mark.parametrize("given", [None, "no-such-compiler"])
def test_without_a_compiler_the_field_is_refused_with_the_remedy(given, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    if given:
        monkeypatch.setenv("CXX", given)
    with pytest.raises(InputError, match=r"use_compile: .* no .*; install one"):
        compiler.require_compiler(CPU)


def test_a_worker_keeps_as_many_batches_ready_as_asked():
    batches = Batches([np.arange(2)] * 9, torch.from_numpy, num_workers=1, prefetch_factor=7)
    assert batches._loader().prefetch_factor == 7
    assert [batch.tolist() for batch in batches] == [[0, 1]] * 9
