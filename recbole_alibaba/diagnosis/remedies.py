"""Which settings may cure a cause: candidates in the order they are worth trying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recbole_alibaba.diagnosis.readings import Settings

Changes = dict[str, Any]


def _rates(settings: Settings) -> list[Changes]:
    now = settings.get("learning_rate")
    return [{"learning_rate": rate} for rate in (0.001, 0.01, 0.05) if rate != now]


def _adam(settings: Settings) -> list[Changes]:
    return [{"learner": "adam", "learning_rate": rate} for rate in (0.001, 0.01)]


def _decoupled(settings: Settings) -> list[Changes]:
    # A decay of 1e-2 stays far too strong for embeddings even when decoupled.
    strong = float(settings.get("weight_decay") or 0.0) > 1e-3
    return [
        {"learner": "adamw", "weight_decay": 1e-5} if strong else {"learner": "adamw"},
        {"weight_decay": 0.0},
    ]


def _split_by_time(settings: Settings) -> list[Changes]:
    return [{"eval_args": {"order": "TO"}}]


REMEDIES: dict[str, Callable[[Settings], list[Changes]]] = {
    "coupled-decay": _decoupled,
    "learning-rate-too-small": _rates,
    "learning-rate-too-large": _rates,
    "plain-sgd": _adam,
    "unknown-learner": _adam,
    "strong-regularisation": lambda settings: [{"reg_weight": 1e-5}],
    "double-regularisation": lambda settings: [{"weight_decay": 0.0}],
    "clip-too-tight": lambda settings: [{"clip_grad_norm": {"max_norm": 1.0, "norm_type": 2}}],
    "half-precision": lambda settings: [{"enable_amp": False}],
    "amp-on-cpu": lambda settings: [{"enable_amp": False}],
    "eps-too-large": lambda settings: [{"learning_rate": 0.01}],
    "future-leak": _split_by_time,
    "repeats-leak": lambda settings: [{"rm_dup_inter": "first"}],
}


def candidates(cause: str, settings: Settings) -> list[Changes]:
    """Changed settings that may cure ``cause``; empty when no setting does."""
    return REMEDIES[cause](settings) if cause in REMEDIES else []


def first_remedy(causes: tuple[str, ...], settings: Settings) -> Changes:
    """The first candidate of the likeliest cause."""
    tries = candidates(causes[0], settings) if causes else []
    return tries[0] if tries else {}
