"""Does the loss fall? Signs of a loss that is stuck, flat, rising, oscillating or not finite; no torch."""

from __future__ import annotations

import math
from itertools import pairwise

from recbole_alibaba.diagnosis.causes.evidence import WILD, explained, likely, why_still
from recbole_alibaba.diagnosis.findings import Finding, Severity
from recbole_alibaba.diagnosis.readings import LEARNED, RANKING_PARTS, History, Settings, has_learned, losses, reading

LN2 = math.log(2)
NEAR = 0.001  # this near to ln 2, a model ranks pairs no better than chance
SLOW = 0.0001  # a fall that counts as learning, if slow
UNMOVED = 0.0005  # a healthy run on thin data moves ten times as far in an epoch
PATIENCE = 3
GUESS_WORSE = 1.0  # BPR of random small scores is 0.69
CLIMB = 0.005  # of the first loss, in one epoch
SWING = 0.02  # of the first loss, in one epoch


def not_finite(history: History, settings: Settings) -> Finding | None:
    """A loss, a loss part or a gradient norm that is NaN or infinite."""
    last = history[-1]
    where = last.get("not_finite")
    wrong = [
        key for key in ("loss", *RANKING_PARTS, "reg", "grad_norm") if not math.isfinite(reading(last, key) or 0.0)
    ]
    if not where and not wrong:
        return None
    place = where or {"batch": "?", "part": wrong[0]}
    return Finding(
        id="not-finite",
        severity="error",
        number=float(last.get("epoch", len(history) - 1)),
        threshold=math.inf,
        values={"batch": place["batch"], "part": place["part"]},
        **explained(likely(history, settings, WILD, "numbers-break"), settings),
    )


def stuck_at_ln2(history: History, settings: Settings) -> Finding | None:
    """The last epoch's mean is within 0.001 of ln 2, the loss of random scores.

    Large and thin data sets start there, so the first epoch gives advice. The second epoch there is a warning. The
    third one without a fall is an error, and so is a return to ln 2 from below. A loss that started above ln 2 may
    pass it, so one epoch there gives nothing. A softmax starts at the logarithm of its items and may pass ln 2, too.
    """
    if "softmax" in history[-1]:
        return None
    values = losses(history)
    if not abs(values[-1] - LN2) <= NEAR:
        return None
    epochs = next((n for n, loss in enumerate(reversed(values)) if abs(loss - LN2) > NEAR), len(values))
    fall = values[-epochs] - values[-1]
    severity: Severity
    if min(values) < LN2 - NEAR:
        wording, severity = "returned", "error"
    elif epochs == 1 and len(values) > 1:
        return None
    elif epochs == 1:
        wording, severity = "first", "advice"
    elif fall > SLOW:
        wording, severity = "slow", "warning"
    else:
        wording, severity = "message", "warning" if epochs < PATIENCE else "error"
    causes = () if wording == "first" else why_still(history, settings)
    return Finding(
        id="stuck-at-ln2",
        severity=severity,
        number=values[-1],
        threshold=LN2,
        values={"epochs": epochs, "fall": fall, "before": min(values)},
        wording=wording,
        **explained(causes, settings),
    )


def flat(history: History, settings: Settings) -> Finding | None:
    """The loss stayed within 0.0005 for three epochs. If it had fallen before, that is convergence: advice."""
    values = losses(history)
    if len(values) <= PATIENCE or not any(values):  # the loss of a model that is not trained is 0
        return None
    recent = values[-PATIENCE - 1 :]
    moved = max(recent) - min(recent)
    if not moved < UNMOVED:
        return None
    converged = has_learned(history)
    causes = () if converged else why_still(history, settings)
    return Finding(
        id="flat",
        severity="advice" if converged else "warning",
        number=moved,
        threshold=UNMOVED,
        values={"epochs": PATIENCE, "loss": values[-1], "start": values[0]},
        wording="converged" if converged else "message",
        **explained(causes, settings),
    )


def rising(history: History, settings: Settings) -> Finding | None:
    """Two epochs in a row each add more than 0.5 % of the first loss, or the loss is more than twice the first one.

    A loss that has fallen by a tenth of its first value moves up and down by chance when it has converged. It rises
    only if it has lost a tenth again. It falls where the model follows it, so its sign is right.
    """
    values = losses(history)
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return None
    first, lowest = abs(values[0]), min(values)
    climbs = len(values) > 2 and all(after - before > CLIMB * first for before, after in pairwise(values[-3:]))
    doubled = values[-1] > 2 * first and values[0] > 0
    fell = values[0] - lowest > LEARNED * first
    if not (climbs or doubled) or (fell and values[-1] - lowest <= LEARNED * first):
        return None
    last = "learning-rate-too-large" if fell else "loss-upside-down"
    return Finding(
        id="rising",
        severity="error" if doubled else "warning",
        number=values[-1],
        threshold=min(values[:-1]),
        values={"start": values[0]},
        **explained(likely(history, settings, WILD, last), settings),
    )


def worse_than_guessing(history: History, settings: Settings) -> Finding | None:
    """A BPR mean above 1: the scores are large and wrong. Random small scores cost 0.69.

    RecBole's losses include regularisation. If the loss parts have no names, the loss of a batch's scores is used.
    """
    last = history[-1]
    bpr = reading(last, "bpr" if "bpr" in last else "score_loss")
    if bpr is None or not GUESS_WORSE < bpr < math.inf:
        return None
    return Finding(
        id="worse-than-guessing",
        severity="error",
        number=bpr,
        threshold=LN2,
        **explained(likely(history, settings, WILD, "init-too-large"), settings),
    )


def oscillating(history: History, settings: Settings) -> Finding | None:
    """In four epochs the loss moves up and down, by 2 % of the first loss an epoch or more, and ends where it was."""
    recent = losses(history)[-5:]
    if len(recent) < 5 or not all(map(math.isfinite, recent)):
        return None
    moves = [after - before for before, after in pairwise(recent)]
    turns = sum(move * following < 0 for move, following in pairwise(moves))
    swing = sum(map(abs, moves)) / len(moves)
    least = SWING * abs(losses(history)[0])
    if turns < 2 or swing < least or abs(recent[-1] - recent[0]) > swing:
        return None
    return Finding(
        id="oscillating",
        severity="warning",
        number=swing,
        threshold=least,
        **explained(likely(history, settings, WILD, "learning-rate-too-large"), settings),
    )


def regularisation_dominates(history: History, settings: Settings) -> Finding | None:
    """Regularisation is more than half of the loss, before the ranking is learned."""
    bpr, reg = reading(history[-1], "bpr"), reading(history[-1], "reg")
    if bpr is None or reg is None or not reg > bpr > LN2 / 2:
        return None
    return Finding(
        id="regularisation-dominates",
        severity="warning",
        number=reg,
        threshold=bpr,
        values={"share": reg / (reg + bpr)},
        **explained(("strong-regularisation",), settings),
    )
