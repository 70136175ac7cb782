from __future__ import annotations

import multiprocessing
import sys
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from nsmodels.engine.batching import Batches, count_samples, epoch_batches, generator, split_order, to_device
from nsmodels.engine.task import Shard


@pytest.mark.parametrize("shuffle", [True, False])
def test_every_sample_once_per_epoch(shuffle):
    batches = list(epoch_batches(103, 10, seed=3, epoch=2, shuffle=shuffle))
    assert sorted(np.concatenate(batches)) == list(range(103))
    assert [len(b) for b in batches] == [10] * 10 + [3]


def test_order_depends_on_seed_and_epoch_only():
    orders = {
        tuple(np.concatenate(list(epoch_batches(50, 7, seed=s, epoch=e)))) for s in (1, 2) for e in (0, 1) for _ in "ab"
    }
    assert len(orders) == 4


def test_start_skips_whole_batches():
    whole = list(epoch_batches(64, 8, 0, 0))
    later = list(epoch_batches(64, 8, 0, 0, Shard(start=3)))
    assert all(np.array_equal(a, b) for a, b in zip(whole[3:], later, strict=True))


def test_shards_and_parts_make_up_the_global_batch_in_equal_steps():
    whole = list(epoch_batches(70, 16, 0, 0))
    shards = [list(epoch_batches(70, 16, 0, 0, Shard(rank, 2, parts=2))) for rank in range(2)]
    assert len(shards[0]) == len(shards[1])
    for number, batch in enumerate(whole):
        pieces = [piece for shard in shards for piece in shard[2 * number : 2 * number + 2]]
        assert len({len(piece) for piece in pieces}) == 1
        kept = len(batch) - len(batch) % 4
        assert sorted(np.concatenate(pieces)) == sorted(batch[:kept])


def test_validation_loses_nobody():
    shards = [list(epoch_batches(37, 8, 0, 0, Shard(rank, 3), shuffle=False)) for rank in range(3)]
    assert sorted(np.concatenate([index for shard in shards for index in shard])) == list(range(37))


def test_generator_repeats_and_differs():
    draws = {
        generator(1, split, epoch, batch).random() for split in ("train", "val") for epoch in (0, 1) for batch in (0, 1)
    }
    assert len(draws) == 8
    assert generator(1, "train", 0, 0).random() in draws


def test_workers_keep_the_order_and_the_global_generator():
    index = split_order(np.arange(40), 4)
    before = torch.get_rng_state()
    inside = [batch.tolist() for batch in Batches(index, torch.from_numpy)]
    outside = Batches(index, torch.from_numpy, num_workers=2)
    assert len(outside) == 10
    assert [batch.tolist() for batch in outside] == inside
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.skipif(sys.platform != "linux", reason="workers are spawned there in any case")
def test_workers_need_not_copy_what_they_read_though_the_process_spawns_by_default():
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method("spawn", force=True)  # as in a run that Dagster's code server started
    try:
        found = Batches(split_order(np.arange(8), 4), lambda rows: rows.tolist(), num_workers=2)
        assert list(found) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    finally:
        multiprocessing.set_start_method(before, force=True)


Pair = namedtuple("Pair", "first second")


@dataclass(frozen=True)
class Record:
    names: list[str]
    values: torch.Tensor


class Graphs:
    num_graphs = 3

    def __init__(self):
        self.x = torch.zeros(50, 2)

    def to(self, device, non_blocking=False):
        self.x = self.x.to(device, non_blocking=non_blocking)
        return self


def test_batch_of_any_form_is_moved_and_counted():
    values = torch.zeros(5, 2)
    forms = [values, {"x": values}, (values, values), [values], Pair(values, None), Record(["a"], values)]
    for form in forms:
        moved = to_device(form, torch.device("meta"))
        assert type(moved) is type(form)
        assert count_samples(moved) == 5
        first = moved.values if isinstance(moved, Record) else moved["x"] if isinstance(moved, dict) else moved
        first = first[0] if isinstance(first, tuple | list) else first
        assert first.device.type == "meta"
    graphs = to_device(Graphs(), torch.device("meta"))
    assert (graphs.x.device.type, count_samples(graphs)) == ("meta", 3)
