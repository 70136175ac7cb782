"""Options of the training loop and of an evaluation. Torch-free."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from nsmodels.core.config import LARGEST_SEED, Config, above, added_field, conditional, partly_decided, runtime_field
from nsmodels.core.errors import InputError, near

# What the first training of an artifact decides for all of them.
SHARED = ("seed", "device", "num_processes", "use_tensorboard")
FURTHER = "epoch_*.pt"  # checkpoints of `save_interval`, beside the best and the last one
TRACKERS = ("use_wandb", "wandb_project", "wandb_entity", "wandb_name", "wandb_group", "wandb_tags")
TRACKERS += ("use_mlflow", "mlflow_uri", "mlflow_experiment")
SHARED += TRACKERS


def device_name(name: str) -> str:
    """`name` when it is one of a device, which this machine need not have; raises ValueError otherwise."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,4})?", name):
        raise ValueError(f"expected auto, cpu, cuda or cuda:N, got '{name}'")
    return name


Device = Annotated[str, AfterValidator(device_name)]


class EvaluationConfig(Config):
    """What a checkpoint is scored on, where a system has no options of its own."""

    split: str = Field(default="val", min_length=1, description="split of the data that is scored: val or train")
    device: Device = runtime_field("auto", description="auto, cpu, cuda or cuda:N")


class TrainingConfig(Config):
    """Options of the training loop, under their field-standard names."""

    common = (
        "epochs",
        "max_steps",
        "batch_size",
        "lr",
        "weight_decay",
        "warmup_epochs",
        "scheduler",
        "use_amp",
        "ema_decay",
        "patience",
        "seed",
        "num_workers",
        "device",
        "num_processes",
        "use_tensorboard",
        "use_wandb",
        "use_mlflow",
    )

    epochs: int = Field(default=20, ge=1, le=100_000, description="passes over the training data")
    max_steps: int = Field(default=0, ge=0, description="stop after so many optimizer steps; 0: no limit")
    batch_size: int = Field(default=32, ge=1, le=65_536, description="samples per optimizer step, over all processes")
    accumulate_steps: int = Field(
        default=1,
        ge=1,
        le=1024,
        description="micro-batches that make up one batch; the gradient is that of the whole batch, except that batch "
        "normalisation and dropout act on each by itself",
    )
    lr: float = Field(default=1e-3, gt=0, le=10, description="peak learning rate")
    weight_decay: float = Field(
        default=0.01, ge=0, le=10, description="AdamW weight decay (matrices only, not biases or norms)"
    )
    warmup_epochs: float = Field(
        default=0.0, ge=0, description="epochs of linear warm-up to the peak learning rate; fewer than `epochs`"
    )
    max_warmup_steps: int = added_field(
        0, applies={"warmup_epochs": above(0)}, ge=0, description="the warm-up has at most so many steps; 0: no limit"
    )
    scheduler: Literal["cosine", "step", "plateau", "constant"] = Field(
        default="cosine", description="learning-rate schedule; a cosine ends with `epochs` or `max_steps`"
    )
    step_epochs: int = conditional(10, {"scheduler": "step"}, ge=1, description="scheduler=step: epochs between decays")
    gamma: float = conditional(
        0.1, {"scheduler": ("step", "plateau")}, gt=0, le=1, description="scheduler=step and plateau: decay factor"
    )
    plateau_patience: int = conditional(
        5, {"scheduler": "plateau"}, ge=0, description="scheduler=plateau: epochs without improvement before a decay"
    )
    min_lr_ratio: float = conditional(
        0.01, {"scheduler": "cosine"}, ge=0, le=1, description="scheduler=cosine: final learning rate over the peak"
    )
    clip_norm: float = Field(default=1.0, ge=0, description="largest gradient norm; 0: no clipping")
    use_amp: bool = Field(
        default=True, description="mixed precision where the device gains from it (CUDA; on a CPU only with amp_dtype)"
    )
    amp_dtype: Literal["auto", "measured", "bf16", "fp16"] = conditional(
        "auto",
        {"use_amp": True},
        description="mixed-precision type; auto: bf16 where CUDA has it, else fp16 with a loss scaler; measured: auto "
        "on CUDA, on a CPU bf16 where a first step is faster in it, which the checkpoint records",
    )
    ema_decay: float = Field(
        default=0.0, ge=0, lt=1, description="decay of the weight average used for validation and export; 0: none"
    )
    eval_interval: int = Field(
        default=1, ge=1, description="epochs between validations; the last epoch is always validated"
    )
    patience: int = Field(
        default=0, ge=0, description="stop after so many validations without improvement of `monitor`; 0: never"
    )
    monitor: str = Field(default="val/loss", description="metric that chooses the best checkpoint")
    monitor_mode: Literal["min", "max"] = Field(
        default="min", description="whether a smaller or larger `monitor` is better"
    )
    curriculum: bool = Field(default=False, description="easy samples first, by the task's own measure of difficulty")
    seed: int = Field(
        default=42, ge=0, le=LARGEST_SEED, description="random seed of initialisation, order and augmentation"
    )
    save_interval: int = runtime_field(
        0, ge=0, description="also keep a checkpoint every so many epochs; 0: best and last only"
    )
    keep_checkpoints: int = runtime_field(
        3, applies={"save_interval": above(0)}, ge=1, description="how many of those interval checkpoints to keep"
    )
    checkpoint_minutes: float = runtime_field(
        5.0, ge=0, description="also save the resumable state within an epoch, every so many minutes; 0: each step"
    )
    num_workers: int = runtime_field(4, ge=0, le=256, description="workers that decode data, at most one per core")
    prefetch_factor: int = runtime_field(
        2, applies={"num_workers": above(0)}, ge=1, le=64, description="batches that each of those workers keeps ready"
    )
    use_compile: bool = runtime_field(
        False, description="compile the network (torch.compile): a slow first epoch, then faster steps where it gains"
    )
    device: Device = runtime_field("auto", description="auto, cpu, cuda or cuda:N")
    num_processes: int = runtime_field(1, ge=1, le=1024, description="data-parallel processes, one per GPU (torchrun)")
    use_tensorboard: bool = runtime_field(False, description="write TensorBoard event files beside the checkpoint")
    use_wandb: bool = runtime_field(False, description="log to Weights & Biases (needs the wandb extra)")
    wandb_project: str = runtime_field(
        "nsmodels", applies={"use_wandb": True}, min_length=1, description="Weights & Biases project"
    )
    wandb_entity: str = runtime_field("", applies={"use_wandb": True}, description="its user or team; empty: yours")
    wandb_name: str = runtime_field(
        "", applies={"use_wandb": True}, description="name of the run; empty: artifact and network"
    )
    wandb_group: str = runtime_field("", applies={"use_wandb": True}, description="its group; empty: the artifact")
    wandb_tags: list[str] = runtime_field([], applies={"use_wandb": True}, description="its tags")
    use_mlflow: bool = runtime_field(False, description="log to MLflow (needs the mlflow extra)")
    mlflow_uri: str = runtime_field(
        "",
        applies={"use_mlflow": True},
        description="its store; empty: MLFLOW_TRACKING_URI, else mlflow.db in the data root",
    )
    mlflow_experiment: str = runtime_field(
        "nsmodels", applies={"use_mlflow": True}, min_length=1, description="its experiment"
    )

    @model_validator(mode="after")
    def _require_possible(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"warmup_epochs: {self.warmup_epochs:g} epochs of warm-up in a training of {self.epochs}, which would "
                "end before it reaches lr; lower warmup_epochs or raise epochs"
            )
        if self.num_processes > 1 and ":" in self.device:
            raise ValueError(
                f"device: '{self.device}' is one GPU, and {self.num_processes} processes take one each; use device=cuda"
            )
        parts = self.num_processes * self.accumulate_steps
        if self.batch_size < parts:
            raise ValueError(
                f"batch_size: {self.batch_size} samples cannot be split into {parts} parts ({self.num_processes} "
                f"processes x {self.accumulate_steps} accumulate_steps); raise batch_size or lower accumulate_steps"
            )
        return self

    def warmed(self, num_steps: int) -> Self:
        """This, with the epochs of warm-up that `max_warmup_steps` leaves, of epochs with `num_steps` steps.

        Raises `InputError` for a training that would end within its warm-up.
        """
        warm = min(self.warmup_epochs, self.max_warmup_steps / num_steps if self.max_warmup_steps else math.inf)
        if 0 < self.max_steps <= warm * num_steps:
            raise InputError(
                f"warmup_epochs: {warm:g} epochs are {warm * num_steps:g} steps, but the training ends after "
                f"max_steps={self.max_steps}, before it reaches lr; lower warmup_epochs or raise max_steps, "
                "or limit max_warmup_steps"
            )
        return self.model_copy(update={"warmup_epochs": warm})


def further_training(applies: Mapping[str, Any] | None = None, has_curriculum: bool = True) -> Any:
    """A section for a training that follows the one in `training`, which decides the `SHARED` options.

    `applies` as in `conditional`; `has_curriculum`: whether its task has one.
    """
    decided = {name: f"training.{name} decides for all trainings" for name in SHARED}
    decided |= {} if has_curriculum else {"curriculum": "this training has none"}
    return partly_decided(TrainingConfig(), decided, applies)


def require_metric(training: TrainingConfig, reported: Iterable[str], where: str = "training") -> None:
    """Raise InputError unless `monitor` is the loss or among the metrics that a training reports.

    `reported`: as in `engine.system.System.metrics`. `where`: section of `training`, for the message.
    """
    names = ["loss", *reported]
    known = [name for each in names for name in ([each] if "/" in each else [f"val/{each}", f"train/{each}"])]
    if training.monitor not in known:
        meant = near(training.monitor, known, most=1)
        raise InputError(f"{where}.monitor: no metric '{training.monitor}' (there are: {', '.join(known)}){meant}")
