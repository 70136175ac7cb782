"""The contrastive loss of two views, and how it is monitored: variance and clusters of the latents, their collapse.

Shapes: b samples, d dimensions.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from nsmodels.core.errors import Unworkable
from nsmodels.systems.world.config import ContrastiveConfig

TARGET = 1.0  # standard deviation of each dimension of the latents, below which the hinge acts


def nt_xent(first: Float[Tensor, "b d"], second: Float[Tensor, "b d"], temperature: float) -> Float[Tensor, ""]:
    """The normalised temperature-scaled cross-entropy of b pairs of views (Chen et al. 2020, arXiv:2002.05709).

    With unit vectors z of all 2b views, s_ij = z_i·z_j / temperature and p(i) the other view of the same sample, it is
    the mean over i of -log(exp s_ip(i) / Σ_{j≠i} exp s_ij). The negatives are the other samples of a micro-batch:
    the loss depends on how a batch is split, as it does with batch normalisation.
    """
    views = F.normalize(torch.cat([first, second]).float(), dim=1)
    similarity = views @ views.T / temperature
    similarity.fill_diagonal_(-torch.inf)
    partner = torch.arange(len(views), device=views.device).roll(len(first))
    return F.cross_entropy(similarity, partner)


def alignment(
    first: Float[Tensor, "b d"], second: Float[Tensor, "b d"], temperature: float | Tensor
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The symmetric cross-entropy of pairs of two modalities, and the share of pairs that are nearest neighbours.

    Negatives are those of the other modality alone (CLIP, Radford et al. 2021, arXiv:2103.00020).
    """
    similarity = F.normalize(first.float(), dim=1) @ F.normalize(second.float(), dim=1).T / temperature
    partner = torch.arange(len(similarity), device=similarity.device)
    loss = (F.cross_entropy(similarity, partner) + F.cross_entropy(similarity.T, partner)) / 2
    hits = [(each.argmax(1) == partner).float().mean() for each in (similarity, similarity.T)]
    return loss, (hits[0] + hits[1]) / 2


def variance_hinge(latents: Float[Tensor, "b d"]) -> Float[Tensor, ""]:
    """Mean over dimensions of max(0, 1 - deviation): 1 when all latents are equal, 0 when each dimension varies by 1.

    The deviation is over the samples, with a small constant that keeps its gradient finite (VICReg, Bardes et al. 2022,
    arXiv:2105.04906).
    """
    deviation = (latents.float().var(0, unbiased=False) + 1e-4).sqrt()
    return F.relu(TARGET - deviation).mean()


def representation_variance(latents: Float[Tensor, "b d"]) -> Float[Tensor, ""]:
    """Variance of the latents over their mean squared length, in [0, 1]: 0 when all are equal."""
    values = latents.float()
    return values.var(0, unbiased=False).sum() / values.square().sum(1).mean().clamp(min=1e-12)


def cluster_separation(latents: Float[Tensor, "b d"], classes: np.ndarray) -> float:
    """Mean cosine of two samples of one class minus that of two classes, once the mean latent is subtracted.

    `classes`: int64 (b,). About 0 for latents that are independent of the class, 1 for classes at right angles. Without
    two samples of a class, or two classes, it is 0.
    """
    units = F.normalize((latents - latents.mean(0)).double(), dim=1)
    same = torch.as_tensor(classes[:, None] == classes[None, :], device=units.device)
    cosine, other = units @ units.T, ~torch.eye(len(units), dtype=torch.bool, device=units.device)
    if not (same & other).any() or same.all():
        return 0.0
    return float(cosine[same & other].mean() - cosine[~same].mean())


def require_variance(variance: float, objective: ContrastiveConfig, name: str, epoch: int, batch_size: int) -> None:
    """Raise `Unworkable` when the representation has collapsed: all samples have nearly the same latents."""
    if variance < objective.min_variance:
        raise Unworkable(
            f"epoch {epoch + 1}: the representation of {name} has collapsed: its variance is {variance:.2e} of its "
            f"squared length, less than min_variance={objective.min_variance:g}; raise objective.variance_weight (now "
            f"{objective.variance_weight:g}) or training.batch_size (now {batch_size}), lower training.lr, and check "
            f"that samples and their views differ ('show' of the data)"
        )
