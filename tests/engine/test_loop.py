from __future__ import annotations

import json
import math
import os
import random
import signal

import numpy as np
import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.engine.loop import fit
from nsmodels.engine.processes import distributed
from nsmodels.engine.session.session import Session
from tests.engine.toy import CONFIG, Toy, losses


class Cancelled(BaseException):
    pass


class CancelAt:
    """A tracker through which a caller stops the run in the middle of an epoch."""

    def __init__(self, step):
        self.at = step

    def step(self, step, values):
        if step == self.at:
            raise Cancelled

    def epoch(self, record):
        pass

    def close(self):
        pass


class CancelAfter(CancelAt):
    """A tracker through which a caller stops the run once the epoch `at` is recorded."""

    def step(self, step, values):
        pass

    def epoch(self, record):
        if record["epoch"] == self.at:
            raise Cancelled


def train(folder, task_options=None, trackers=(), **values):
    config = CONFIG.model_copy(update=values)
    return fit(Toy(config, **(task_options or {})), config, folder, trackers)


def test_loss_falls_well_below_chance(tmp_path):
    result = train(tmp_path, epochs=20)
    assert result.outcome == "finished"
    assert result.history[-1]["val/loss"] < 0.5 < math.log(4)
    assert result.history[-1]["val/accuracy"] > 0.9
    assert [r["epoch"] for r in result.history] == list(range(1, 21))


@pytest.mark.parametrize(("most", "wanted"), [(0, 2), (1, 1), (3, 2)])
def test_a_task_takes_no_more_threads_than_make_it_faster(tmp_path, most, wanted):
    class Counted(Toy):
        num_threads = most
        seen = set()  # noqa: RUF012

        def loss(self, model, batch):
            self.seen.add(torch.get_num_threads())
            return super().loss(model, batch)

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = fit(Counted(CONFIG.with_values({"epochs": 1})), CONFIG.with_values({"epochs": 1}), tmp_path)
        assert (Counted.seen, torch.get_num_threads()) == ({wanted}, 2)
        assert f"{wanted} threads" in found.device
    finally:
        torch.set_num_threads(before)


def test_shuffled_labels_stay_at_chance(tmp_path):
    result = train(tmp_path, {"is_shuffled": True}, epochs=8)
    assert abs(result.history[-1]["val/accuracy"] - 0.25) < 0.15
    assert result.history[-1]["val/loss"] > 0.95 * math.log(4)


def test_same_seed_same_losses_other_seed_other_losses(tmp_path):
    first, second = train(tmp_path / "a"), train(tmp_path / "b")
    assert losses(first.history) == losses(second.history)
    assert losses(first.history) != losses(train(tmp_path / "c", seed=2).history)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"ema_decay": 0.9},
        {"accumulate_steps": 4},
        {"scheduler": "plateau"},
        {"accumulate_steps": 3, "max_steps": 200, "warmup_epochs": 0.5},
    ],
)
def test_cancelled_within_an_epoch_continues_exactly(tmp_path, values):
    whole = train(tmp_path / "whole", {"num_samples": 1024}, **values)
    with pytest.raises(Cancelled):
        train(tmp_path / "cut", {"num_samples": 1024}, [CancelAt(100)], **values)
    assert checkpoint.load(tmp_path / "cut" / "last.pt")["progress"]["batch"] == 100 - 64
    cut = train(tmp_path / "cut", {"num_samples": 1024}, **values)
    assert losses(cut.history) == losses(whole.history)
    ours, theirs = (checkpoint.load(f / "best.pt")["model_state_dict"] for f in (cut.folder, whole.folder))
    assert all(torch.equal(ours[k], theirs[k]) for k in theirs)


def test_more_epochs_continue_and_a_finished_run_rests(tmp_path):
    train(tmp_path, epochs=2, scheduler="constant")
    (tmp_path / "history.json").write_text("[]")  # a kill between last.pt and this file leaves an earlier one
    longer = train(tmp_path, epochs=4, scheduler="constant")
    assert losses(longer.history) == losses(train(tmp_path / "whole", epochs=4, scheduler="constant").history)
    before = (tmp_path / "last.pt").stat().st_mtime_ns
    (tmp_path / "history.json").unlink()
    again = train(tmp_path, epochs=4, scheduler="constant")
    assert again.outcome == "finished"
    assert again.history == longer.history
    assert (tmp_path / "last.pt").stat().st_mtime_ns == before
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines == json.loads((tmp_path / "history.json").read_text()) == again.history


COSINE = {"lr": 1e-2, "min_lr_ratio": 0.01}


def rates(result):
    return [record["lr"] for record in result.history]


def test_the_learning_rate_of_a_finished_run_does_not_jump_with_more_epochs(tmp_path, caplog):
    first = train(tmp_path, epochs=2, **COSINE)
    assert rates(first)[-1] == pytest.approx(1e-4)
    longer = train(tmp_path, epochs=4, **COSINE)
    assert longer.history[:2] == first.history
    assert rates(longer)[1:] == pytest.approx([1e-4] * 3)
    assert "more epochs than the run was started with (2, now 4): the learning rate stays at 1.00e-04" in caplog.text
    assert "warm_restart=True" in caplog.text
    assert not any("warm_restarts" in record for record in longer.history)


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_warm_restart_is_asked_for_by_name_and_recorded(tmp_path, is_cut, caplog):
    train(tmp_path, epochs=2, **COSINE)
    config = CONFIG.model_copy(update={"epochs": 4, **COSINE})
    if is_cut:
        with pytest.raises(Cancelled):
            fit(Toy(config), config, tmp_path, [CancelAfter(3)], warm_restart=True)
    longer = fit(Toy(config), config, tmp_path, warm_restart=True)
    assert rates(longer)[1:] == pytest.approx([1e-4, (1e-2 + 1e-4) / 2, 1e-4])
    assert [record.get("warm_restarts") for record in longer.history] == [None, None, 1, 1]
    assert checkpoint.load(tmp_path / "last.pt")["progress"]["warm_restarts"] == [2]
    assert caplog.text.count("warm restart after epoch 2: the learning rate returns to 1.00e-02") == 1


def test_an_unfinished_run_keeps_its_schedule_with_more_epochs(tmp_path):
    with pytest.raises(Cancelled):
        train(tmp_path / "cut", epochs=2, trackers=[CancelAfter(1)], **COSINE)
    longer = train(tmp_path / "cut", epochs=3, **COSINE)
    assert rates(longer)[:2] == rates(train(tmp_path / "whole", epochs=2, **COSINE))
    assert rates(longer)[2] == pytest.approx(1e-4)


@pytest.mark.parametrize("end", [{"max_steps": 2}, {"patience": 1, "monitor": "train/loss", "monitor_mode": "max"}])
def test_more_epochs_of_a_run_that_did_not_end_by_them_change_nothing(tmp_path, end, caplog):
    first = train(tmp_path, epochs=3, **COSINE, **end)
    assert len(first.history) < 3
    assert train(tmp_path, epochs=5, **COSINE, **end).history == first.history
    assert "more epochs" not in caplog.text
    config = CONFIG.model_copy(update={"epochs": 5, **COSINE, **end})
    with pytest.raises(InputError, match=f"no more epochs to train: {next(iter(end))} ended it"):
        fit(Toy(config), config, tmp_path, warm_restart=True)


def test_epochs_that_a_schedule_cannot_serve_are_refused(tmp_path):
    train(tmp_path, epochs=2, **COSINE)
    with pytest.raises(InputError, match=r"started with epochs=2 \(now 1\)"):
        train(tmp_path, epochs=1, **COSINE)
    config = CONFIG.model_copy(update={"epochs": 2, **COSINE})
    with pytest.raises(InputError, match=r"nothing to restart .* more epochs than before \(2, now 2\)"):
        fit(Toy(config), config, tmp_path, warm_restart=True)
    with pytest.raises(InputError, match=r"warm_restart: .* contains no run"):
        fit(Toy(config), config, tmp_path / "empty", warm_restart=True)
    train(tmp_path / "zero", epochs=1, min_lr_ratio=0.0)
    with pytest.raises(InputError, match=r"a learning rate of 0 .* would change nothing; warm_restart=True"):
        train(tmp_path / "zero", epochs=2, min_lr_ratio=0.0)


def test_a_training_that_ends_within_its_warm_up_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"1.5 epochs are 12 steps, but the training ends after max_steps=12"):
        train(tmp_path, max_steps=12, warmup_epochs=1.5)
    assert not list(tmp_path.iterdir())


def test_the_warm_up_has_at_most_so_many_steps(tmp_path):
    result = train(tmp_path, epochs=3, max_steps=20, warmup_epochs=2.5, max_warmup_steps=4, **COSINE)
    free = train(tmp_path / "free", epochs=3, max_steps=20, warmup_epochs=0.5, **COSINE)  # 4 of 8 steps
    assert rates(result) == pytest.approx(rates(free))
    assert [r["train/loss"] for r in result.history] == pytest.approx([r["train/loss"] for r in free.history])


@pytest.mark.parametrize("accumulate_steps", [1, 3])
def test_the_cosine_ends_with_max_steps(tmp_path, accumulate_steps):
    result = train(tmp_path, max_steps=21, accumulate_steps=accumulate_steps, epochs=50, warmup_epochs=0.5, **COSINE)
    assert (result.history[-1]["step"], rates(result)[-1]) == (21, pytest.approx(1e-4))


def test_another_configuration_in_the_same_folder_is_refused(tmp_path):
    train(tmp_path, epochs=1)
    with pytest.raises(InputError, match=r"started with lr=0.02 \(now 0.5\)"):
        train(tmp_path, epochs=1, lr=0.5)
    with pytest.raises(InputError, match=r"started with max_steps=0 \(now 3\)"):
        train(tmp_path, epochs=1, max_steps=3)
    with pytest.raises(InputError, match=r"started with network.dropout=0.1 \(now 0.5\)"):
        train(tmp_path, {"dropout": 0.5}, epochs=1)


def test_accumulation_equals_one_large_batch(tmp_path):
    options = {"dropout": 0.0}
    large, small = train(tmp_path / "a", options), train(tmp_path / "b", options, accumulate_steps=4)
    for one, other in zip(large.history, small.history, strict=True):
        assert one["train/loss"] == pytest.approx(other["train/loss"], rel=1e-5)
        assert one["step"] == other["step"]


class Weighted(Toy):
    """A mean over points of different weight, as over the tokens of texts."""

    def counts(self, batch):
        return 1 + batch["y"]

    def loss(self, model, batch):
        each = torch.nn.functional.cross_entropy(model(batch["x"]), batch["y"], reduction="none")
        loss = (each * self.counts(batch)).sum() / self.counts(batch).sum()
        return loss, {"entropy": loss}

    def weight(self, batch):
        return self.counts(batch).sum().item()


@pytest.mark.parametrize("kind", [Toy, Weighted])
@pytest.mark.parametrize("parts", [2, 3])
def test_a_batch_that_does_not_divide_loses_no_sample(tmp_path, kind, parts):
    # 8 samples in 3 parts, and 3 in the last batch
    config, options = CONFIG.with_values({"batch_size": 8}), {"dropout": 0.0, "num_samples": 67}
    split = config.with_values({"accumulate_steps": parts})
    large, small = (fit(kind(c, **options), c, tmp_path / str(c.accumulate_steps)) for c in (config, split))
    for one, other in zip(large.history, small.history, strict=True):
        assert other["step"] == one["step"]
        assert [other[k] for k in ("train/loss", "val/loss")] == pytest.approx(
            [one[k] for k in ("train/loss", "val/loss")], rel=1e-5
        )
    assert checkpoint.load(tmp_path / str(parts) / "last.pt")["progress"]["total_samples"] == 4 * 67


def test_nan_names_step_and_term_and_keeps_the_good_checkpoint(tmp_path):
    with pytest.raises(InputError, match=r"step 12 \(epoch 2\): 'entropy' is inf; .*lower lr"):
        train(tmp_path, {"nan_step": 12})
    saved = checkpoint.load(tmp_path / "last.pt")
    assert saved["epoch"] == 1
    assert all(value.isfinite().all() for value in saved["model_state_dict"].values())


def test_weights_gone_wrong_never_replace_a_good_checkpoint(tmp_path):
    with pytest.raises(InputError, match="step 12: the weights are not finite"):
        train(tmp_path, {"nan_gradient_step": 12}, checkpoint_minutes=0)
    saved = checkpoint.load(tmp_path / "last.pt")
    assert saved["progress"]["step"] == 11
    assert all(value.isfinite().all() for value in saved["model_state_dict"].values())


def test_early_stopping_after_patience_epochs(tmp_path):
    result = train(tmp_path, {"is_shuffled": True}, epochs=60, patience=3, scheduler="constant")
    assert result.outcome == "early"
    assert len(result.history) == result.best["epoch"] + 3 < 60
    assert result.best["value"] == min(r["val/loss"] for r in result.history)
    assert checkpoint.load(tmp_path / "best.pt")["epoch"] == result.best["epoch"]


def test_patience_counts_validations_not_epochs(tmp_path):
    values = {"epochs": 60, "patience": 2, "eval_interval": 3, "scheduler": "constant"}
    result = train(tmp_path, {"is_shuffled": True}, **values)
    assert result.outcome == "early"
    assert len(result.history) == result.best["epoch"] + 2 * 3 < 60


def test_a_metric_that_is_not_finite_is_named_and_never_recorded(tmp_path):
    class Broken(Toy):
        def validate(self, model, epoch):
            return {"val/accuracy": 0.5 if epoch == 0 else float("nan")}

    with pytest.raises(InputError, match="validation after epoch 2: 'val/accuracy' is nan"):
        fit(Broken(), CONFIG, tmp_path)
    assert len(json.loads((tmp_path / "history.json").read_text())) == 1
    assert checkpoint.load(tmp_path / "last.pt")["epoch"] == 1


class Drawing(Toy):
    """Validation draws from every global generator, and can be asked to stop in the middle."""

    is_asked_to_stop = False

    def loss(self, model, batch):
        loss, terms = super().loss(model, batch)
        if not model.training and self.is_asked_to_stop:
            os.kill(os.getpid(), signal.SIGTERM)
        return (loss, terms) if model.training else (loss + sum(self.drawn()), terms)

    def validate(self, model, epoch):
        return {"val/drawn": sum(self.drawn())}

    def drawn(self):
        return torch.rand(()).item(), float(np.random.rand()), random.random()


@pytest.mark.parametrize("is_within_validation", [False, True])
def test_validation_that_draws_random_numbers_continues_exactly(tmp_path, is_within_validation):
    whole = fit(Drawing(num_samples=1024), CONFIG, tmp_path / "whole")
    task = Drawing(num_samples=1024)
    task.is_asked_to_stop = is_within_validation
    if is_within_validation:
        assert fit(task, CONFIG, tmp_path / "cut").outcome == "interrupted"
        assert checkpoint.load(tmp_path / "cut" / "last.pt")["epoch"] == 0
    else:
        with pytest.raises(Cancelled):
            fit(task, CONFIG, tmp_path / "cut", [CancelAfter(2)])
        assert checkpoint.load(tmp_path / "cut" / "last.pt")["epoch"] == 2
    assert losses(fit(Drawing(num_samples=1024), CONFIG, tmp_path / "cut").history) == losses(whole.history)


def test_an_exception_within_a_step_leaves_the_last_settled_state(tmp_path):
    class Stopped(Toy):
        def loss(self, model, batch):
            result = super().loss(model, batch)
            if self.steps == 12 and model.training:
                raise Cancelled
            return result

    whole = train(tmp_path / "whole")
    with pytest.raises(Cancelled):
        fit(Stopped(), CONFIG, tmp_path / "cut")
    assert checkpoint.load(tmp_path / "cut" / "last.pt")["progress"]["step"] == 8
    assert losses(train(tmp_path / "cut").history) == losses(whole.history)


def test_the_average_sees_what_the_task_does_after_a_step(tmp_path):
    class Clamped(Toy):
        def after_step(self, model, step):
            super().after_step(model, step)
            with torch.no_grad():
                model[3].bias.fill_(float(step))

    config = CONFIG.model_copy(update={"epochs": 1, "max_steps": 1, "ema_decay": 0.9})
    fit(Clamped(config), config, tmp_path)
    saved = checkpoint.load(tmp_path / "last.pt")["model_state_dict"]["3.bias"]
    torch.manual_seed(config.seed)
    start = Toy(config).build()[3].bias.detach()
    assert torch.allclose(saved, start + (1 - 2 / 11) * (1.0 - start))  # decay of step 1: (1 + 1) / (10 + 1)


def test_monitor_can_be_a_metric_to_maximise(tmp_path):
    result = train(tmp_path, monitor="val/accuracy", monitor_mode="max")
    assert result.best["value"] == max(r["val/accuracy"] for r in result.history)
    with pytest.raises(InputError, match=r"monitor: no metric 'val/acuracy' \(there are: .*val/accuracy"):
        train(tmp_path / "typo", monitor="val/acuracy")


def test_interval_checkpoints_keep_the_newest(tmp_path):
    train(tmp_path, epochs=7, save_interval=2, keep_checkpoints=2)
    assert sorted(p.name for p in tmp_path.glob("*.pt")) == ["best.pt", "epoch_0004.pt", "epoch_0006.pt", "last.pt"]
    assert checkpoint.load(tmp_path / "epoch_0004.pt")["epoch"] == 4


def test_max_steps_ends_within_an_epoch(tmp_path):
    result = train(tmp_path, max_steps=11)
    assert (result.outcome, result.history[-1]["step"], len(result.history)) == ("finished", 11, 2)


def test_eval_interval_validates_every_other_epoch_and_the_last(tmp_path):
    result = train(tmp_path, epochs=5, eval_interval=2)
    assert ["val/loss" in record for record in result.history] == [False, True, False, True, True]


def test_average_of_the_weights_is_what_is_validated_and_saved(tmp_path):
    train(tmp_path, ema_decay=0.99, epochs=3)
    saved = checkpoint.load(tmp_path / "last.pt")
    averaged, raw = saved["model_state_dict"], saved["training_state_dict"]
    assert not torch.equal(averaged["0.weight"], raw["0.weight"])
    task = Toy()
    model = task.build()
    checkpoint.load_weights(model, tmp_path / "last.pt")
    with torch.no_grad():
        assert task.validate(model.eval(), 0)["val/accuracy"] == saved["val_metrics"]["val/accuracy"]


def test_bfloat16_on_a_cpu_when_asked_for(tmp_path):
    plain = train(tmp_path / "plain", epochs=1)
    mixed = train(tmp_path / "mixed", epochs=1, amp_dtype="bf16")
    assert mixed.history[0]["train/loss"] != plain.history[0]["train/loss"]
    assert mixed.history[0]["train/loss"] == pytest.approx(plain.history[0]["train/loss"], rel=0.02)


def test_backward_keeps_the_precision_of_the_forward(tmp_path):
    class Island(Toy):
        def loss(self, model, batch):
            with torch.autocast("cpu", enabled=False):
                return super().loss(model, batch)

    plain, mixed = (
        fit(Island(config), config, tmp_path / config.amp_dtype)
        for config in (CONFIG, CONFIG.model_copy(update={"amp_dtype": "bf16"}))
    )
    weights = [checkpoint.load(f.folder / "last.pt")["model_state_dict"] for f in (plain, mixed)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_phase_starts_from_weights_and_leaves_frozen_modules_alone(tmp_path):
    train(tmp_path / "one")
    config = CONFIG.model_copy(update={"seed": 5})
    fit(Toy(config), config, tmp_path / "two", initial_weights=tmp_path / "one" / "last.pt", freeze=["0"])
    one, two = (checkpoint.load(tmp_path / name / "last.pt")["model_state_dict"] for name in ("one", "two"))
    assert torch.equal(one["0.weight"], two["0.weight"])
    assert not torch.equal(one["3.weight"], two["3.weight"])
    with pytest.raises(InputError, match=r"started with freeze=\['0'\] \(now \[\]\)"):
        fit(Toy(config), config, tmp_path / "two")
    with pytest.raises(InputError, match="no module 'encoder'"):
        fit(Toy(config), config, tmp_path / "three", freeze=["encoder"])


def test_weights_of_another_architecture_are_named(tmp_path):
    train(tmp_path, epochs=1)
    with pytest.raises(
        InputError, match=r"last.pt: weights of a different architecture: '0.weight' has shape \(16, 2\)"
    ):
        train(tmp_path, {"width": 8}, epochs=2)


def test_workers_give_the_same_losses(tmp_path):
    inside = train(tmp_path / "a", epochs=1)
    assert losses(train(tmp_path / "b", {"workers": 2}, epochs=1).history) == losses(inside.history)


def test_a_training_without_samples_is_refused(tmp_path):
    with pytest.raises(InputError, match="is empty: the training data have no sample"):
        train(tmp_path, {"num_samples": 0})


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"batch_size": 16, "accumulate_steps": 64}, r"16 samples cannot be split into 64 parts .*lower accumulate"),
        ({"batch_size": 8, "num_processes": 3, "accumulate_steps": 3}, "8 samples cannot be split into 9 parts"),
        (
            {"epochs": 2, "warmup_epochs": 2},
            "2 epochs of warm-up in a training of 2, which would end before it reaches",
        ),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_before_the_data_are_read(values, line):
    with pytest.raises(InputError, match=line):
        CONFIG.with_values(values)


def test_out_of_memory_names_the_remedies(tmp_path):
    class Greedy(Toy):
        def loss(self, model, batch):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    advice = r"^step 1 \(epoch 1\): out of memory: lower batch_size \(now 16\), or raise accumulate_steps"
    with pytest.raises(InputError, match=advice + ".*amp_dtype=bf16"):
        fit(Greedy(), CONFIG, tmp_path)
    with pytest.raises(InputError, match=advice) as mixed:
        fit(Greedy(), CONFIG.model_copy(update={"amp_dtype": "bf16"}), tmp_path)
    assert "use_amp" not in str(mixed.value)


def test_a_changed_number_of_processes_is_logged(tmp_path, caplog):
    train(tmp_path, epochs=1)
    payload = checkpoint.load(tmp_path / "last.pt")
    checkpoint.save(tmp_path / "last.pt", payload | {"rng": payload["rng"] * 2})
    config = CONFIG.model_copy(update={"epochs": 2})  # of a finished training nothing is continued
    session = Session(Toy(config), config, tmp_path, distributed.World(), torch.device("cpu"))
    assert session.resume()
    assert "started with 2 processes, resumed with 1" in caplog.text
