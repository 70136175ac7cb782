"""Terms of the losses of fusion, dynamics, and all together.

Shapes: b clips of t steps, h steps of a rollout, m twins, states of the world of width s, exact states of width o.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from nsmodels.formats.clips.names import MODALITIES
from nsmodels.systems.world.config import DynamicsObjectiveConfig, FusionObjectiveConfig
from nsmodels.systems.world.network.clips import ClipBatch
from nsmodels.systems.world.network.dynamics import Decoded
from nsmodels.systems.world.network.fusion import World
from nsmodels.systems.world.network.heads import Beliefs, Change, Normal
from nsmodels.systems.world.network.observations import Observations
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training import contrastive
from nsmodels.systems.world.training.batches import TwinBatch, WorldBatch
from nsmodels.systems.world.training.calibration import QUANTILE

Terms = dict[str, Tensor]
SHARPNESS = 0.5  # β of the likelihood
NEGLIGIBLE = 0.1  # effects in units of the deviation of an outcome, below which their direction does not matter


class Views(NamedTuple):
    """Two views of the clips of a batch: the whole clip, and its beginning, each with some modalities.

    `given`: the observations of the whole clip with all modalities.
    """

    given: Observations
    whole: World
    beginning: World


def views_of(network: WorldNetwork, batch: WorldBatch) -> Views:
    """Both views, fused; the maps of the frames are computed once."""
    clips = with_maps(network, batch.clips)
    given, cut = network.observe(clips), network.observe(clips, batch.context)
    whole = network.fusion(given.hide(batch.hidden[:, 0]))
    return Views(given, whole, network.fusion(cut.hide(batch.hidden[:, 1])))


def with_maps(network: WorldNetwork, clips: ClipBatch) -> ClipBatch:
    """The clips with the maps of their frames."""
    if clips.maps is not None or clips.video is None:
        return clips
    return replace(clips, maps=network.maps(clips.video), video=None)


# --- fusion -----------------------------------------------------------------------------------------------------------


def fusion_terms(network: WorldNetwork, batch: WorldBatch, views: Views, config: FusionObjectiveConfig) -> Terms:
    """Terms of the fusion, and the attention's entropy."""
    aligned, hits = alignment(network, views.given, config.temperature)
    steps = torch.arange(batch.clips.num_steps, device=batch.context.device) < batch.context[:, None]
    distance = (views.whole.states - views.beginning.states).square().mean(-1)
    return {
        "prediction": prediction(network, batch.clips, views),
        "consistency": mean_where(distance, steps),
        "regularisation": contrastive.variance_hinge(views.whole.states[:, -1])
        + contrastive.variance_hinge(views.whole.summary),
        "alignment": aligned,
        "alignment_accuracy": hits,
        "representation_variance": contrastive.representation_variance(views.whole.summary),
        "attention_entropy": views.whole.entropy,
    }


def fusion_loss(terms: Terms, config: FusionObjectiveConfig) -> Tensor:
    """The weighted sum of the terms of the fusion."""
    weights = {"prediction": config.prediction_weight, "consistency": config.consistency_weight}
    weights |= {"regularisation": config.regularisation_weight, "alignment": config.alignment_weight}
    return torch.stack([weight * terms[name] for name, weight in weights.items()]).sum()


def alignment(network: WorldNetwork, given: Observations, initial: float) -> tuple[Tensor, Tensor]:
    """Contrastive loss between each two modalities of the same clip, and the share of pairs that are found."""
    temperature = network.alignment.temperature(initial)
    vectors = {name: network.align(given, name) for name in MODALITIES}
    losses, hits = [vectors["vision"].sum() * 0], []
    for first, second in itertools.combinations(MODALITIES, 2):
        both = given.has[:, MODALITIES.index(first)] & given.has[:, MODALITIES.index(second)]
        if both.sum() > 1:
            loss, share = contrastive.alignment(vectors[first][both], vectors[second][both], temperature)
            losses, hits = [*losses, loss], [*hits, share]
    count = max(len(hits), 1)
    return torch.stack(losses).sum() / count, torch.stack(hits).sum() / count if hits else losses[0]


def observed_targets(network: WorldNetwork, clips: ClipBatch, given: Observations) -> list[Tensor]:
    """What is observed at each step: latents of vision, mel bands, proprioception; (b, t, k) each."""
    return [network.vision.head(given.maps), network.bands(clips), given.proprio]


def prediction(network: WorldNetwork, clips: ClipBatch, views: Views) -> Float[Tensor, ""]:
    """Mean squared error of what the states expect and the summary recalls, a mean over modalities.

    What was hidden is among it: it has to be inferred from the rest.
    """
    predictor, given = network.predictor, views.given
    with torch.no_grad():
        targets = [
            standard(each)
            for standard, each in zip(predictor.standards, observed_targets(network, clips, given), strict=True)
        ]
    expected = predictor(views.whole.states).split(predictor.sizes, -1)
    recalled = predictor.recall(views.whole.summary, clips.num_steps).split(predictor.sizes, -1)
    losses = []
    for k, target in enumerate(targets):
        seen = given.seen[..., k]
        now = mean_where((expected[k][:, :, 0] - target).square().mean(-1), seen)
        later = mean_where((expected[k][:, :-1, 1] - target[:, 1:]).square().mean(-1), seen[:, 1:])
        again = mean_where((recalled[k] - target).square().mean(-1), seen)
        losses.append((now + later + again) / 3)
    return torch.stack(losses).mean()


# --- dynamics ---------------------------------------------------------------------------------------------------------


def dynamics_terms(network: WorldNetwork, batch: WorldBatch, views: Views, config: DynamicsObjectiveConfig) -> Terms:
    """Terms of rollouts from the end of the beginning.

    mse: of the states of the world against those fused from the whole clip. nll: of the exact states, under the
    predicted deviations. state_mse: of the decoded exact states, imagined and fused; coverage: share of the imagined
    ones within the intervals that should hold 90 %.
    """
    clips, context, module = batch.clips, batch.context, network.dynamics
    assert clips.states is not None
    assert clips.actions is not None
    horizon = min(config.horizon, clips.num_steps - int(context.min()))
    rows, ahead = (
        torch.arange(len(clips), device=context.device),
        context[:, None] + torch.arange(horizon, device=context.device),
    )
    there, ahead = ahead < clips.num_steps, ahead.clamp(max=clips.num_steps - 1)
    start, actions = views.beginning.states[rows, context - 1], clips.actions[rows[:, None], ahead]
    targets, actual = module.standard(clips.states), views.whole.states[rows[:, None], ahead].detach()
    wanted, found = targets[rows[:, None], ahead], []
    for member in range(len(module.members)):
        rolled = module.roll(start, actions, member)
        found.append(_rollout_terms(rolled.states, rolled.decoded, actual, wanted, there))
    terms = {name: torch.stack([each[name] for each in found]).mean() for name in found[0]}
    steps = torch.arange(clips.num_steps, device=context.device) < context[:, None]
    fused = _state_terms(module.decode(views.beginning.states), targets, steps)
    whole = _state_terms(module.decode(views.whole.states), targets, torch.ones_like(steps))
    return terms | {name: terms[name] + (fused[name] + whole[name]) / 2 for name in fused}


def _rollout_terms(states: Tensor, decoded: Decoded, actual: Tensor, wanted: Tensor, there: Tensor) -> Terms:
    within = ((decoded.mean - wanted).abs() <= QUANTILE * decoded.log_deviation.exp()).float().mean(-1)
    terms = _state_terms(decoded, wanted, there) | {"coverage": mean_where(within, there)}
    return terms | {"mse": mean_where((states - actual).square().mean(-1), there)}


def _state_terms(decoded: Decoded, wanted: Tensor, there: Tensor) -> Terms:
    error = mean_where((decoded.mean - wanted).square().mean(-1), there)
    return {"state_mse": error, "nll": mean_where(nll(Normal(*decoded), wanted).mean(-1), there)}


def dynamics_loss(terms: Terms, config: DynamicsObjectiveConfig) -> Tensor:
    """The weighted sum of the terms of the rollouts."""
    return terms["mse"] + config.nll_weight * terms["nll"] + config.state_weight * terms["state_mse"]


# --- heads ------------------------------------------------------------------------------------------------------------


def belief_terms(network: WorldNetwork, clips: ClipBatch, beliefs: Beliefs) -> Terms:
    """Terms of properties, affordances, names, outcomes and events; those that the clips lack are 0."""
    terms: Terms = {}
    zero = beliefs.affordances.sum() * 0
    if clips.properties is not None:
        error = (beliefs.properties.mean - clips.properties).square().mean()
        terms["property"] = 10 * error + 0.1 * nll(beliefs.properties, clips.properties).mean()
    if clips.affordances is not None:
        terms["affordance"] = F.binary_cross_entropy_with_logits(beliefs.affordances, clips.affordances.float())
    if clips.concepts is not None and (clips.concepts >= 0).any():
        terms["concept"] = F.cross_entropy(beliefs.concepts.flatten(0, 1), clips.concepts.flatten(), ignore_index=-1)
    if clips.outcomes is not None and clips.events is not None:
        target = network.heads.standard(clips.outcomes)
        there, events = target.isfinite(), clips.events.float()
        found = nll(beliefs.outcomes, target.nan_to_num())
        terms["outcome"] = mean_where(found, there) + F.binary_cross_entropy_with_logits(beliefs.events, events)
    return {name: terms.get(name, zero) for name in ("property", "affordance", "concept", "outcome")}


def effects_of(network: WorldNetwork, clips: ClipBatch, world: World, beliefs: Beliefs, twins: TwinBatch) -> Change:
    """What the changes of the twins make of their clips, which have actions."""
    assert clips.actions is not None
    row = twins.row
    return network.heads.effects(
        world.states[row], world.summary[row], clips.actions[row], beliefs.events[row], twins.variable, twins.change
    )


def causal_term(
    network: WorldNetwork, clips: ClipBatch, world: World, beliefs: Beliefs, twins: TwinBatch | None
) -> Tensor:
    """The loss of the effects in twins: on states, outcomes and events."""
    if twins is None or clips.actions is None:
        return world.summary.sum() * 0
    found = effects_of(network, clips, world, beliefs, twins)
    states = F.huber_loss(found.states, twins.states / network.dynamics.standard.deviation, delta=3.0)
    wanted = twins.outcomes / network.heads.standard.deviation
    there, wanted = wanted.isfinite(), wanted.nan_to_num()
    outcomes = mean_where(nll(found.outcomes, wanted), there)
    error = mean_where(F.huber_loss(found.outcomes.mean, wanted, reduction="none"), there)
    events = F.binary_cross_entropy_with_logits(found.events, twins.events)
    return states + error + 0.2 * outcomes + events + 0.2 * direction(found.outcomes.mean, wanted)


def direction(found: Tensor, wanted: Tensor) -> Tensor:
    """Logistic loss of the direction of effects that are not negligible, however small beside the largest ones.

    Squared errors of heavy-tailed effects hardly ask for it: most of them are the few large effects.
    """
    return mean_where(F.softplus(-found * wanted.sign() / NEGLIGIBLE), wanted.abs() > NEGLIGIBLE)


# --- means ------------------------------------------------------------------------------------------------------------


def nll(found: Normal, target: Tensor) -> Tensor:
    """Negative log-likelihood of normal distributions, up to a constant, its gradient weighted by deviation^(2β).

    Without the weight the mean is hardly learned where the deviation is large (β-NLL, Seitzer et al. 2022,
    arXiv:2203.09168).
    """
    log_deviation = found.log_deviation
    each = 0.5 * ((target - found.mean) * (-log_deviation).exp()).square() + log_deviation
    return each * (2 * SHARPNESS * log_deviation).exp().detach()


def mean_where(values: Tensor, there: Tensor) -> Tensor:
    """Mean over the true places, 0 where there is none."""
    return (values * there).sum() / there.sum().clamp(min=1)
