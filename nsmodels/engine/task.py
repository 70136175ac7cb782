"""The interface between a system and the training loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from nsmodels.engine.config import TrainingConfig

SMALL_STEP = 2**15  # numbers of the recurrent state of a micro-batch; measured with two threads of a CPU


@dataclass(frozen=True)
class Shard:
    """The part of an epoch that a process reads: every `world`-th part of each global batch, from batch `start` on.

    Each process reads its part of a global batch in `parts` micro-batches, whose gradients the loop accumulates.
    `batching.split_batches` and `split_order` compute the indices.
    """

    rank: int = 0
    world: int = 1
    start: int = 0
    parts: int = 1


class Task(ABC):
    """A system's part of a training: the model, its batches and its loss. Subclasses are final.

    Randomness comes from (seed, split, epoch, batch number) and never from global state, so that a
    resumed run reads the same batches as an uninterrupted one.

    Attributes:
        compares_samples: whether the loss compares the samples of a micro-batch with each other (a contrastive loss, a
            variance over them), so that it does depend on how a batch is split.
        num_threads: more threads than so many make its steps slower on a CPU; 0: none do. Of small networks the threads
            wait for each other longer than they compute.
    """

    compares_samples: ClassVar[bool] = False
    num_threads: int = 0

    @abstractmethod
    def build(self) -> nn.Module:
        """A freshly initialised model. The loop has seeded torch's generator before the call."""

    @abstractmethod
    def batches(self, split: str, epoch: int, shard: Shard) -> Iterable[Any]:
        """Batches of `split` ("train" or "val") in this epoch's order.

        A batch is tensors in dicts, tuples, dataclasses or objects with `.to`.
        The configured batch size is the global one: process `shard.rank` of `shard.world` yields its part of each
        global batch of "train" as exactly `shard.parts` micro-batches, beginning with global batch number
        `shard.start`. They may differ in size; an empty one is None.
        `epoch` counts from 0. The result should have a length, as `batching.Batches` has: an iterable without one is
        read once more before training to count its batches.
        """

    @abstractmethod
    def loss(self, model: nn.Module, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss to minimise, a scalar (), and its scalar terms by name.

        Loss and terms are means over the samples of the batch, or over what `weight` counts. The loop weights the
        micro-batches of a step with these numbers, so that their gradients add up to that of the whole batch, however
        it is split over processes and micro-batches. Where several terms are means over different things (cells,
        objects), none of which is the number of samples, divide by the number in the whole batch (`batching.Part`)
        times the batch's share of its samples, or by a constant per sample.
        Batch normalisation and dropout act on each micro-batch by itself: with them the split does make a difference,
        and so it does where `compares_samples`.
        """

    def weight(self, batch: Any) -> float | None:
        """The number of things (tokens, nodes) that `loss` is a mean over; None: the samples, `count_samples`."""
        return None

    def after_step(self, model: nn.Module, step: int) -> None:  # noqa: B027 - optional hook, doing nothing is right
        """Called after each optimizer step (a target network, a constraint on the weights)."""

    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """Further metrics of the epoch beside the mean validation loss, by name ("val/accuracy")."""
        return {}

    def curriculum(self, epoch: int) -> dict[str, float]:
        """Difficulty of this epoch by name, for the log; `batches` applies it. Empty without a curriculum."""
        return {}

    def settings(self) -> dict[str, Any]:
        """The settings that rebuild the model from its checkpoint alone, as plain JSON values; saved under `config`."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """State of the task itself that a resume restores."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:  # noqa: B027 - optional hook, doing nothing is right
        """Restore the state from `state_dict`."""


def recurrent_threads(width: int, training: TrainingConfig) -> int:
    """`Task.num_threads` of a recurrent network: 1 where the state of a micro-batch is small, else 0."""
    micro_batch = training.batch_size / (training.accumulate_steps * training.num_processes)
    return 1 if width * micro_batch < SMALL_STEP else 0
