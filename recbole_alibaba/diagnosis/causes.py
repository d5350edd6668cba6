"""Which causes fit what was seen, likeliest first, and which settings may cure each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# These optimisers divide by the gradient's own size, the decay term with it: however small the factor,
# a row without loss gradient is pulled to zero at the full learning rate.
COUPLED = ("adam", "rmsprop", "adagrad")
SMALLEST_LEARNING_RATE = 1e-4
LARGEST_LEARNING_RATE = 0.1


def is_coupled(settings: Mapping[str, Any]) -> bool:
    """Whether weight decay goes through an adaptive optimiser's division."""
    return number(settings, "weight_decay") > 0 and str(settings.get("learner", "adam")).lower() in COUPLED


def number(settings: Mapping[str, Any], key: str, default: float = 0.0) -> float:
    """A setting as float; ``default`` when it is absent or no number."""
    try:
        return float(settings.get(key, default))
    except (TypeError, ValueError):
        return default


def max_norm(settings: Mapping[str, Any]) -> float:
    """RecBole's ``clip_grad_norm: {max_norm: ...}``; infinite when nothing is clipped."""
    clip = settings.get("clip_grad_norm")
    return number(clip, "max_norm", float("inf")) if isinstance(clip, Mapping) else float("inf")


def why_it_does_not_move(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Causes of a loss that stands still, as far as the settings tell; thin data is what remains."""
    rate = number(settings, "learning_rate", 0.001)
    sgd = str(settings.get("learner", "adam")).lower() == "sgd"
    suspects = {
        "learning-rate-too-small": 0 < rate < SMALLEST_LEARNING_RATE and not sgd,
        "plain-sgd": sgd and rate < LARGEST_LEARNING_RATE,
        "coupled-decay": is_coupled(settings),
        "strong-regularisation": number(settings, "reg_weight") >= 0.01,
        "clip-too-tight": max_norm(settings) < 1e-3,
    }
    return (*(cause for cause, fits in suspects.items() if fits), "thin-data")


def candidates(cause: str, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Settings that may cure ``cause``, the smallest change first; empty when no setting does."""
    if cause == "coupled-decay":
        return [{"learner": "adamw"}, {"weight_decay": 0.0}]
    if cause in ("learning-rate-too-small", "learning-rate-too-large"):
        return [{"learning_rate": 0.001}, {"learning_rate": 0.01}]
    if cause == "plain-sgd":
        return [{"learner": "adam", "learning_rate": 0.001}, {"learner": "adam", "learning_rate": 0.01}]
    if cause == "strong-regularisation":
        return [{"reg_weight": 1e-5}]
    if cause == "clip-too-tight":
        return [{"clip_grad_norm": {"max_norm": 1.0, "norm_type": 2}}]
    return []


def changes(causes: tuple[str, ...], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The first remedy of the likeliest cause."""
    tries = candidates(causes[0], settings) if causes else []
    return tries[0] if tries else {}
