from __future__ import annotations

import multiprocessing
import sys
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from nsmodels.engine.batching import (
    Batches,
    count_samples,
    epoch_batches,
    generator,
    split_batches,
    split_order,
    to_device,
)
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


@pytest.mark.parametrize(("num", "size"), [(70, 16), (71, 8), (33, 7), (9, 8)])
@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_shards_and_parts_make_up_the_whole_global_batch_in_equal_steps(num, size, world, parts):
    whole = list(epoch_batches(num, size, 0, 0))
    shards = [list(epoch_batches(num, size, 0, 0, Shard(rank, world, parts=parts))) for rank in range(world)]
    assert [len(shard) for shard in shards] == [len(whole) * parts] * world
    for number, batch in enumerate(whole):
        mine = [shard[parts * number : parts * (number + 1)] for shard in shards]
        pieces = [piece for each in mine for piece in each]
        assert sorted(np.concatenate(pieces)) == sorted(batch)
        assert max(map(len, pieces)) - min(map(len, pieces)) <= 1
        assert all([*map(len, each)] == sorted(map(len, each), reverse=True) for each in mine)  # empty ones come last
        assert max(map(len, mine[0])) == max(map(len, pieces))  # the first process always has a sample


def test_a_part_has_its_share_of_what_is_drawn_for_the_whole_batch():
    for whole in split_batches(np.arange(20), 8):
        drawn = generator(0, "train", 0, int(whole.whole[0])).random((len(whole.whole), 2))
        assert whole.is_whole
        shards = [split_batches(whole.rows, 8, Shard(rank, 2, parts=3)) for rank in range(2)]
        parts = sorted((part for shard in shards for part in shard if len(part)), key=lambda part: part.first)
        assert np.array_equal(np.concatenate([part.of(drawn) for part in parts]), drawn)
        assert not any(part.is_whole for part in parts)
        assert all(np.array_equal(part.of(part.whole), part.rows) for part in parts)


def test_an_empty_micro_batch_is_none():
    index = split_order(np.arange(5), 4, Shard(1, 2, parts=2))
    assert [None if batch is None else batch.tolist() for batch in Batches(index, torch.from_numpy)] == [
        [1], [3], None, None,
    ]  # fmt: skip


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


@pytest.mark.skipif(sys.platform != "linux", reason="without fork there are no workers")
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
