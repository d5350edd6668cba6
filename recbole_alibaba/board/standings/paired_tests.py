"""Is the difference of two models more than the choice of the users? Paired by user; the seeds' noise is not in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

RESAMPLES = 1000
_BATCH = 50


def t_p(differences: NDArray[np.float64]) -> float:
    """The two-sided p-value of the paired t test; 1 where no user differs or there is one user."""
    if len(differences) < 2 or not differences.any():
        return 1.0
    if np.ptp(differences) == 0:
        return 0.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def wilcoxon_p(differences: NDArray[np.float64]) -> float:
    """The two-sided p-value of Wilcoxon's signed-rank test; users who do not differ are left out, 1 where none does."""
    return float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction: the smallest is multiplied by n, the next by n - 1, ...; in the order they came."""
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for step, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - step)))
        corrected[place] = largest
    return corrected


def bootstrap_intervals(differences: NDArray[np.float64], level: float = 0.95) -> NDArray[np.float64]:
    """The interval of each mean difference over resampled users (percentiles; the same resamples for all models).

    Args:
        differences: shape (models, users).

    Returns:
        Low and high, shape (models, 2).
    """
    rng = np.random.default_rng(0)
    users = differences.shape[1]
    means = []
    for _ in range(0, RESAMPLES, _BATCH):
        drawn = [np.bincount(rng.integers(users, size=users), minlength=users) for _ in range(_BATCH)]
        means.append(differences @ np.stack(drawn).T / users)
    tail = (1 - level) / 2
    return np.quantile(np.hstack(means), [tail, 1 - tail], axis=1).T
