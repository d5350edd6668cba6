"""Does the validation metric follow the loss? Signs of a flat, falling, tied or undefined metric; no torch."""

from __future__ import annotations

import math

from recbole_alibaba.diagnosis.causes.evidence import explained, measured
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import History, Settings, has_learned, losses, reading, valid_scores
from recbole_alibaba.diagnosis.signs.loss_signs import UNMOVED
from recbole_alibaba.settings.ranking_metrics import valid_length

SAME = 0.02  # spread of the metric, as a share of its best value
EVALUATIONS = 4
PERFECT = 0.5  # a broken evaluation does not give such a metric, and a good one may not rise any more
ROUNDED = 100  # units of the last decimal: below, a tie may come from rounding
UNKNOWN = 0.5  # share of the held-out rows
PAST_BEST = 3
WORSE = 0.1
LEAST_FALL = 10  # units of the last decimal: a smaller fall is rounding or noise


def metric_flat(history: History, settings: Settings) -> Finding | None:
    """The loss has fallen by more than a tenth, and the metric has not changed since the first evaluation."""
    scores = valid_scores(history, settings)
    if len(scores) < EVALUATIONS or not has_learned(history) or not all(map(math.isfinite, scores)):
        return None
    best, spread = max(map(abs, scores)), max(scores) - min(scores)
    if spread > SAME * best or best > PERFECT:
        return None
    values = losses(history)
    seen = {"start": values[0], "loss": values[-1], "score": scores[-1], "evaluations": len(scores)}
    if best == 0 and rounds_to_zero(history, settings):
        cause = explained(("metric-rounded",), settings)
        return Finding("metric-flat", "advice", spread, SAME * best, seen, "rounded", **cause)
    return Finding(
        id="metric-flat",
        severity="error" if best == 0 else "warning",
        number=spread,
        threshold=SAME * best,
        values=seen,
        **explained(measured_causes(settings), settings),
    )


def overfitting(history: History, settings: Settings) -> Finding | None:
    """The metric has been 10 % below its best for three evaluations, while the loss still falls.

    The metric of a model that has not learned yet is noise. A metric that has risen by 10 % since its lowest value is
    recovering: DiffRec's falls by half in its first epochs and comes back.
    """
    scores, values = valid_scores(history, settings), losses(history)
    if not scores or not all(map(math.isfinite, scores)):
        return None
    if not has_learned(history) or not values[-1] < values[-2]:
        return None
    best = max(range(len(scores)), key=scores.__getitem__)
    after = scores[best + 1 :]
    if len(after) < PAST_BEST or max(after) > (1 - WORSE) * scores[best]:
        return None
    if scores[best] - scores[-1] < LEAST_FALL * last_decimal(settings) or scores[-1] > (1 + WORSE) * min(after):
        return None
    return Finding(
        id="overfitting",
        severity="warning",
        number=scores[-1],
        threshold=scores[best],
        values={"best": best, "since": len(after)},
        **explained(("too-little-regularisation", *measured(settings, "no-signal", "thin-data")), settings),
    )


def never_stops(history: History, settings: Settings) -> Finding | None:
    """Five evaluations give exactly the same metric. RecBole counts a tie as an improvement, so it never stops."""
    scores = valid_scores(history, settings)[-EVALUATIONS - 1 :]
    recent = losses(history)[-EVALUATIONS - 1 :]
    if len(scores) <= EVALUATIONS or len(set(scores)) != 1 or scores[-1] > PERFECT:
        return None
    if 0 < scores[-1] < ROUNDED * last_decimal(settings):
        return None  # RecBole's rounding leaves few digits, so a tie is likely
    if scores[-1] == 0 and rounds_to_zero(history, settings):
        return None
    if max(recent) - min(recent) < UNMOVED:
        return None  # a model that does not move scores the same; `flat` covers it
    causes = measured_causes(settings)
    return Finding(
        id="never-stops",
        severity="warning" if causes or scores[-1] == 0 else "advice",
        number=scores[-1],
        threshold=float(len(scores)),
        values={"evaluations": len(scores)},
        **explained(causes, settings),
    )


def measured_causes(settings: Settings) -> tuple[str, ...]:
    """Causes of a metric that stands still which the checks before training have measured."""
    unknown = float(settings.get("unknown") or 0) > UNKNOWN
    return (*measured(settings, "evaluation-broken"), *(("held-out-unknown",) if unknown else ()))


def rounds_to_zero(history: History, settings: Settings) -> bool:
    """Whether lists of k out of so many items hit by chance less often than RecBole's rounding shows."""
    items = reading(history[-1], "items")
    return items is not None and hits_are_rounded_away(items, settings)


def hits_are_rounded_away(items: float, settings: Settings) -> bool:
    """The same for a catalogue of so many items."""
    length = valid_length(settings)
    return length is not None and length < LEAST_FALL * last_decimal(settings) * items


def last_decimal(settings: Settings) -> float:
    """The unit to which RecBole rounds a metric: 0.0001 by default."""
    return float(10.0 ** -int(settings.get("metric_decimal_place") or 4))


def metric_not_finite(history: History, settings: Settings) -> Finding | None:
    """The validation metric is NaN or infinite: RecBole never writes a checkpoint."""
    scores = valid_scores(history, settings)
    if not scores or math.isfinite(scores[-1]):
        return None
    return Finding(
        id="metric-not-finite",
        severity="error",
        number=scores[-1],
        threshold=0.0,
        **explained(("evaluation-broken",), settings),
    )
