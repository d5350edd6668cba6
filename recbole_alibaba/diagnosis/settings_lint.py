"""Which settings does RecBole ignore, or accept although they contradict each other? No torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from recbole_alibaba.diagnosis.causes.evidence import STRONGEST_REG, explained, is_coupled, learner, setting
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import Settings
from recbole_alibaba.settings.ranking_metrics import computed_metrics, longest_list, valid_metric_is_computed

USUAL_RATE = (1e-3, 1e-2)
SGD_RATE = 0.1
# In other models reg_weight means something else: EASE's ridge is 250.
L2_ON_ROWS = ("AlibabaLightGCN", "LightGCN", "NGCF", "DGCF", "SGL", "NCL", "SpectralCF")
PLAUSIBLE_RATE = (1e-5, 0.1)


def lint(settings: Settings, sizes: Mapping[str, int] | None = None) -> list[Finding]:
    """Findings about settings alone; ``sizes`` may have ``items``, ``users``, ``train`` and ``repeats`` (rows)."""
    return [
        finding
        for rule in (
            _rate,
            _decay,
            _regularisation,
            _lists,
            _split,
            _repeats,
            _precision,
            _batches,
            _stopping,
        )
        for finding in rule(settings, sizes or {})
    ]


def _rate(settings: Settings, sizes: Mapping[str, int]) -> list[Finding]:
    rate = setting(settings, "learning_rate", 1e-3)
    if learner(settings) == "sgd":
        if rate >= SGD_RATE:
            return []
        return [Finding("plain-sgd", "warning", rate, SGD_RATE, **explained(("plain-sgd",), settings))]
    low, high = USUAL_RATE
    if low <= rate <= high:
        return []
    far = not PLAUSIBLE_RATE[0] <= rate <= PLAUSIBLE_RATE[1]
    cause = "learning-rate-too-small" if rate < low else "learning-rate-too-large"
    return [
        Finding(
            cause,
            "warning" if far else "advice",
            rate,
            low if rate < low else high,
            **explained((cause,), settings),
        )
    ]


def _decay(settings: Settings, sizes: Mapping[str, int]) -> list[Finding]:
    decay, name = setting(settings, "weight_decay"), learner(settings)
    values = {"decay": settings.get("weight_decay"), "learner": name}
    if is_coupled(settings):
        return [
            Finding(
                "coupled-decay", "warning", decay, 0.0, values, "setting", **explained(("coupled-decay",), settings)
            )
        ]
    if decay > 0 and name == "sparse_adam":
        return [Finding("decay-ignored", "warning", decay, 0.0, values, causes=("decay-ignored",))]
    return []


def _regularisation(settings: Settings, sizes: Mapping[str, int]) -> list[Finding]:
    found = []
    reg, decay = setting(settings, "reg_weight"), setting(settings, "weight_decay")
    if reg >= STRONGEST_REG and settings.get("model", "AlibabaLightGCN") in L2_ON_ROWS:
        cause = explained(("strong-regularisation",), settings)
        found.append(Finding("strong-regularisation", "warning", reg, 1e-4, **cause))
    # adamw's decay is not part of the gradient, so it does not add to reg_weight's.
    if reg > 0 and decay > 0 and learner(settings) != "adamw":
        cause = explained(("double-regularisation",), settings)
        found.append(Finding("double-regularisation", "advice", decay, 0.0, {"reg": reg}, **cause))
    return found


def _lists(settings: Settings, sizes: Mapping[str, int]) -> list[Finding]:
    found = []
    longest, items = longest_list(settings), sizes.get("items")
    if items is not None and longest > items:
        found.append(Finding("topk-above-items", "error", longest, items, **explained(("topk-above-items",), settings)))
    if not valid_metric_is_computed(settings):
        values = {"wanted": settings.get("valid_metric"), "computed": ", ".join(computed_metrics(settings)).lower()}
        cause = explained(("metric-never-computed",), settings)
        found.append(Finding("metric-never-computed", "error", 0, 0, values, **cause))
    return found


def _split(settings: Settings, sizes: Mapping[str, int]) -> list[Finding]:
    evaluation: Any = settings.get("eval_args") or {}
    split, order = evaluation.get("split") or {}, str(evaluation.get("order") or "RO").upper()
    by_time = [name for name in ("TS", "LS") if isinstance(split, Mapping) and split.get(name)]
    if not by_time or order == "TO" or not settings.get("TIME_FIELD"):
        return []
    if not _loads(settings, str(settings.get("TIME_FIELD"))):
        return []
    values = {"split": by_time[0], "order": order}
    return [Finding("future-leak", "warning", 1, 0, values, **explained(("future-leak",), settings))]


def _loads(settings: Settings, field: str) -> bool:
    columns: Any = settings.get("load_col")
    if not isinstance(columns, Mapping) or not isinstance(columns.get("inter"), list | tuple):
        return True
    return field in columns["inter"]


def _repeats(settings: Settings, sizes: Mapping[str, int]) -> list[Finding]:
    repeats = sizes.get("repeats", 0)
    if not repeats or settings.get("repeatable"):
        return []
    return [Finding("repeats-leak", "warning", repeats, 0, {}, "rows", **explained(("repeats-leak",), settings))]


def _precision(settings: Settings, sizes: Mapping[str, int]) -> list[Finding]:
    on_cpu = str(settings.get("device", "cpu")).startswith("cpu")
    if not settings.get("enable_amp") or not on_cpu:
        return []
    return [Finding("amp-on-cpu", "warning", 1, 0, **explained(("amp-on-cpu",), settings))]


def _batches(settings: Settings, sizes: Mapping[str, int]) -> list[Finding]:
    found = []
    batch, rows, items = setting(settings, "train_batch_size"), sizes.get("train"), sizes.get("items")
    if rows and batch >= rows:
        found.append(Finding("one-step-epochs", "advice", batch, rows, **explained(("one-step-epochs",), settings)))
    evaluated = setting(settings, "eval_batch_size")
    full = "full" in str((settings.get("eval_args") or {}).get("mode") or "full")
    by_recbole = settings.get("fast_eval") is False  # this plugin's evaluation does not use eval_batch_size
    if by_recbole and items and full and 0 < evaluated < 2 * items and sizes.get("users", 0) > 200:
        found.append(
            Finding(
                "one-user-batches",
                "advice",
                evaluated,
                items,
                **explained(("one-user-batches",), {**settings, "items": items}),
            )
        )
    return found


def _stopping(settings: Settings, sizes: Mapping[str, int]) -> list[Finding]:
    epochs, patience = setting(settings, "epochs", 300), setting(settings, "stopping_step", 10)
    step = max(setting(settings, "eval_step", 1), 1)
    if epochs >= 30 and patience * step >= epochs:
        return [Finding("stop-after-the-end", "advice", patience, epochs, causes=("stop-after-the-end",))]
    return []


def length_of_interval(text: Any) -> float:
    """The lower end of RecBole's ``"[5,inf)"``; 0 if there is none."""
    found = re.match(r"[\[(]\s*([\d.]+)", str(text or ""))
    return float(found.group(1)) if found else 0.0
