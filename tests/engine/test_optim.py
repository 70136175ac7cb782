from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.session.optim import Fall, Schedule, WeightAverage, lr_factor, make_optimizer


def run_schedule(steps_per_epoch=10, monitored=lambda epoch: 1.0, **values):
    """The learning rate of every step of a run."""
    config = TrainingConfig(lr=1.0, **values)
    optimizer = make_optimizer(nn.Linear(2, 2), config)
    schedule = Schedule(optimizer, config, 1 / steps_per_epoch)
    rates = []
    for epoch in range(config.epochs):
        for step in range(steps_per_epoch):
            rates.append(schedule.lr)
            optimizer.step()
            schedule.advance(epoch + (step + 1) / steps_per_epoch, 1 / steps_per_epoch)
        schedule.end_epoch(monitored(epoch))
    return rates


def test_constant_stays():
    assert set(run_schedule(epochs=3, scheduler="constant")) == {1.0}


def test_warmup_is_linear_and_reaches_the_peak():
    rates = run_schedule(epochs=4, scheduler="constant", warmup_epochs=2)
    assert rates[:20] == pytest.approx([(k + 1) / 20 for k in range(20)])
    assert rates[20:] == pytest.approx([1.0] * 20)


def test_cosine_falls_from_peak_to_its_floor():
    rates = run_schedule(epochs=4, scheduler="cosine", warmup_epochs=1, min_lr_ratio=0.1)
    assert max(rates) == rates[9] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[25] == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * 0.5)))
    assert lr_factor(TrainingConfig(epochs=4, min_lr_ratio=0.1), 4.0, 4.1) == pytest.approx(0.1)


def final_rate(config, epoch_lengths):
    """The learning rate after the last step of a run whose epochs have these numbers of steps."""
    optimizer = make_optimizer(nn.Linear(2, 2), config)
    schedule, step = Schedule(optimizer, config, 1 / epoch_lengths[0]), 0
    for epoch in range(config.epochs):
        for batch in range(1, epoch_lengths[epoch] + 1):
            optimizer.step()
            step += 1
            schedule.advance(epoch + batch / epoch_lengths[epoch], 1 / epoch_lengths[epoch], step)
            if step == config.max_steps:
                return schedule.lr
    return schedule.lr


@pytest.mark.parametrize("warmup_epochs", [0, 0.5, 1])
@pytest.mark.parametrize("max_steps", [0, 7, 12, 29, 1000])
@pytest.mark.parametrize("lengths", [[10] * 5, [5, 6, 8, 10, 10]], ids=["constant", "curriculum"])
def test_every_schedule_ends_where_it_says_at_either_end_of_a_training(lengths, max_steps, warmup_epochs):
    if warmup_epochs == 1 and max_steps == 7:
        return  # ends within the warm-up: refused
    values = {"lr": 1.0, "epochs": 5, "max_steps": max_steps, "warmup_epochs": warmup_epochs}
    for floor in (0.0, 0.01, 0.5):
        assert final_rate(TrainingConfig(**values, min_lr_ratio=floor), lengths) == pytest.approx(floor, abs=1e-9)
    assert final_rate(TrainingConfig(**values, scheduler="constant"), lengths) == 1.0
    assert final_rate(TrainingConfig(**values, scheduler="plateau"), lengths) == 1.0
    done = sum(max_steps >= sum(lengths[: k + 1]) for k in range(5)) if max_steps else 5
    step = TrainingConfig(**values, scheduler="step", step_epochs=2, gamma=0.5)
    assert final_rate(step, lengths) == pytest.approx(0.5 ** (done // 2))


def test_max_steps_follows_the_cosine_of_as_many_epochs():
    config = {"lr": 1.0, "warmup_epochs": 1, "min_lr_ratio": 0.1}
    whole, limited = TrainingConfig(**config, epochs=3), TrainingConfig(**config, epochs=99, max_steps=30)
    for step in range(30):
        fall = Fall.of(limited)
        fall.first_step = min(step, 10)
        found = lr_factor(limited, step / 10, (step + 1) / 10, step, fall)
        assert found == pytest.approx(lr_factor(whole, step / 10, (step + 1) / 10))


def test_step_decays_every_so_many_epochs():
    rates = run_schedule(epochs=6, scheduler="step", step_epochs=2, gamma=0.5)
    assert rates[::10] == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]


def test_plateau_decays_when_nothing_improves_and_only_after_warmup():
    rates = run_schedule(epochs=8, scheduler="plateau", plateau_patience=1, gamma=0.1, warmup_epochs=2)
    assert rates[19] == 1.0
    assert rates[::10][2:] == pytest.approx([1.0, 1.0, 0.1, 0.1, 0.01, 0.01], rel=1e-6)
    improving = run_schedule(
        epochs=6, scheduler="plateau", plateau_patience=1, monitored=lambda e: -float(e), monitor_mode="min"
    )
    assert set(improving) == {1.0}


def test_plateau_follows_the_mode_of_the_monitor():
    rates = run_schedule(
        epochs=6, scheduler="plateau", plateau_patience=0, monitored=float, monitor_mode="max", gamma=0.5
    )
    assert set(rates) == {1.0}


def test_schedule_continues_from_its_state():
    config = TrainingConfig(lr=1.0, epochs=5, warmup_epochs=0.5)
    states = []
    for _ in range(2):
        optimizer = make_optimizer(nn.Linear(2, 2), config)
        schedule = Schedule(optimizer, config, 0.1)
        if states:
            optimizer.load_state_dict(states[0][0])
            schedule.load_state_dict(states[0][1])
        else:
            optimizer.step()
            schedule.advance(1.7, 0.1)
            states.append((optimizer.state_dict(), schedule.state_dict()))
        states.append(schedule.lr)
    assert states[1] == states[2] == lr_factor(config, 1.7, 1.8)


def test_decay_acts_on_matrices_only_and_frozen_parameters_are_left_out():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    model[2].requires_grad_(False)
    groups = make_optimizer(model, TrainingConfig(weight_decay=0.3)).param_groups
    decayed = {p.shape for g in groups if g["weight_decay"] for p in g["params"]}
    plain = [p.shape for g in groups if not g["weight_decay"] for p in g["params"]]
    assert decayed == {(4, 3)}
    assert plain == [(4,), (4,), (4,)]


def test_weight_average_closes_in_on_constant_weights():
    model = nn.Linear(1, 1)
    average = WeightAverage(model, 0.9)
    with torch.no_grad():
        model.weight.fill_(3.0)
    first = average.model.get_parameter("weight").item()
    average.update(model, 1)
    assert average.model.get_parameter("weight").item() == pytest.approx(first + (3.0 - first) * (1 - 2 / 11))
    for step in range(2, 200):
        average.update(model, step)
    assert average.model.get_parameter("weight").item() == pytest.approx(3.0, abs=1e-4)
