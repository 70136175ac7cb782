"""Fusion: tokens of three modalities and of the action at each step, fused to a state of the world over time.

Shapes: b clips of t steps, m = 3 modalities, states of width s, latents of width d.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from nsmodels.formats.clips.names import ACTION, MODALITIES, PROPRIO
from nsmodels.systems.world.config import FusionModelConfig
from nsmodels.systems.world.network.layers import Attention, CausalLayer, Standard, perceptron
from nsmodels.systems.world.network.observations import Observations

HASTE = 10.0  # by which the temperature changes faster than weights: a few hundred steps change it by several times


class Sources(NamedTuple):
    """Widths of what the encoders give: flattened maps, columns of the sound, latents."""

    maps: int
    columns: int
    latents: int


class World(NamedTuple):
    """What is believed of clips.

    states: (b, t, s), of the world at the end of each step, from what was observed until then.
    summary: (b, d), of the whole clip.
    entropy: scalar, mean entropy of the attention to the modalities, in units of that of even attention.
    """

    states: Float[Tensor, "b t s"]
    summary: Float[Tensor, "b d"]
    entropy: Float[Tensor, ""]


class Tokens(nn.Module):
    """A token per modality and step, and one of the action."""

    def __init__(self, width: int, sources: Sources, max_seq_len: int) -> None:
        super().__init__()
        self.vision, self.audio = embedding(sources.maps, width), embedding(sources.columns, width)
        self.proprio, self.action = embedding(len(PROPRIO), width), embedding(len(ACTION), width)
        self.time = nn.Parameter(torch.randn(max_seq_len, width) * 0.1)
        self.kind = nn.Parameter(torch.randn(len(MODALITIES) + 1, width) * 0.1)

    def forward(self, given: Observations) -> Float[Tensor, "b t k s"]:
        """Tokens of the modalities, the action last."""
        audio = self.audio(given.columns)
        actions = torch.zeros_like(audio) if given.actions is None else self.action(given.actions)
        found = [self.vision(given.maps), audio, self.proprio(given.proprio), actions]
        return torch.stack(found, 2) + self.kind + self.time[: audio.shape[1], None]


def embedding(inputs: int, width: int) -> nn.Sequential:
    """A token from standardised inputs.

    Most of a map is the same background in every frame: in units of the deviation of each of its numbers, what differs
    between frames counts. Tokens of all kinds then have one scale, so that none is loud at first.
    """
    return nn.Sequential(Standard(inputs), *perceptron(inputs, width, width), nn.LayerNorm(width))


class FusionLayer(nn.Module):
    """The state of a step reads the tokens of that step."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(3)])
        self.attention, self.dropout = Attention(width, num_heads), nn.Dropout(dropout)
        self.perceptron, self.use_checkpointing = perceptron(width, 4 * width, width), False

    def forward(self, state: Tensor, tokens: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """States (n, 1, s) after the layer, and the weights (n, h, 1, k) of the tokens."""
        if self.use_checkpointing and torch.is_grad_enabled():
            return checkpoint(self._forward, state, tokens, seen, use_reentrant=False)
        return self._forward(state, tokens, seen)

    def _forward(self, state: Tensor, tokens: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        read, weights = self.attention(self.norms[0](state), self.norms[1](tokens), seen)
        state = state + self.dropout(read)
        return state + self.dropout(self.perceptron(self.norms[2](state))), weights


class Temporal(nn.Module):
    """A causal transformer over the steps."""

    def __init__(self, config: FusionModelConfig) -> None:
        super().__init__()
        shape = (config.state_dim, config.temporal_heads, config.dropout)
        self.layers = nn.Sequential(*(CausalLayer(*shape) for _ in range(config.temporal_layers)))
        self.norm = nn.LayerNorm(config.state_dim)

    def forward(self, steps: Float[Tensor, "b t s"]) -> Float[Tensor, "b t s"]:
        """States from what was fused until each step."""
        return self.norm(self.layers(steps))


class Summary(nn.Module):
    """What there is to remember of a clip, from the states, the tokens and the whole sound.

    Some things show at one step of one modality alone, the heat of an object when it is first touched. A mean over the
    steps has hardly anything of them, and a state at the end need not remember what no prediction asks for. So each
    step has weights of its own.
    """

    def __init__(self, width: int, num_tokens: int, max_seq_len: int, outputs: int) -> None:
        super().__init__()
        self.states = nn.Linear(max_seq_len * width, 2 * width)
        self.tokens = nn.Linear(max_seq_len * num_tokens * width, 2 * width)
        self.sound = nn.Linear(width, 2 * width)
        self.output = nn.Linear(2 * width, outputs)

    def forward(
        self,
        states: Float[Tensor, "b t s"],
        tokens: Float[Tensor, "b t k s"],
        sound: Float[Tensor, "b s"],
        seen: Bool[Tensor, "b t k"],
        is_heard: Bool[Tensor, "b 1"],
    ) -> Float[Tensor, "b d"]:
        """Summaries of clips from what is `seen` of the tokens, and from the sound where it `is_heard`."""
        there = torch.where(seen[..., None], tokens, 0.0).flatten(2)
        found = _by_step(self.states, states) + _by_step(self.tokens, there)
        return self.output(F.gelu(found + torch.where(is_heard, self.sound(sound), 0.0)))


def _by_step(layer: nn.Linear, values: Float[Tensor, "b t k"]) -> Tensor:
    """A linear layer with weights for each step and number, of clips that may be shorter than the longest ones."""
    flat = values.flatten(1)
    return F.linear(flat, layer.weight[:, : flat.shape[1]], layer.bias)


class FusionModule(nn.Module):
    """Tokens, attention over the modalities of a step, attention over time, the summary of a clip."""

    def __init__(self, config: FusionModelConfig, sources: Sources) -> None:
        super().__init__()
        width, heads = config.state_dim, config.num_heads
        self.max_seq_len, self.latent_dim = config.max_seq_len, sources.latents
        self.tokens = Tokens(width, sources, config.max_seq_len)
        self.query = nn.Parameter(torch.randn(width) * 0.1)
        self.layers = nn.ModuleList([FusionLayer(width, heads, config.dropout) for _ in range(config.num_layers)])
        self.temporal = Temporal(config)
        self.sound = embedding(sources.latents, width)
        self.summary = Summary(width, len(MODALITIES) + 1, config.max_seq_len, sources.latents)

    def forward(self, given: Observations) -> World:
        """States and summary of clips; the same for a clip in any company."""
        tokens, seen = self.tokens(given), _with_action(given)
        fused, weights = self._fused(tokens, seen)
        states = self.temporal(fused)
        summary = self.summary(states, tokens, self.sound(given.latents), seen, given.has[:, 1:2])
        return World(states, summary, _entropy(weights))

    def _fused(self, tokens: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        shape = tokens.shape[:2]
        tokens, seen = tokens.flatten(0, 1), seen.flatten(0, 1)
        state, weights = self.query.expand(len(tokens), 1, -1), torch.zeros(())
        for layer in self.layers:
            state, weights = layer(state, tokens, seen)
        return state.unflatten(0, shape).squeeze(2), weights


def _with_action(given: Observations) -> Tensor:
    """Which tokens are read, bool (b, t, m + 1): that of the action always, also where it is none."""
    return F.pad(given.seen, (0, 1), value=True)


def _entropy(weights: Tensor) -> Tensor:
    weights = weights.detach()
    nats = -(weights * weights.clamp(min=1e-9).log()).sum(-1).mean()
    return nats / torch.tensor(float(weights.shape[-1])).log()


class Alignment(nn.Module):
    """One modality of a clip, by itself, in a space that all share: neither action nor other modalities are read.

    Convolutions over the steps, to which their time is added: what a picture and a sound have in common is above all
    when something happens. The largest and mean values over the steps are projected.
    """

    def __init__(self, width: int, sources: Sources, max_seq_len: int) -> None:
        super().__init__()
        inputs = {"vision": sources.maps, "audio": sources.columns, "proprio": len(PROPRIO)}
        self.standards = nn.ModuleDict({name: Standard(size) for name, size in inputs.items()})
        self.inputs = nn.ModuleDict({name: nn.Linear(size, width) for name, size in inputs.items()})
        self.time = nn.Parameter(torch.randn(max_seq_len, width) * 0.3)
        self.layers = nn.ModuleDict({name: self._layers(width) for name in inputs})
        self.sound = embedding(sources.latents, width)
        self.outputs = nn.ModuleDict({name: nn.Linear(2 * width, sources.latents) for name in inputs})
        self.sharpness = nn.Parameter(torch.zeros(()))

    def temperature(self, initial: float) -> Float[Tensor, ""]:
        """Temperature of the contrastive loss, learned from `initial` on (as in CLIP, where it is at least 0.01)."""
        return (initial * (-HASTE * self.sharpness).exp()).clamp(min=0.01)

    def forward(
        self, modality: str, values: Float[Tensor, "b t c"], steps: Int[Tensor, " t"], latents: Tensor | None = None
    ) -> Tensor:
        """Unit vectors (b, d) of `values` at these `steps`; `latents` (b, d) of whole sounds where it is audio."""
        found = self.inputs[modality](self.standards[modality](values)) + self.time[steps]
        found = self.layers[modality](found.transpose(1, 2))
        if latents is not None:
            found = found + self.sound(latents)[..., None]
        return F.normalize(self.outputs[modality](torch.cat([found.mean(2), found.amax(2)], 1)), dim=-1)

    @staticmethod
    def _layers(width: int) -> nn.Sequential:
        return nn.Sequential(
            nn.GELU(), nn.Conv1d(width, width, 3, padding=1), nn.GELU(), nn.Conv1d(width, width, 3, padding=1)
        )


class Predictor(nn.Module):
    """What is observed: sound, proprioception, latents of vision, from the states and from the summary of a clip.

    A state expects them at its own step and at the next one; the summary recalls them at every step. Targets are
    standardised. A modality that is hidden has to be inferred from the rest.
    """

    def __init__(self, config: FusionModelConfig, sources: Sources, n_mels: int) -> None:
        super().__init__()
        width = config.state_dim
        self.sizes = (sources.latents, n_mels, len(PROPRIO))
        self.standards = nn.ModuleList([Standard(size) for size in self.sizes])
        self.layers = perceptron(width, 2 * width, 2 * sum(self.sizes))
        self.summary, self.output = nn.Linear(sources.latents, 2 * width), nn.Linear(2 * width, sum(self.sizes))
        self.time = nn.Parameter(torch.randn(config.max_seq_len, 2 * width))

    def forward(self, states: Float[Tensor, "b t s"]) -> Float[Tensor, "b t 2 o"]:
        """Standardised observations at the step of each state and at the next one."""
        return self.layers(states).unflatten(-1, (2, -1))

    def recall(self, summary: Float[Tensor, "b d"], num_steps: int) -> Float[Tensor, "b t o"]:
        """Standardised observations at all steps."""
        return self.output(F.gelu(self.summary(summary)[:, None] + self.time[:num_steps]))
