"""The world model of a checkpoint: embeds clips, imagines how they go on, predicts effects of changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self, final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor

from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.formats.clips.names import MODALITIES
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.config import PHASES
from nsmodels.systems.world.network.clips import ClipBatch, WatchedClips, batch_of, num_steps_of
from nsmodels.systems.world.network.fusion import World
from nsmodels.systems.world.network.heads import CONCEPTS, Beliefs, Change
from nsmodels.systems.world.network.observations import Observations
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training.calibration import CALIBRATION, Calibration

Array = NDArray[np.float32]
BATCH = 64  # clips at a time


class Rollout(NamedTuple):
    """Imagined states, as in `names.STATES`: mean (n, horizon, S) and standard deviation (n, horizon, S)."""

    mean: Array
    std: Array


class Estimate(NamedTuple):
    """A mean (n, k) and its standard deviation (n, k)."""

    mean: Array
    std: Array


class Effect(NamedTuple):
    """What a change makes of clips.

    states: (n, T, S), those of the changed clip minus those of the clip, in their units.
    outcomes: (n, O), mean difference; outcome_std: (n, O), its standard deviation.
    events, events_before: (n, E), probabilities with and without the change.
    """

    states: Array
    outcomes: Array
    outcome_std: Array
    events: Array
    events_before: Array


@final
@dataclass(frozen=True)
class WorldModel:
    """A network in evaluation mode, with the scales of its intervals.

    Every answer is for a clip by itself, whatever else is asked at the same time. A modality that a clip lacks, or that
    is not among `modalities`, is hidden from the network.

    Attributes:
        network: of the checkpoint.
        calibration: factors of the predicted deviations, fitted on the validation clips.
    """

    network: WorldNetwork
    calibration: Calibration = field(default_factory=Calibration)

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> Self:
        """The model in a checkpoint folder of any stage; raises InputError for a broken one."""
        found = [phase for phase in PHASES if (folder / phase / checkpoint.BEST).is_file()]
        if not found:
            raise InputError(f"{folder}: no checkpoint of the world model; expected a folder {', '.join(PHASES)}")
        network = checkpoint.restore(folder / found[-1] / checkpoint.BEST, "network", WorldNetwork, device)
        assert isinstance(network, WorldNetwork)
        return cls(network, Calibration.read(folder / found[-1] / CALIBRATION))

    @classmethod
    def untrained(cls, preset: str = "debug", seed: int = 0) -> Self:
        """A model with random weights and the dimensions of a preset."""
        from nsmodels.systems.world import SYSTEM

        settings = {stage.name: stage.presets[preset]().model.model_dump(mode="json") for stage in SYSTEM.stages}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(WorldNetwork(**settings).eval())

    def forgotten(self, seed: int = 0) -> Self:
        """The same network with random weights, on the same device: what architecture alone achieves."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = WorldNetwork(**self.network.settings).eval()
        return type(self)(network.to(next(self.network.parameters()).device))

    @property
    def phase(self) -> str:
        """The last phase that the network was trained in."""
        return self.network.phase

    @property
    def num_parameters(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def watch(self, clips: Clips) -> WatchedClips:
        """The clips with frames and sounds encoded, most of the work: for several questions about the same clips."""
        plain = {each.name: getattr(clips, each.name) for each in dataclasses.fields(Clips)}
        hear = PHASES.index(self.phase) > 0 and clips.audio is not None
        frames: Any = clips.video is not None and self._encoded(
            clips, "video", lambda batch: (self.network.maps(batch.video),)
        )
        sounds: Any = hear and self._encoded(clips, "audio", self.network.hear)
        found = {"maps": frames[0].astype(np.float16), "video": None} if frames else {}
        found |= {"columns": sounds[0].astype(np.float16), "latents": sounds[1]} if sounds else {}
        return WatchedClips(**{**plain, **found})

    @torch.inference_mode()
    def _encoded(self, clips: Clips, name: str, encode: Callable[[Any], tuple[Tensor, ...]]) -> list[Array]:
        """What an encoder makes of one array of clips, in batches."""
        alone = _replaced(clips, **{other: None for other in ("video", "audio", "proprio", "actions") if other != name})
        device, parts = next(self.network.parameters()).device, []
        for first in range(0, len(clips), BATCH):
            rows = np.arange(first, min(first + BATCH, len(clips)))
            batch = batch_of(alone, rows, device=device, with_targets=False, num_steps=num_steps_of(clips))
            parts.append([each.float().cpu().numpy() for each in encode(batch)])
        return [np.concatenate(each) for each in zip(*parts, strict=True)]

    # --- what is observed --------------------------------------------------------------------------------------------

    def embed(self, clips: Clips, modalities: Sequence[str] = MODALITIES) -> Array:
        """Summaries of clips as unit vectors (n, D), fused from these modalities."""
        self._require("fusion", "embed")
        return self._map(clips, modalities, lambda given, _: F.normalize(self.network.fusion(given).summary, dim=-1))

    def unimodal(self, clips: Clips, modality: str) -> Array:
        """Unit vectors (n, D) of one modality alone, in the space that all share; neither others nor actions are read.

        A clip that lacks the modality has NaN.
        """
        self._require("fusion", "unimodal")

        def found(given: Observations, _: ClipBatch) -> Tensor:
            vectors = self.network.align(given, modality)
            there = given.has[:, MODALITIES.index(modality)]
            return torch.where(there[:, None], vectors, torch.nan)

        return self._map(clips, (modality,), found)

    def properties(self, clips: Clips, modalities: Sequence[str] = MODALITIES) -> Estimate:
        """Properties of the objects, as in `names.PROPERTIES`: mean (n, 9) and standard deviation (n, 9)."""
        found = self._beliefs(
            clips, modalities, lambda each: torch.cat([each.properties.mean, each.properties.log_deviation.exp()], 1)
        )
        mean, std = np.split(found, 2, axis=1)
        return Estimate(mean, std * self.calibration.of("properties", mean.shape[1]))

    def affordances(self, clips: Clips, modalities: Sequence[str] = MODALITIES) -> Array:
        """Probabilities (n, 8) of the affordances, as in `names.AFFORDANCES`."""
        return self._beliefs(clips, modalities, lambda each: each.affordances.sigmoid())

    def concepts(self, clips: Clips, modalities: Sequence[str] = MODALITIES) -> dict[str, Array]:
        """Probabilities of the "material" (n, k) and of the "shape" (n, k), in the order of `clips.words`."""
        found = self._beliefs(clips, modalities, lambda each: each.concepts)
        return {
            name: softmax(found[:, k, : len(clips.words[name])], axis=1)
            for k, name in enumerate(CONCEPTS)
            if name in clips.words
        }

    # --- what is imagined --------------------------------------------------------------------------------------------

    def imagine(
        self,
        clips: Clips,
        context: int,
        horizon: int,
        modalities: Sequence[str] = MODALITIES,
        actions: np.ndarray | None = None,
        variables: np.ndarray | None = None,
        changes: np.ndarray | None = None,
    ) -> Rollout:
        """States at the steps context ... context + horizon - 1, from what was observed before step `context`.

        Args:
            clips: of at least context + horizon steps.
            context: number of observed steps, at least 1; the sound ends there, too.
            horizon: number of imagined steps.
            modalities: that are observed.
            actions: (n, T, 16), in place of those of the clips.
            variables: int (n,), indices into `names.VARIABLES`, of changes that are made from the first imagined step.
            changes: (n,), as in `Twins.change`.
        Raises InputError for a context or horizon that the clips do not have.
        """
        self._require("dynamics", "imagine")
        num_steps = num_steps_of(clips)
        if not 1 <= context < num_steps or not 1 <= horizon <= num_steps - context:
            raise InputError(
                f"imagine: context {context} and horizon {horizon} do not fit clips of {num_steps} steps; give a "
                f"context of 1 to {num_steps - 1}, and a horizon of at most {num_steps} - context"
            )
        given = clips if actions is None else _with_actions(clips, actions)
        asked = None if variables is None or changes is None else (np.asarray(variables), np.asarray(changes))
        found = self._map(
            given, modalities, lambda seen, batch: self._rolled(seen, batch, context, horizon), asked, context
        )
        return Rollout(found[:, 0], self.calibration.of_states(found[:, 1]))

    def _rolled(self, given: Observations, batch: _Asked, context: int, horizon: int) -> Tensor:
        world, actions = self.network.fusion(given), _actions(batch.clips)
        start, ahead = world.states[:, context - 1], actions[:, context : context + horizon]
        mean, std = self.network.dynamics.imagine(start, ahead)
        if batch.change is not None:
            mean = mean + self._shifted(world, batch, context, horizon)
        return torch.stack([mean, std], 1)

    def _shifted(self, world: World, batch: _Asked, context: int, horizon: int) -> Tensor:
        """Difference that a change makes to a rollout: the rest of the clip is imagined without it first."""
        self._require("full", "imagine with a change")
        actions = _actions(batch.clips)
        rest = self.network.dynamics.roll(world.states[:, context - 1], actions[:, context:]).states
        states = torch.cat([world.states[:, :context], rest], 1)
        found = self._change(states, world.summary, batch)
        return found.states[:, context : context + horizon] * self.network.dynamics.standard.deviation

    # --- what would have been ----------------------------------------------------------------------------------------

    def effect(
        self, clips: Clips, variables: np.ndarray, changes: np.ndarray, modalities: Sequence[str] = MODALITIES
    ) -> Effect:
        """What would have been different in clips that were observed to their end.

        Args:
            clips: n clips.
            variables: int (n,), indices into `names.VARIABLES`, one for each clip.
            changes: (n,), as in `Twins.change`.
            modalities: that are observed.
        """
        self._require("full", "effect")
        asked = (np.asarray(variables), np.asarray(changes))
        parts = self._map(clips, modalities, self._effects, asked)
        num_steps, num_states = num_steps_of(clips), len(self.network.dynamics.standard.mean)
        ends = np.cumsum(
            [num_steps * num_states, *[len(self.network.heads.standard.mean)] * 2, self.network.heads.sizes["events"]]
        )
        states, outcomes, std, after, before = np.split(parts, ends, axis=1)
        std = std * self.calibration.of("outcomes", std.shape[1])
        return Effect(states.reshape(len(clips), num_steps, num_states), outcomes, std, after, before)

    def _effects(self, given: Observations, batch: _Asked) -> Tensor:
        heads, world = self.network.heads, self.network.fusion(given)
        found, before = self._change(world.states, world.summary, batch), heads(world.summary).events
        states = found.states * self.network.dynamics.standard.deviation
        mean = found.outcomes.mean * heads.standard.deviation
        std = found.outcomes.log_deviation.exp() * heads.standard.deviation
        return torch.cat([states.flatten(1), mean, std, found.events.sigmoid(), before.sigmoid()], 1)

    def _change(self, states: Tensor, summary: Tensor, batch: _Asked) -> Change:
        assert batch.change is not None
        heads, before = self.network.heads, self.network.heads(summary).events
        found = heads.effects(states, summary, _actions(batch.clips), before, *batch.change)
        return found if (shares := self._shares(batch.change[0])) is None else found.weakened(before, *shares)

    def _shares(self, variable: Tensor) -> tuple[Tensor, Tensor] | None:
        """Factors (n, 1) of effects on states and on outcomes; None where none were fitted."""
        found = self.calibration.factors.get("effects")
        if found is None:
            return None
        shares = torch.as_tensor(np.asarray(found, np.float32), device=variable.device)[variable]
        return shares[:, :1], shares[:, 1:]

    # --- batches -----------------------------------------------------------------------------------------------------

    def _beliefs(self, clips: Clips, modalities: Sequence[str], read: Callable[[Beliefs], Tensor]) -> Array:
        self._require("full", "beliefs")
        return self._map(
            clips, modalities, lambda given, _: read(self.network.heads(self.network.fusion(given).summary))
        )

    @torch.inference_mode()
    def _map(
        self, clips: Clips, modalities: Sequence[str], compute: Callable[[Observations, Any], Tensor],
        asked: tuple[np.ndarray, np.ndarray] | None = None, context: int | None = None,
    ) -> Array:  # fmt: skip
        """`compute` on batches of clips, one after the other."""
        unknown = set(modalities) - set(MODALITIES)
        if unknown or not modalities:
            raise InputError(
                f"modalities: expected some of {', '.join(MODALITIES)}, got {', '.join(modalities) or 'none'}"
            )
        hidden = torch.tensor([name not in modalities for name in MODALITIES])
        device, found = next(self.network.parameters()).device, []
        for first in range(0, len(clips), BATCH):
            rows = np.arange(first, min(first + BATCH, len(clips)))
            batch = _asked(clips, rows, hidden, asked, device)
            cut = None if context is None else torch.full((len(rows),), context, device=device)
            found.append(compute(self.network.observe(batch.clips, cut), batch).float().cpu().numpy())
        return np.concatenate(found) if found else np.zeros((0, 0), np.float32)

    def _require(self, phase: str, what: str) -> None:
        if PHASES.index(self.phase) < PHASES.index(phase):
            raise InputError(f"{what}: needs a model of the stage '{phase}', this one is of '{self.phase}'; train on")


class _Asked(NamedTuple):
    """Clips, and changes (variable, size) of each."""

    clips: ClipBatch
    change: tuple[Tensor, Tensor] | None


def _asked(clips: Clips, rows: np.ndarray, hidden: Tensor, asked: Any, device: torch.device) -> _Asked:
    """Rows of clips without what is hidden, which is not even read."""
    kept = {
        name: None for name, is_hidden in zip(("video", "audio", "proprio"), hidden.tolist(), strict=True) if is_hidden
    }
    if isinstance(clips, WatchedClips):
        kept |= {"maps": None} if "video" in kept else {}
        kept |= {"columns": None, "latents": None} if "audio" in kept else {}
    part = _replaced(clips, observed=clips.observed & ~hidden.numpy(), **kept)
    batch = batch_of(part, rows, device=device, with_targets=False, num_steps=num_steps_of(clips))
    if asked is None:
        return _Asked(batch, None)
    variables, changes = (torch.as_tensor(values[rows]).to(device) for values in asked)
    return _Asked(batch, (variables.long(), changes.float()))


def _replaced(clips: Clips, **values: Any) -> Clips:
    return dataclasses.replace(clips, **values)


def _with_actions(clips: Clips, actions: np.ndarray) -> Clips:
    wanted = (len(clips), num_steps_of(clips), 16)
    if np.shape(actions) != wanted:
        raise InputError(f"actions: expected shape {wanted}, got {np.shape(actions)}")
    return _replaced(clips, actions=np.asarray(actions, np.float32))


def _actions(clips: ClipBatch) -> Tensor:
    if clips.actions is None:
        raise InputError("clips: have no actions, and what happens depends on them")
    return clips.actions
