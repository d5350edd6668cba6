"""How far can the seed alone move a model's score?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class SeedNoise(NamedTuple):
    """The variance of a model's mean score from seed to seed, and the degrees of freedom of this estimate."""

    variance: float
    freedom: float


def seed_noise(means: Mapping[str, NDArray[np.float64]]) -> dict[str, SeedNoise]:
    """The seeds' noise of each model, from its mean score with each seed.

    Three seeds say little about one model, so the models whose score depends on the seed are also pooled. A model has
    the larger of its own variance and the pooled one: its own may be small by chance, and a model that moves more than
    the others is not hidden by them. A model that gives the same score with every seed has no noise.

    Args:
        means: by label, shape (seeds of this model,).

    Returns:
        By label. Without any model that moves between two seeds all are zero.
    """
    own = {label: float(np.var(values, ddof=1)) for label, values in means.items() if np.ptp(values) > 0}
    weights = {label: len(means[label]) - 1 for label in own}
    freedom = sum(weights.values())
    pooled = sum(own[label] * weights[label] for label in own) / freedom if own else 0.0

    def noise(label: str) -> SeedNoise:
        if label not in own:
            return SeedNoise(pooled if len(means[label]) == 1 else 0.0, freedom or 1)
        return SeedNoise(own[label], weights[label]) if own[label] > pooled else SeedNoise(pooled, freedom)

    return {label: noise(label) for label in means}
