"""Which metrics do `metrics`, `topk` and `valid_metric` ask for? RecBole's rules for them, once; no torch."""

from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Any]


def list_lengths(settings: Settings) -> list[int]:
    """`topk` as a list: RecBole takes one number or several."""
    topk = settings.get("topk") or []
    return [int(k) for k in (topk if isinstance(topk, list | tuple) else [topk])]


def longest_list(settings: Settings) -> int:
    """The largest number in `topk`, 0 when there is none. It must not exceed the number of items."""
    return max(list_lengths(settings), default=0)


def computed_metrics(settings: Settings) -> list[str]:
    """Every metric at every list length, such as `Recall@10`."""
    return [f"{name}@{k}" for name in settings.get("metrics") or [] for k in list_lengths(settings)]


def valid_length(settings: Settings) -> int | None:
    """The list length in `valid_metric`: 10 in `NDCG@10`, None in `AUC`."""
    length = str(settings.get("valid_metric") or "").partition("@")[2]
    return int(length) if length.isdecimal() else None


def valid_metric_is_computed(settings: Settings) -> bool:
    """Whether `metrics` and `topk` give `valid_metric`. A setting that is absent forbids nothing."""
    names = {str(name).lower() for name in settings.get("metrics") or []}
    name, at, _ = str(settings.get("valid_metric") or "").lower().partition("@")
    if not names or not name:
        return True
    lengths = list_lengths(settings)
    return name in names and (not at or not lengths or valid_length(settings) in lengths)
