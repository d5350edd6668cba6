"""Which changed settings may cure a cause? Candidates, the most promising first; no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from recbole_alibaba.diagnosis.readings import Settings
from recbole_alibaba.settings.ranking_metrics import list_lengths, valid_length

Changes = dict[str, Any]
RATES = (0.001, 0.01, 0.05)


def _rates(upwards: bool) -> Callable[[Settings], list[Changes]]:
    """Larger rates than the present one, or smaller ones; all others if there are none."""

    def candidates(settings: Settings) -> list[Changes]:
        now = float(settings.get("learning_rate") or 0.0)
        beyond = [rate for rate in RATES if (rate > now if upwards else rate < now)]
        return [{"learning_rate": rate} for rate in beyond or RATES if rate != now]

    return candidates


def _adam(settings: Settings) -> list[Changes]:
    return [{"learner": "adam", "learning_rate": rate} for rate in RATES]


def _looser_clip(settings: Settings) -> list[Changes]:
    """The usual limit of 1, or ten times one that is that large already."""
    clip = settings.get("clip_grad_norm")
    now = clip.get("max_norm") if isinstance(clip, Mapping) else None
    limit = 10.0 * now if isinstance(now, int | float) and now >= 1 else 1.0
    return [{"clip_grad_norm": {"max_norm": limit, "norm_type": 2}}]


def _weaker_regularisation(settings: Settings) -> list[Changes]:
    """The setting that the model reads, with as many numbers as before."""
    present = {key: settings[key] for key in ("reg_weight", "reg_weights") if settings.get(key) is not None}
    return [{key: [1e-5] * len(old) if isinstance(old, list | tuple) else 1e-5} for key, old in present.items()]


def _decoupled(settings: Settings) -> list[Changes]:
    # A decay of 1e-2 is too strong for embeddings even if it is decoupled.
    strong = float(settings.get("weight_decay") or 0.0) > 1e-3
    first = {"learner": "adamw", "weight_decay": 1e-5} if strong else {"learner": "adamw"}
    return [first, {"weight_decay": 0.0}]


def _normal_start(settings: Settings) -> list[Changes]:
    """Empty for a model that does not read ``init``."""
    return [{"init": "normal", "init_std": 0.1}] if "init" in settings else []


def _shorter_lists(settings: Settings) -> list[Changes]:
    items = int(settings.get("items") or 0)
    kept = [k for k in list_lengths(settings) if k <= items] or [max(1, min(10, items))]
    if valid_length(settings) in (None, *kept):
        return [{"topk": kept}]
    name = str(settings.get("valid_metric")).partition("@")[0]
    return [{"topk": kept, "valid_metric": f"{name}@{kept[-1]}"}]


def _computed_metric(settings: Settings) -> list[Changes]:
    name, length = next(iter(settings.get("metrics") or ["Recall"])), (list_lengths(settings) or [10])[-1]
    return [{"valid_metric": f"{name}@{length}"}]


def _smaller_batches(settings: Settings) -> list[Changes]:
    rows = int(settings.get("train") or 2048)
    return [{"train_batch_size": max(64, 2 ** ((rows // 8).bit_length() - 1))}]


def _lower_core(settings: Settings) -> list[Changes]:
    return [
        {"user_inter_num_interval": f"[{user},inf)", "item_inter_num_interval": f"[{item},inf)"}
        for user, item in settings.get("leaves_enough") or ()
    ]


REMEDIES: dict[str, Callable[[Settings], list[Changes]]] = {
    "coupled-decay": _decoupled,
    "too-few-epochs": lambda settings: [{"epochs": 4 * int(settings.get("epochs") or 300)}],
    "learning-rate-too-small": _rates(upwards=True),
    "learning-rate-too-large": _rates(upwards=False),
    "plain-sgd": _adam,
    "strong-regularisation": _weaker_regularisation,
    "too-little-regularisation": lambda settings: [{"reg_weight": 1e-4}] if "reg_weight" in settings else [],
    "double-regularisation": lambda settings: [{"weight_decay": 0.0}],
    "decay-ignored": lambda settings: [{"weight_decay": 0.0}],
    "clip-too-tight": _looser_clip,
    "half-precision": lambda settings: [{"enable_amp": False}],
    "amp-on-cpu": lambda settings: [{"enable_amp": False}],
    "eps-too-large": lambda settings: [{"learning_rate": 0.05}],
    "eps-swallows-gradient": _normal_start,
    "init-too-small": _normal_start,
    "init-too-large": _normal_start,
    "rows-start-equal": _normal_start,
    "future-leak": lambda settings: [{"eval_args": {"order": "TO"}}],
    "repeats-leak": lambda settings: [{"rm_dup_inter": "first"}],
    "topk-above-items": _shorter_lists,
    "metric-never-computed": _computed_metric,
    "metric-rounded": lambda settings: [{"metric_decimal_place": 6}],
    "one-step-epochs": _smaller_batches,
    "one-user-batches": lambda settings: [{"eval_batch_size": 64 * int(settings.get("items") or 20_000)}],
    "stop-after-the-end": lambda settings: [{"stopping_step": 10}],
    "empty-core": _lower_core,
}


def candidates(cause: str, settings: Settings) -> list[Changes]:
    """Changed settings that may cure ``cause``; empty if no setting does."""
    return REMEDIES[cause](settings) if cause in REMEDIES else []


def first_remedy(causes: tuple[str, ...], settings: Settings) -> Changes:
    """The first candidate of the likeliest cause."""
    found = candidates(causes[0], settings) if causes else []
    return found[0] if found else {}
