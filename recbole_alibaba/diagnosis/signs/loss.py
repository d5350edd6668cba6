"""Does the loss move the way a learning model's does: stuck, flat."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from recbole_alibaba.diagnosis.causes import changes, why_it_does_not_move
from recbole_alibaba.diagnosis.findings import Finding

LN2 = math.log(2)
NEAR = 0.001  # within this of ln 2, a model ranks a positive above a negative no better than a coin
STILL = 0.0005  # a healthy run on thin data moves ten times as far in an epoch
PATIENCE = 3


def ranking_loss(record: Mapping[str, Any]) -> float:
    """The record's ``bpr``, or its whole ``loss`` where the model has no named parts."""
    return float(record.get("bpr", record.get("loss", math.nan)))


def stuck_at_ln2(history: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> Finding | None:
    """The last epoch's mean within 0.001 of ln 2, which is what guessing scores.

    After the first epoch that is where a large or thin data set begins, so it is advice; a second epoch
    there is a warning, a third without falling an error, and so is a return to it.
    """
    losses = [ranking_loss(record) for record in history]
    last = losses[-1]
    if not abs(last - LN2) <= NEAR:
        return None
    epochs = 0
    while epochs < len(losses) and abs(losses[-1 - epochs] - LN2) <= NEAR:
        epochs += 1
    fall = losses[-min(epochs, len(losses))] - last
    causes = why_it_does_not_move(settings)
    if epochs < len(losses):
        wording, severity = "returned", "error"
    elif epochs == 1:
        wording, severity = "first", "advice"
    elif fall > NEAR / 10:
        wording, severity = "slow", "warning"
    else:
        wording, severity = "message", "warning" if epochs < PATIENCE else "error"
    return Finding(
        id="stuck-at-ln2",
        severity=severity,  # type: ignore[arg-type]
        number=last,
        threshold=LN2,
        values={"epochs": epochs, "fall": fall, "before": min(losses)},
        wording=wording,
        causes=causes,
        changes=changes(causes, settings),
    )


def flat(history: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> Finding | None:
    """A loss that stayed within 0.0005 for three epochs; advice when it had fallen far before."""
    losses = [ranking_loss(record) for record in history]
    if len(losses) <= PATIENCE:
        return None
    recent = losses[-PATIENCE - 1 :]
    moved = max(recent) - min(recent)
    if not moved < STILL:
        return None
    converged = losses[0] - losses[-1] > 0.1 * abs(losses[0])
    causes = () if converged else why_it_does_not_move(settings)
    return Finding(
        id="flat",
        severity="advice" if converged else "warning",
        number=moved,
        threshold=STILL,
        values={"epochs": PATIENCE, "loss": losses[-1], "start": losses[0]},
        wording="converged" if converged else "message",
        causes=causes,
        changes=changes(causes, settings),
    )
