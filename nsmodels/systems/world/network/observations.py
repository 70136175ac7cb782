"""Observations: what the encoders make of clips, step by step, and which of it is there.

Shapes: b clips of t steps, m = 3 modalities, latents of width d.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Observations:
    """What is given to the fusion.

    Attributes:
        seen: bool (b, t, m), whether a modality is there at a step; where not, its row must not be read.
        maps: (b, t, c), the flattened maps of the frames.
        columns: (b, t, c), the columns of the sound; latents: (b, d), those of the whole sound.
        proprio: (b, t, p), as recorded.
        actions: (b, t, 16), known for all steps; None where the clips have none.
    """

    seen: Bool[Tensor, "b t m"]
    maps: Float[Tensor, "b t c"]
    columns: Float[Tensor, "b t n"]
    latents: Float[Tensor, "b d"]
    proprio: Float[Tensor, "b t p"]
    actions: Float[Tensor, "b t a"] | None = None

    def __len__(self) -> int:
        return len(self.seen)

    @property
    def has(self) -> Bool[Tensor, "b m"]:
        """Whether a clip has a modality at any step."""
        return self.seen.any(1)

    def hide(self, hidden: Bool[Tensor, "b m"]) -> Self:
        """The same without the `hidden` modalities of each clip."""
        return replace(self, seen=self.seen & ~hidden[:, None])


def seen_before(observed: Bool[Tensor, "b m"], num_steps: int, context: Tensor | None = None) -> Bool[Tensor, "b t m"]:
    """Where the `observed` modalities are there: at all steps, or at those before `context`, int64 (b,)."""
    seen = observed[:, None].expand(-1, num_steps, -1)
    if context is None:
        return seen
    steps = torch.arange(num_steps, device=observed.device)
    return seen & (steps < context[:, None])[..., None]


def cut_sounds(sounds: Float[Tensor, "b a"], ends: Tensor) -> Float[Tensor, "b a"]:
    """Sounds that end at sample `ends`, int64 (b,): silence from there on, of which no column may be read."""
    samples = torch.arange(sounds.shape[1], device=sounds.device)
    return sounds * (samples < ends[:, None])
