"""Which models share a rank, because chance may be all that is between them?

A model's mean score has two noises: other users would have been tested, and other seeds would have been drawn. The
difference of two models is divided by its standard error from both, and its degrees of freedom are Satterthwaite's
(Games and Howell's way to compare many means of unequal variances). The best was chosen by looking at the scores, so
the difference is held against that between the largest and the smallest of as many equal models: Tukey's range. Holm's
correction of tests against the best would be right only if the best had been named beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from recbole_alibaba.board.standings.range_test import range_p
from recbole_alibaba.board.standings.seed_noise import SeedNoise, seed_noise

LEVEL = 0.05
"""How often any of equal models may be called worse than another of them."""

Scores = NDArray[np.floating]
"""Of one model: shape (seeds, users)."""


def ranks(scores: Mapping[str, Scores]) -> dict[str, int]:
    """The rank of each model, the best first, then by rank and mean.

    The best model and all that cannot be told apart from it have rank 1; among the rest the same gives the next rank,
    counted as in sports (1, 1, 1, 4).
    """
    noise = noise_of(scores)
    rest = by_mean(scores)
    given: dict[str, int] = {}
    while rest:
        p_values = against_best({label: scores[label] for label in rest}, noise)
        rank = len(given) + 1
        given |= {label: rank for label in rest if p_values.get(label, 1.0) >= LEVEL}
        rest = [label for label in rest if label not in given]
    return given


def noise_of(scores: Mapping[str, Scores]) -> dict[str, SeedNoise]:
    """The seeds' noise of every model of a data set."""
    return seed_noise({label: by_seed.mean(axis=1, dtype=np.float64) for label, by_seed in scores.items()})


def by_mean(scores: Mapping[str, Scores]) -> list[str]:
    """The labels, the highest mean first; equal ones by name."""
    return sorted(scores, key=lambda label: (-float(scores[label].mean(dtype=np.float64)), label))


def differences_of_users(one: Scores, other: Scores) -> NDArray[np.float64]:
    """One model's score less the other's, each averaged over its seeds, by user; sums of floats are rounded away."""
    return np.round(one.mean(axis=0, dtype=np.float64) - other.mean(axis=0, dtype=np.float64), 9)


def against_best(scores: Mapping[str, Scores], noise: Mapping[str, SeedNoise]) -> dict[str, float]:
    """The corrected two-sided p-value of each model but the best, by users' and seeds' noise.

    The clearest difference is held against the range of all models, the next against that of one fewer, and so on;
    a p-value is never below that of a clearer difference.
    """
    best, *others = by_mean(scores)
    tests = {}
    for label in others:
        difference = differences_of_users(scores[label], scores[best])
        seeds = [(noise[name], len(scores[name])) for name in (label, best)]
        tests[label] = _t_and_freedom(difference, seeds)
    order = sorted(others, key=lambda label: (2 * float(stats.t.sf(tests[label][0], tests[label][1])), label))
    largest = 0.0
    p_values = {}
    for step, label in enumerate(order):
        largest = max(largest, range_p(tests[label][0], len(scores) - step, tests[label][1]))
        p_values[label] = largest
    return p_values


def _t_and_freedom(difference: NDArray[np.float64], seeds: Sequence[tuple[SeedNoise, int]]) -> tuple[float, float]:
    """The absolute difference in standard errors, and Satterthwaite's degrees of freedom."""
    users = len(difference)
    by_users = float(difference.var(ddof=1)) / users if users > 1 else math.inf
    parts = [(by_users, float(users - 1))]
    if seeds[0][0] == seeds[1][0]:
        # Both have the pooled estimate: its error does not average out.
        parts.append((math.fsum(noise.variance / count for noise, count in seeds), seeds[0][0].freedom))
    else:
        parts += [(noise.variance / count, noise.freedom) for noise, count in seeds]
    variance = sum(part for part, _ in parts)
    mean = abs(float(difference.mean()))
    if variance == 0 or math.isinf(variance):
        return (math.inf if mean > 0 and variance == 0 else 0.0), 1.0
    return mean / math.sqrt(variance), variance**2 / sum(part**2 / freedom for part, freedom in parts if part)
