"""How far an image is from those of the training, by the statistics of its features.

Shapes: n images, c features: the coarsest level of the feature pyramid, averaged over an image. The distance is that of
Mahalanobis (Lee et al. 2018), divided by √c: its square is 1 on average over the images it was fitted to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray

# Share of the correlations that is removed: few images leave the least directions of a covariance far too small.
SHRINKAGE = 0.1
USUAL = 0.999  # share of further images within the usual distance
# An image is unlike the others beyond so many usual distances. The 32 official training images, of a renderer that the
# network has not seen, come to 0.9 of one; images turned by a quarter to 1.6, blank ones to 2.8, photographs to 4.5 and
# more, noise to 9.
MARGIN = 1.25


@dataclass(frozen=True, eq=False)
class Familiarity:
    """Distribution of the features of familiar images.

    Attributes:
        mean: (c,).
        whitening: (c, c); deviations from the mean times it are uncorrelated and of variance 1.
        usual: distance within which are 99.9 % of further familiar images.
    """

    mean: Array
    whitening: Array
    usual: float

    @classmethod
    def fitted(cls, features: Array, further: Array) -> Familiarity:
        """The distribution of `features` (n, c), n ≥ 2; the usual distance is that of `further` (m, c)."""
        mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
        correlation = np.cov((features - mean).T / scale[:, None]).reshape(len(mean), -1)
        # With Σ = (1 − s) R + s I = L Lᵀ, the rows x of scaled deviations become x L⁻ᵀ.
        shrunk = (1 - SHRINKAGE) * correlation + SHRINKAGE * np.eye(len(mean))
        whitening = np.linalg.inv(np.linalg.cholesky(shrunk)).T / scale[:, None]
        found = cls(mean, whitening, 0.0)
        return cls(mean, whitening, float(np.quantile(found.distance(further), USUAL)))

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Familiarity:
        """The inverse of `to_json`; raises KeyError, TypeError or ValueError for anything else."""
        mean, whitening = np.array(entry["mean"], float), np.array(entry["whitening"], float)
        if whitening.shape != (len(mean), len(mean)):
            raise ValueError(f"whitening of shape {whitening.shape} for {len(mean)} features")
        return cls(mean, whitening, float(entry["usual"]))

    def to_json(self) -> dict[str, Any]:
        """As dictionaries, lists and numbers, to six digits."""
        rounded = [[float(f"{value:.6g}") for value in row] for row in (self.mean, *self.whitening)]
        return {"mean": rounded[0], "whitening": rounded[1:], "usual": self.usual}

    @property
    def limit(self) -> float:
        """The distance beyond which an image is unlike the others."""
        return MARGIN * self.usual

    def distance(self, features: Array) -> Array:
        """Distances (n,) of `features` (n, c)."""
        return np.sqrt(np.square((features - self.mean) @ self.whitening).mean(axis=1))
