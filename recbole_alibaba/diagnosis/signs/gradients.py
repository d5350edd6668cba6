"""Do gradients arrive and move the parameters: vanishing, exploding, swallowed, outweighed, stale, unused."""

from __future__ import annotations

from recbole_alibaba.diagnosis.causes import (
    STILL,
    SWALLOWED,
    WILD,
    evidence,
    explained,
    is_coupled,
    likely,
    max_norm,
)
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import History, Settings, has_learned, ranking_loss, reading

VANISHED = 1e-6  # a table of 2.8 M rows under xavier still shows 1e-4
EXPLODED = 100.0
CLIPPED = 0.5
SMALLEST_UPDATE = 1e-5  # Adam at 0.001 changes fresh rows by 1e-2 a step
OUTWEIGHED = 0.5


def vanishing(history: History, settings: Settings) -> Finding | None:
    """A gradient norm below 1e-6 while there is still something to learn."""
    norm = reading(history[-1], "grad_norm")
    if norm is None or not norm < VANISHED or ranking_loss(history[-1]) < 0.1:
        return None
    return Finding(
        id="vanishing-gradients",
        severity="error",
        number=norm,
        threshold=VANISHED,
        **explained(likely(history, settings, STILL, "dead-path"), settings),
    )


def exploding(history: History, settings: Settings) -> Finding | None:
    """A gradient norm above 100 that has grown tenfold, or one that clipping cuts at every other step.

    Clipping at less than the usual norm is a tight clip, not an explosion: then the clip is the cause.
    """
    last, first = history[-1], history[0]
    norm, share = reading(last, "grad_norm"), reading(last, "clipped") or 0.0
    if norm is None or not norm < float("inf"):
        return None
    start = reading(first, "grad_norm") or norm
    # A loss summed over items (an autoencoder's) has gradients of its own size.
    grew = norm > EXPLODED * max(1.0, abs(ranking_loss(first))) and (
        norm > 10 * start or len(history) == 1 or share > CLIPPED
    )
    if not grew and share <= CLIPPED:
        return None
    causes = likely(history, settings, (*WILD, "clip-too-tight"), None if grew else "clip-too-tight")
    return Finding(
        id="exploding-gradients" if grew else "clipped-steps",
        severity="error" if grew else ("warning" if max_norm(settings) < 0.01 * norm else "advice"),
        number=norm if grew else share,
        threshold=EXPLODED if grew else CLIPPED,
        values={"norm": norm, "share": share, "limit": max_norm(settings)},
        **explained(causes or ("learning-rate-too-large",), settings),
    )


def updates_too_small(history: History, settings: Settings) -> Finding | None:
    """A step changes the rows it touches by less than 1e-5 of their size, and nothing was learned yet."""
    ratio = reading(history[-1], "update_ratio")
    if ratio is None or not ratio < SMALLEST_UPDATE or has_learned(history):
        return None
    return Finding(
        id="updates-too-small",
        severity="error",
        number=ratio,
        threshold=SMALLEST_UPDATE,
        **explained(likely(history, settings, STILL, "learning-rate-too-small"), settings),
    )


def eps_swallows(history: History, settings: Settings) -> Finding | None:
    """Most gradient entries are below the eps that Adam adds to their size, so steps shrink with them."""
    share, eps = reading(history[-1], "below_eps"), reading(history[-1], "eps")
    if share is None or eps is None or share <= SWALLOWED or has_learned(history):
        return None
    causes = likely(history, settings, ("clip-too-tight", "eps-too-large", "init-too-small", "half-precision"))
    return Finding(
        id="eps-swallows-gradient",
        severity="warning",
        number=share,
        threshold=SWALLOWED,
        values={"eps": eps},
        **explained((*causes, "eps-swallows-gradient"), settings),
    )


def coupled_decay(history: History, settings: Settings) -> Finding | None:
    """Weight decay inside Adam's division outweighs the loss gradient on half of the rows or more."""
    share = reading(history[-1], "decay_share")
    if share is None or share < OUTWEIGHED or not is_coupled(settings):
        return None
    return Finding(
        id="coupled-decay",
        severity="warning" if has_learned(history) else "error",
        number=share,
        threshold=OUTWEIGHED,
        values={"decay": settings.get("weight_decay"), "learner": settings.get("learner") or "adam"},
        **explained(("coupled-decay",), settings),
    )


def stale(history: History, settings: Settings) -> Finding | None:
    """Batches that begin with a former batch's gradient: nobody calls ``zero_grad``."""
    share = reading(history[-1], "stale")
    if not share:
        return None
    return Finding(id="stale-gradients", severity="error", number=share, threshold=0.0, causes=("stale-gradients",))


def unmoved(history: History, settings: Settings) -> Finding | None:
    """Parameters that an epoch of steps left exactly as they were."""
    names = list(history[-1].get("unmoved") or ())
    if not names:
        return None
    total = int(history[-1].get("parameters") or len(names))
    settled = evidence(history, settings)
    by_setting = [cause for cause in ("plain-sgd", "learning-rate-too-small", "clip-too-tight") if settled[cause]]
    # Steps below float32's resolution leave parameters as they are: then the setting is the cause.
    causes = (*by_setting, "unmoved-parameters") if len(names) == total else ("unmoved-parameters",)
    return Finding(
        id="unmoved-parameters",
        severity="error",
        number=len(names),
        threshold=0.0,
        values={"names": ", ".join(names[:5]), "total": total},
        **explained(causes, settings),
    )
