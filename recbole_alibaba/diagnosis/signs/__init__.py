"""What do the epoch records say? One table of signs: records and settings in, findings out; no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recbole_alibaba.diagnosis.causes.evidence import STILL, SWALLOWED, WILD
from recbole_alibaba.diagnosis.findings import Finding, by_severity
from recbole_alibaba.diagnosis.readings import History, Settings, has_learned, ranking_loss, settings_of
from recbole_alibaba.diagnosis.signs import embedding_signs, gradient_signs, loss_signs, metric_signs
from recbole_alibaba.diagnosis.signs.threshold_sign import ThresholdSign as Row

Sign = Callable[[History, Settings], Finding | None]


def _loss_is_left(history: History) -> bool:
    return not ranking_loss(history[-1]) < 0.1


def _not_learned(history: History) -> bool:
    return not has_learned(history)


# Gradient entries below the eps that Adam adds to their size: the steps shrink with the gradient.
EPS_SWALLOWS = Row(
    "eps-swallows-gradient",
    "below_eps",
    ">",
    SWALLOWED,
    "warning",
    ("clip-too-tight", "eps-too-large", "init-too-small", "half-precision"),
    "eps-swallows-gradient",
    applies=_not_learned,
    value="eps",
)

# id, reading, comparison, threshold, severity, possible causes, the cause that always counts; or a function.
SIGNS: tuple[Sign, ...] = (
    loss_signs.not_finite,
    gradient_signs.unmoved,
    Row("stale-gradients", "stale", ">", 0.0, "error", (), "stale-gradients"),
    gradient_signs.coupled_decay,
    loss_signs.stuck_at_ln2,
    loss_signs.worse_than_guessing,
    loss_signs.rising,
    embedding_signs.too_small_to_learn,
    embedding_signs.collapsed_to_zero,
    # The distance from the mean row, over the norm: independent rows show 1.
    Row("collapsed-to-point", "{table}_spread", "<", embedding_signs.ONE_POINT, "error", WILD, "rows-start-equal"),
    # Rows that rank well stay far below 10.
    Row("grows-without-bound", "{table}_norm", ">", 100.0, "error", WILD, "learning-rate-too-large"),
    # A table of 2.8 M rows under xavier still shows 1e-4.
    Row("vanishing-gradients", "grad_norm", "<", 1e-6, "error", STILL, "dead-path", applies=_loss_is_left),
    gradient_signs.exploding,
    # Adam at a learning rate of 0.001 changes fresh rows by 1e-2 a step.
    Row(
        "updates-too-small",
        "update_ratio",
        "<",
        1e-5,
        "error",
        STILL,
        "learning-rate-too-small",
        applies=_not_learned,
    ),
    EPS_SWALLOWS,
    loss_signs.regularisation_dominates,
    loss_signs.flat,
    loss_signs.oscillating,
    metric_signs.metric_not_finite,
    # The loss fell, yet positives score below negatives: the loss is computed from other scores.
    Row("scores-upside-down", "score_gap", "<", 0.0, "error", (), "predict-disagrees", applies=has_learned),
    metric_signs.metric_flat,
    metric_signs.overfitting,
    metric_signs.never_stops,
)

# What the course of a loss means is known for a mean of the same terms in each epoch. Another model of RecBole may have
# a loss with a term that grows (MultiVAE), that waits (NCL), that alternates (KTUP) or that is no BPR (GCMC).
OF_THE_LOSS: tuple[Sign, ...] = (
    loss_signs.stuck_at_ln2,
    loss_signs.rising,
    loss_signs.flat,
    loss_signs.oscillating,
    loss_signs.worse_than_guessing,
    gradient_signs.unmoved,
    metric_signs.overfitting,  # it compares the metric with a loss that falls
)


def find_signs(history: Sequence[Mapping[str, Any]], settings: Any = None) -> list[Finding]:
    """Hold the epoch records against every sign.

    Args:
        history: the records so far, the oldest first (see ``readings.py``).
        settings: RecBole's Config or a mapping; they decide which causes and remedies fit. With ``another_model`` the
            signs of a known loss are not read.

    Returns:
        The findings, the worst first; empty if there is no record.
    """
    if not history:
        return []
    known = settings_of(settings)
    read = [sign for sign in SIGNS if not (known.get("another_model") and sign in OF_THE_LOSS)]
    found = (sign(history, known) for sign in read)
    return by_severity([finding for finding in found if finding is not None])
