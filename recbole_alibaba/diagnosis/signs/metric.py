"""Does the validation metric follow the loss: flat, overfitting, never stopping, no number, upside down."""

from __future__ import annotations

import math

from recbole_alibaba.diagnosis.causes import explained
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import History, Settings, has_learned, losses, reading, valid_scores

SAME = 0.02  # spread of the metric, as a share of its best value
EVALUATIONS = 4
PERFECT = 0.5  # a metric this high may have nowhere to go, and a broken evaluation does not show it
UNMOVED = 0.0005
ROUNDED = 100  # units of the last decimal
PAST_BEST = 3
WORSE = 0.1
LEAST_FALL = 10  # units of the last decimal: less is rounding, and the noise of a metric near zero


def metric_flat(history: History, settings: Settings) -> Finding | None:
    """The loss has fallen by a tenth or more and the metric is where it was after the first epoch."""
    scores = valid_scores(history, settings)
    if len(scores) < EVALUATIONS or not has_learned(history) or not all(map(math.isfinite, scores)):
        return None
    best, spread = max(map(abs, scores)), max(scores) - min(scores)
    if spread > SAME * best or best > PERFECT:
        return None
    values = losses(history)
    said = {"start": values[0], "loss": values[-1], "score": scores[-1], "evaluations": len(scores)}
    if best == 0 and drowns(history, settings):
        cause = explained(("metric-rounded",), settings)
        return Finding("metric-flat", "advice", spread, SAME * best, said, "rounded", **cause)
    return Finding(
        id="metric-flat",
        severity="error" if best == 0 else "warning",
        number=spread,
        threshold=SAME * best,
        values=said,
        **explained(("evaluation-broken", "repeats-leak", "no-signal"), settings),
    )


def overfitting(history: History, settings: Settings) -> Finding | None:
    """The metric has stayed 10 % below its best for three evaluations while the loss still falls.

    A model that has not learned yet shows noise, and one whose metric has regained 10 % is recovering (DiffRec's
    falls by half in its first epochs, and returns).
    """
    scores, values = valid_scores(history, settings), losses(history)
    if len(scores) <= PAST_BEST or not all(map(math.isfinite, scores)):
        return None
    if not has_learned(history) or not values[-1] < values[-2]:
        return None
    best = max(range(len(scores)), key=scores.__getitem__)
    after = scores[best + 1 :]
    if len(after) < PAST_BEST or scores[best] <= 0 or max(after) > (1 - WORSE) * scores[best]:
        return None
    if scores[best] - scores[-1] < LEAST_FALL * last_decimal(settings) or scores[-1] > (1 + WORSE) * min(after):
        return None
    return Finding(
        id="overfitting",
        severity="warning",
        number=scores[-1],
        threshold=scores[best],
        values={"best": best, "since": len(after)},
        **explained(("too-little-regularisation", "no-signal", "thin-data"), settings),
    )


def never_stops(history: History, settings: Settings) -> Finding | None:
    """The metric is exactly the same again and again: RecBole counts a tie as an improvement."""
    scores = valid_scores(history, settings)[-EVALUATIONS - 1 :]
    recent = losses(history)[-EVALUATIONS - 1 :]
    if len(scores) <= EVALUATIONS or len(set(scores)) != 1 or scores[-1] > PERFECT:
        return None
    if 0 < scores[-1] < ROUNDED * last_decimal(settings):
        return None  # few digits are left after RecBole's rounding: a tie says nothing
    if scores[-1] == 0 and drowns(history, settings):
        return None
    if max(recent) - min(recent) < UNMOVED:  # a model that stands still scores the same: that is another sign
        return None
    return Finding(
        id="never-stops",
        severity="warning",
        number=scores[-1],
        threshold=float(len(scores)),
        values={"evaluations": len(scores)},
        **explained(("evaluation-broken",), settings),
    )


def drowns(history: History, settings: Settings) -> bool:
    """Whether lists of k out of so many items hit by chance less often than RecBole's rounding shows."""
    length = str(settings.get("valid_metric") or "").partition("@")[2]
    items = reading(history[-1], "items")
    return items is not None and length.isdigit() and int(length) / items < LEAST_FALL * last_decimal(settings)


def last_decimal(settings: Settings) -> float:
    """The unit to which RecBole rounds a metric: 0.0001 by default."""
    return float(10.0 ** -int(settings.get("metric_decimal_place") or 4))


def metric_not_finite(history: History, settings: Settings) -> Finding | None:
    """A validation metric that is no number: no checkpoint would ever be written."""
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


def upside_down(history: History, settings: Settings) -> Finding | None:
    """The loss has fallen and yet positives score below negatives: scores and loss are not the same thing."""
    gap = reading(history[-1], "score_gap")
    if gap is None or gap >= 0 or not has_learned(history):
        return None
    return Finding(
        id="scores-upside-down",
        severity="error",
        number=gap,
        threshold=0.0,
        **explained(("predict-disagrees",), settings),
    )
