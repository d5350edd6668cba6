"""What do the epoch records say: a list of findings; numbers in, no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recbole_alibaba.diagnosis.findings import Finding, by_severity
from recbole_alibaba.diagnosis.readings import History, Settings
from recbole_alibaba.diagnosis.signs import embeddings, gradients, loss, metric

Sign = Callable[[History, Settings], Finding | None]
SIGNS: tuple[Sign, ...] = (
    loss.not_finite,
    gradients.unmoved,
    gradients.stale,
    gradients.coupled_decay,
    loss.stuck_at_ln2,
    loss.worse_than_guessing,
    loss.rising,
    embeddings.too_small_to_learn,
    embeddings.collapsed_to_zero,
    embeddings.collapsed_to_point,
    embeddings.grows_without_bound,
    gradients.vanishing,
    gradients.exploding,
    gradients.updates_too_small,
    gradients.eps_swallows,
    loss.regularisation_dominates,
    loss.flat,
    loss.oscillating,
    metric.metric_not_finite,
    metric.upside_down,
    metric.metric_flat,
    metric.overfitting,
    metric.never_stops,
)


def examine(history: Sequence[Mapping[str, Any]], settings: Mapping[str, Any] | None = None) -> list[Finding]:
    """Hold the epoch records so far (oldest first) against every sign; the worst finding comes first.

    ``settings`` are RecBole's (a Config or a dict will do): they decide which causes and remedies fit.
    """
    if not history:
        return []
    known = getattr(settings, "final_config_dict", settings) or {}
    found = (sign(history, known) for sign in SIGNS)
    return by_severity([finding for finding in found if finding is not None])
