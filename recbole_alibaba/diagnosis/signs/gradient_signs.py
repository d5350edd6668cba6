"""Do gradients arrive and move the parameters? Explosion, coupled weight decay, tables that do not move; no torch."""

from __future__ import annotations

from recbole_alibaba.diagnosis.causes.evidence import WILD, evidence, explained, is_coupled, likely, max_norm
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import History, Settings, has_learned, ranking_loss, reading

EXPLODED = 100.0
GROWN = 10.0  # times the first epoch's norm
CLIPPED = 0.5  # share of the steps
TIGHT = 0.01  # max_norm, as a share of the usual norm
OUTWEIGHED = 0.5  # share of the rows


def exploding(history: History, settings: Settings) -> Finding | None:
    """A gradient norm above 100 that has grown tenfold, or more than half of the steps are clipped.

    If the norm has not exploded, clipped steps are not an explosion: the cause is a tight ``max_norm``.
    """
    last, first = history[-1], history[0]
    norm, share = reading(last, "grad_norm"), reading(last, "clipped") or 0.0
    if norm is None or not norm < float("inf"):
        return None
    start = reading(first, "grad_norm") or norm
    # A loss that is a sum over items (an autoencoder's) has larger gradients.
    exploded = norm > EXPLODED * max(1.0, abs(ranking_loss(first))) and (
        norm > GROWN * start or len(history) == 1 or share > CLIPPED
    )
    if not exploded and share <= CLIPPED:
        return None
    limit = max_norm(settings)
    causes = likely(history, settings, (*WILD, "clip-too-tight"), None if exploded else "clip-too-tight")
    return Finding(
        id="exploding-gradients" if exploded else "clipped-steps",
        severity="error" if exploded else ("warning" if limit < TIGHT * norm else "advice"),
        number=norm if exploded else share,
        threshold=EXPLODED if exploded else CLIPPED,
        values={"norm": norm, "share": share, "limit": limit},
        **explained(causes or ("learning-rate-too-large",), settings),
    )


def coupled_decay(history: History, settings: Settings) -> Finding | None:
    """Weight decay that Adam divides by the gradient's size outweighs the loss gradient on half of the rows or more."""
    share = reading(history[-1], "decay_share")
    if share is None or share < OUTWEIGHED or not is_coupled(settings):
        return None
    return Finding(
        id="coupled-decay",
        severity="warning" if has_learned(history) else "error",
        number=share,
        threshold=OUTWEIGHED,
        values={"decay": settings.get("weight_decay"), "learner": settings.get("learner") or "adam"},
        wording="message" if "epoch" in history[-1] else "fresh",
        **explained(("coupled-decay",), settings),
    )


def unmoved(history: History, settings: Settings) -> Finding | None:
    """Tables that did not change during an epoch of steps."""
    names = list(history[-1].get("unmoved") or ())
    if not names:
        return None
    total = int(history[-1].get("parameters") or len(names))
    fits = evidence(history, settings)
    by_setting = [cause for cause in ("plain-sgd", "learning-rate-too-small", "clip-too-tight") if fits[cause]]
    # If no table moves, the steps may be below float32's resolution, and then a setting is the cause.
    causes = (*by_setting, "unmoved-parameters") if len(names) == total else ("unmoved-parameters",)
    return Finding(
        id="unmoved-parameters",
        severity="error",
        number=len(names),
        threshold=0.0,
        values={"names": ", ".join(names[:5]), "total": total},
        **explained(causes, settings),
    )
