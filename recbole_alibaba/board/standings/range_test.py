"""How far apart do the best and the worst of several equal models come by chance?"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr
from scipy.stats import chi2

_Z = np.linspace(-8.5, 8.5, 86)
_DENSITY = np.exp(-(_Z**2) / 2) / np.sqrt(2 * np.pi) * (_Z[1] - _Z[0])
_OUTSIDE = 1e-13


def range_p(t: float, models: int, freedom: float) -> float:
    """The probability that among equal models any two differ by at least t standard errors of a difference.

    The upper tail of Tukey's studentized range at sqrt(2) t, by the trapezoidal rule; two models give the two-sided
    t test. scipy.stats.studentized_range gives the same in eight times the time.

    Args:
        t: at least 0, may be infinite.
        models: at least 2.
        freedom: degrees of freedom of the standard error, may be infinite.
    """
    if math.isinf(t):
        return 0.0
    if freedom > 1e6:
        errors, weights = np.ones(1), np.ones(1)
    else:
        low, high = np.log(chi2.ppf(_OUTSIDE, freedom) / freedom), np.log(chi2.isf(_OUTSIDE, freedom) / freedom)
        logs = np.linspace(low, high, 160)
        # The density of log s, where freedom * s^2 is chi-squared.
        weights = np.exp(freedom / 2 * (logs - np.exp(logs) + 1))
        errors = np.exp(logs / 2)
    span = math.sqrt(2) * t * errors
    inside = models * ((ndtr(_Z) - ndtr(_Z - span[:, None])) ** (models - 1)) @ _DENSITY
    return float(np.clip((1 - inside) @ weights / weights.sum(), 0.0, 1.0))
