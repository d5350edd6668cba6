"""Which causes do settings and readings point at? Cause ids, the likeliest first; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recbole_alibaba.diagnosis.causes.remedies import first_remedy
from recbole_alibaba.diagnosis.readings import History, Record, Settings, reading

# These optimisers divide the gradient by its own size, and the decay term is part of that gradient.
# A row without loss gradient is then pulled to zero at the full learning rate, however small weight_decay is.
COUPLED = ("adam", "rmsprop", "adagrad")
SMALLEST_RATE, LARGEST_RATE = 1e-4, 0.05
TINY_NORM, HUGE_NORM = 1e-3, 50.0
LARGEST_EPS = 1e-6
TIGHTEST_CLIP = 1e-3
STRONGEST_REG = 0.01
SWALLOWED = 0.8  # share of the gradient entries below eps
USUAL_RATE = 0.01  # the largest learning rate that embedding models usually take
# Findings of the checks that too little training data explains, with the cause that each has.
THIN = {"thin-data": "thin-data", "few-users": "thin-data", "few-items": "thin-data"}
THIN |= {"users-seen-once": "users-seen-once"}


def setting(settings: Settings, key: str, default: float = 0.0) -> float:
    """A setting as float; ``default`` if it is absent or not a number."""
    try:
        return float(settings.get(key, default))
    except (TypeError, ValueError):
        return default


def regularisation(settings: Settings) -> float:
    """The largest weight of the model's own L2 term: ``reg_weight``, or ``reg_weights`` (FISM, ConvNCF, NAIS)."""
    values = [settings.get(key) for key in ("reg_weight", "reg_weights")]
    weights = [weight for value in values for weight in (value if isinstance(value, list | tuple) else (value,))]
    return max((float(weight) for weight in weights if isinstance(weight, int | float)), default=0.0)


def learner(settings: Settings) -> str:
    """The optimiser's name in lower case; RecBole's default is adam."""
    return str(settings.get("learner") or "adam").lower()


def is_coupled(settings: Settings) -> bool:
    """Whether an adaptive optimiser divides the weight decay by the gradient's size."""
    return setting(settings, "weight_decay") > 0 and learner(settings) in COUPLED


def max_norm(settings: Settings) -> float:
    """``max_norm`` of RecBole's ``clip_grad_norm``; infinite if nothing is clipped."""
    clip = settings.get("clip_grad_norm")
    return setting(clip, "max_norm", float("inf")) if isinstance(clip, Mapping) else float("inf")


def _start_norms(first: Record) -> list[float]:
    norms = [reading(first, key) for key in ("user_norm_start", "item_norm_start")]
    return [norm for norm in norms if norm is not None]


def evidence(history: History, settings: Settings) -> dict[str, bool]:
    """For each cause id, whether a setting or a reading points at it. The most direct evidence comes first."""
    first, last = (history[0], history[-1]) if history else ({}, {})
    rate, sgd = setting(settings, "learning_rate", 0.001), learner(settings) == "sgd"
    norms = _start_norms(first)
    regularised = (reading(last, "reg") or 0.0) > (reading(last, "bpr") or float("inf"))
    return {
        "unmoved-parameters": bool(last.get("unmoved")),
        "stale-gradients": (reading(last, "stale") or 0.0) > 0,
        "plain-sgd": sgd and rate < LARGEST_RATE,
        "learning-rate-too-small": not sgd and rate < SMALLEST_RATE,
        "learning-rate-too-large": rate > LARGEST_RATE and not sgd,
        "clip-too-tight": max_norm(settings) < TIGHTEST_CLIP,
        "eps-too-large": (reading(last, "eps") or 0.0) > LARGEST_EPS,
        "init-too-small": bool(norms) and min(norms) < TINY_NORM,
        "init-too-large": bool(norms) and max(norms) > HUGE_NORM,
        "strong-regularisation": regularised or regularisation(settings) >= STRONGEST_REG,
        "coupled-decay": is_coupled(settings),
        "half-precision": bool(settings.get("enable_amp")) or last.get("dtype") in ("float16", "bfloat16"),
        "eps-swallows-gradient": (reading(last, "below_eps") or 0.0) > SWALLOWED,
    }


# Causes of a model that does not move, of one that diverges, of rows that shrink. ``evidence`` decides their order.
STILL = (
    "unmoved-parameters",
    "plain-sgd",
    "learning-rate-too-small",
    "clip-too-tight",
    "eps-too-large",
    "init-too-small",
    "strong-regularisation",
    "coupled-decay",
    "half-precision",
    "eps-swallows-gradient",
)
WILD = (
    "stale-gradients",
    "learning-rate-too-large",
    "init-too-large",
    "strong-regularisation",
    "coupled-decay",
    "half-precision",
)
SHRINKING = ("strong-regularisation", "coupled-decay", "init-too-small")


def likely(
    history: History, settings: Settings, among: tuple[str, ...], otherwise: str | None = None
) -> tuple[str, ...]:
    """The causes in ``among`` that the evidence points at, and ``otherwise`` as the last."""
    fitting = [cause for cause, fits in evidence(history, settings).items() if fits and cause in among]
    return (*fitting, *([otherwise] if otherwise and otherwise not in fitting else []))


def measured(settings: Settings, *among: str) -> tuple[str, ...]:
    """The findings in ``among`` that the checks before training made: ``found`` in the settings."""
    return tuple(name for name in among if name in (settings.get("found") or ()))


def why_still(history: History, settings: Settings) -> tuple[str, ...]:
    """Causes of a loss that does not fall: settings and readings, then thin data if the checks found it so.

    Where nothing points at a cause, a larger learning rate is what is left to try.
    """
    thin = [THIN[name] for name in measured(settings, *THIN)]
    causes = likely(history, settings, STILL, thin[0] if thin else None)
    slow = not causes and setting(settings, "learning_rate", 0.001) < USUAL_RATE
    return ("learning-rate-too-small",) if slow else causes


def explained(causes: tuple[str, ...], settings: Settings) -> dict[str, Any]:
    """The ``causes`` and ``changes`` of a ``Finding``. The changes are the first remedy of the likeliest cause."""
    return {"causes": causes, "changes": first_remedy(causes, settings)}
