"""State of a training run, saved and restored exactly."""

from __future__ import annotations

import contextlib
import logging
import reprlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.utils import get_total_norm

from nsmodels.core.errors import InputError, Unworkable
from nsmodels.core.provenance import cpu_seconds, library_versions
from nsmodels.engine import checkpoint, runtime
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.processes.distributed import World, wrap_loss
from nsmodels.engine.session import energy
from nsmodels.engine.session.compiler import compile_network
from nsmodels.engine.session.meters import REMEDIES, Meter
from nsmodels.engine.session.optim import Schedule, WeightAverage, make_optimizer
from nsmodels.engine.task import Shard, Task

log = logging.getLogger(__name__)

FORMAT = 1
SMALLEST_SCALE = 2.0**-20  # of the fp16 loss scaler: far below the values of a working run
Outcome = Literal["finished", "early", "interrupted"]
EXTENDABLE = ("epochs", "patience")  # what may change between two runs in the same folder


@dataclass
class Progress:
    """Position of the run: the state that a resume needs beside weights and random generators."""

    epoch: int = 0  # finished epochs
    batch: int = 0  # global batches of the current epoch that are done
    step: int = 0  # optimizer steps
    samples: int = 0  # of the current epoch, over all processes
    seconds: float = 0.0  # spent on the training part of the current epoch
    total_samples: int = 0
    train_seconds: float = 0.0  # of finished epochs, without validation
    total_seconds: float = 0.0  # of finished epochs
    cpu_seconds: float = 0.0
    joules: dict[str, float] = field(default_factory=dict)  # by device, where every sitting measured it
    energy_of: str = ""  # what was counted in `joules` at the end, and what was not
    precision: str = ""  # float32 or bfloat16 where it was measured
    warm_restarts: list[int] = field(default_factory=list)  # epochs after which the learning rate returned to its peak
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)


class Session:
    """A run: model, optimizer, schedule, scaler, average, generators, position, and its folder.

    Raises `InputError` for `initial_weights` that do not fit, and for a name in `freeze` that the model lacks.
    """

    def __init__(
        self, task: Task, config: TrainingConfig, folder: Path, world: World, device: torch.device,
        initial_weights: Path | None = None, freeze: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.task, self.config, self.folder, self.world, self.device = task, config, folder, world, device
        runtime.seed_everything(config.seed)
        self.model = task.build()
        if initial_weights is not None and not (folder / checkpoint.LAST).exists():
            checkpoint.load_weights(self.model, initial_weights, allow_missing=True)
        self.freeze = list(freeze)
        self.frozen = [_freeze(self.model, name) for name in freeze]
        self.model.to(device)
        self.precision = runtime.resolve_precision(config, device)
        self.optimizer = make_optimizer(self.model, config)
        self.trainable = [p for p in self.model.parameters() if p.requires_grad]
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.precision == torch.float16)
        self.average = WeightAverage(self.model, config.ema_decay) if config.ema_decay else None
        if config.use_compile:
            compile_network(self.model, device)
        self.compute = wrap_loss(task, self.model, world, device)
        self.progress = Progress()
        self._counted: int | None = None
        self.meter = Meter(every=20 if device.type == "cuda" else 1)
        self.num_steps = self.train_batches(0, 0)[0]  # of the first epoch
        self.schedule = Schedule(self.optimizer, config.warmed(self.num_steps), 1 / self.num_steps)
        if world.rank:
            torch.manual_seed(config.seed + world.rank)  # dropout differs between processes
        self.step_rng = runtime.torch_rng_state(device)
        self.saved_at = time.monotonic()
        self.is_step_complete = True
        self._cpu_start = cpu_seconds()
        self._energy = energy.meter(device, num_processes=world.size)

    # --- training and evaluation -------------------------------------------------------------------------------

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of a run that has ended, else None; a function of its position, so that a resumed run agrees."""
        config, progress = self.config, self.progress
        if progress.batch:
            return None
        if progress.epoch >= config.epochs or 0 < config.max_steps <= progress.step:
            return "finished"
        if config.patience and progress.best:
            since = progress.history[progress.best["epoch"] :]
            if sum(config.monitor in record for record in since) >= config.patience:
                return "early"
        return None

    @property
    def eval_model(self) -> nn.Module:
        """The model that is validated and exported: the weight average, else the trained model."""
        return self.average.model if self.average else self.model

    def set_training(self) -> None:
        """Training mode, except for frozen modules: without dropout, and with fixed running statistics."""
        self.model.train()
        for module in self.frozen:
            module.eval()

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The context of mixed precision; without effect in float32."""
        if self.precision is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.precision)

    def batches(self, split: str, epoch: int, start: int = 0) -> Any:
        """This process's batches of `split`, from global batch `start` on."""
        parts = self.config.accumulate_steps
        return self.task.batches(split, epoch, Shard(self.world.rank, self.world.size, start, parts))

    def train_batches(self, epoch: int, start: int) -> tuple[int, Any]:
        """Optimizer steps in the whole epoch, and its batches from `start` on; raise `InputError` for an empty one."""
        whole = self.batches("train", epoch)
        return self._length(whole, epoch), self.batches("train", epoch, start) if start else whole

    def _length(self, batches: Any, epoch: int) -> int:
        if not hasattr(batches, "__len__"):
            if self._counted is None:
                self._counted = sum(1 for _ in self.batches("train", epoch))
            length = self._counted
        else:
            length = len(batches)
        if not length:
            raise InputError(f"batches('train', {epoch}) is empty: the training data have no sample for it")
        return -(-length // self.config.accumulate_steps)

    @property
    def cpu_seconds(self) -> float:
        """Processor seconds of this process in the run so far; with those of all processes before a resume."""
        # Grouped, for the rounded sum of the first two may lose what it began with.
        return self.progress.cpu_seconds + (cpu_seconds() - self._cpu_start)

    @property
    def joules(self) -> dict[str, float]:
        """Energy of the run so far by device, those before a resume included; see `energy`."""
        return self._energy.joules

    @property
    def energy_of(self) -> str:
        """What was counted in `joules`, and what was not."""
        return self.progress.energy_of or self._energy.counted

    # --- saving and resuming -----------------------------------------------------------------------------------

    def complete_step(self) -> None:
        """Mark the step as complete: a checkpoint of this state can be resumed exactly."""
        self.snapshot_rng()
        self.is_step_complete = True

    def position(self) -> str:
        """The current step, or the last complete one, and its epoch, for error messages."""
        return f"step {self.progress.step + (not self.is_step_complete)} (epoch {self.progress.epoch + 1})"

    def snapshot_rng(self) -> None:
        """Keep the state of torch's generators for the next checkpoint."""
        self.step_rng = runtime.torch_rng_state(self.device)

    def save(self, links: Sequence[str] = ()) -> None:
        """Write last.pt, and the same content under the names `links`. All processes must call this together.

        Raises `InputError` when loss or weights are not finite, or the disk is full.
        """
        self.meter.flush()
        self._require_finite()
        progress = self._global_progress()
        generators = self.world.all_gather(runtime.rng_state(self.device) | {"torch": self.step_rng})
        if self.world.is_first:
            paths = tuple(self.folder / name for name in links)
            checkpoint.save(self.folder / checkpoint.LAST, self._payload(progress, generators), paths)
        self.saved_at = time.monotonic()

    def _require_finite(self) -> None:
        """Refuse to save weights that became infinite or NaN in the step after the last finite loss."""
        if not get_total_norm(self.trainable).isfinite():
            raise Unworkable(f"step {self.progress.step}: the weights are not finite; usual remedies: {REMEDIES}")
        if self.scaler.is_enabled() and self.scaler.get_scale() < SMALLEST_SCALE:
            raise Unworkable(
                f"step {self.progress.step}: gradients overflow in fp16; set amp_dtype=bf16 or use_amp=false"
            )

    def _global_progress(self) -> dict[str, Any]:
        progress = asdict(self.progress)
        (spent,) = self.world.sum(self.cpu_seconds)
        progress |= {"cpu_seconds": spent, "joules": self.joules, "energy_of": self.energy_of}
        return progress | {"sums": self.world.sum_over_ranks(self.meter.sums)}

    def _payload(self, progress: dict[str, Any], generators: list[Any]) -> dict[str, Any]:
        history = self.progress.history
        metrics = {k: v for k, v in history[-1].items() if k.startswith("val/")} if history else {}
        args = self.config.model_dump(mode="json")
        payload = {
            "format": FORMAT,
            "epoch": self.progress.epoch,
            "model_state_dict": self.eval_model.state_dict(),
            "optimizer_state_dict": self.optimizer.state_dict(),
            "scheduler_state_dict": self.schedule.state_dict(),
            "scaler_state_dict": self.scaler.state_dict(),
            "val_metrics": metrics,
            "val_loss": metrics.get("val/loss"),
            "val_acc": metrics.get("val/accuracy"),
            "args": args,
            "freeze": self.freeze,
            "config": {"training": args} | self.task.settings(),
            "task_state_dict": self.task.state_dict(),
            "progress": progress,
            "rng": generators,
            "versions": library_versions(),
        }
        return payload | ({"training_state_dict": self.model.state_dict()} if self.average else {})

    def resume(self, warm_restart: bool = False) -> bool:
        """Restore last.pt when the folder has one; raise `InputError` when it belongs to a different run.

        `warm_restart`: of a run with more epochs than before, begin the cosine schedule anew.
        """
        path = self.folder / checkpoint.LAST
        if self.world.is_first:
            checkpoint.remove_unfinished(self.folder)
        if not path.exists():
            if warm_restart:
                raise InputError(
                    f"warm_restart: {self.folder} contains no run (no {path.name}); leave it out to start one"
                )
            return False
        payload = checkpoint.load(path)
        if payload.get("format") != FORMAT:
            raise InputError(f"{path}: contains no resumable state of this version; train into a different folder")
        self._require_same_config(payload, path)
        checkpoint.fill(self.model, payload.get("training_state_dict", payload["model_state_dict"]), str(path))
        if self.average:
            checkpoint.fill(self.average.model, payload["model_state_dict"], str(path))
        self._restore(payload)
        self._extend(int(payload["args"]["epochs"]), warm_restart)
        return True

    def _extend(self, before: int, warm_restart: bool) -> None:
        """Continue a run of `before` epochs with those of the configuration: only a cosine depends on their number."""
        epochs, schedule, progress = self.config.epochs, self.schedule, self.progress
        if self.config.scheduler != "cosine" or epochs <= schedule.fall.end:
            if warm_restart and not progress.warm_restarts:
                raise InputError(
                    f"warm_restart: nothing to restart in {self.folder}; it needs scheduler=cosine (now "
                    f"{self.config.scheduler}) and more epochs than before ({before}, now {epochs})"
                )
            return
        if self.outcome:
            if warm_restart:
                ended = "patience ended it; raise patience, too" if self.outcome == "early" else "max_steps ended it"
                raise InputError(f"warm_restart: the run in {self.folder} has no more epochs to train: {ended}")
            return
        if warm_restart:
            schedule.restart(progress.epoch + progress.batch / self.num_steps, 1 / self.num_steps, progress.step)
            progress.warm_restarts = [*progress.warm_restarts, progress.epoch]
            log.warning("warm restart after epoch %d: the learning rate returns to %.2e", progress.epoch, schedule.lr)
            return
        advice = "warm_restart=True begins it anew, a different folder trains from the start"
        if not schedule.floor:
            raise InputError(
                f"epochs: the schedule of this run ends with epoch {schedule.fall.end:g} at a learning rate of 0 "
                f"(min_lr_ratio=0), so that more epochs (now {epochs}) would change nothing; {advice}"
            )
        log.warning(
            "more epochs than the run was started with (%g, now %d): the learning rate stays at %.2e, the end of its "
            "schedule, from there on; %s", schedule.fall.end, epochs, schedule.floor, advice,
        )  # fmt: skip

    def _restore(self, payload: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(payload["optimizer_state_dict"])
        self.schedule.fall.end = payload["args"]["epochs"]
        self.schedule.load_state_dict(payload["scheduler_state_dict"])
        self.scaler.load_state_dict(payload["scaler_state_dict"])
        self.task.load_state_dict(payload["task_state_dict"])
        progress = dict(payload["progress"])
        sums = progress.pop("sums")
        self.meter.sums = sums if self.world.is_first else {}
        self.progress = Progress(**progress)
        if not self.world.is_first:
            self.progress.cpu_seconds = 0.0  # the first one has those of all
        if self.outcome is None:
            self.progress.energy_of = ""  # on this machine other parts may be counted
        self._cpu_start = cpu_seconds()
        self._energy = energy.meter(self.device, self.progress.joules, num_processes=self.world.size)
        generators = payload["rng"]
        if len(generators) == self.world.size:
            runtime.restore_rng_state(generators[self.world.rank], self.device)
        elif self.world.is_first and self.progress.epoch < self.config.epochs:
            log.warning(
                "started with %d processes, resumed with %d: the random generators restart, so losses will differ",
                len(generators), self.world.size,
            )  # fmt: skip
        self.complete_step()

    def _require_same_config(self, payload: dict[str, Any], path: Path) -> None:
        wanted = {k: v for k, v in self.config.relevant().items() if k not in EXTENDABLE} | {"freeze": self.freeze}
        changed = list(_differences(payload["args"] | {"freeze": payload.get("freeze", [])}, wanted))
        changed += _differences(payload["config"], self.task.settings())
        if self.config.scheduler == "cosine" and payload["args"]["epochs"] > self.config.epochs:
            changed.append(f"epochs={payload['args']['epochs']} (now {self.config.epochs})")
        if changed:
            more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
            raise InputError(
                f"{path}: this run was started with {', '.join(changed[:5])}{more}; use the same values to resume it, "
                "or a different folder to start afresh"
            )


def _differences(saved: Mapping[str, Any], wanted: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """Values of `wanted` that differ from `saved`, as `name=old (now new)`; nested mappings by dotted name."""
    for name, value in wanted.items():
        before = saved.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            yield from _differences(before, value, f"{within}{name}.")
        elif before != value:
            yield f"{within}{name}={reprlib.repr(before)} (now {reprlib.repr(value)})"


def _freeze(model: nn.Module, name: str) -> nn.Module:
    """Exclude the module called `name` from training."""
    try:
        return model.get_submodule(name).requires_grad_(False).eval()
    except AttributeError:
        known = ", ".join(child for child, _ in model.named_children())
        raise InputError(f"freeze: the model has no module '{name}' (it has: {known})") from None
