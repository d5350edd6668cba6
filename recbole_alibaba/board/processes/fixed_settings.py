"""Which settings has a model on a board? The board's, where the model reads them, its own, and those that are fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_alibaba.board.plan import METRICS, Entry, Plan
from recbole_alibaba.host.errors import UnknownSettingError, nearest
from recbole_alibaba.host.known_settings import known_settings
from recbole_alibaba.host.registry import find_model
from recbole_alibaba.settings.merge import deep_update

DECIMALS = 8
"""RecBole rounds metrics to 4, and then many epochs and models are equal that are not."""


def settings_by_label(plan: Plan, dataset: str) -> dict[str, dict[str, Any]]:
    """The settings over the property files: data set < all models < the model's own < command line.

    What is said for all models counts for those that read it.

    Raises:
        BadInput: an unknown model; a setting for all models that none of them reads.
    """
    known = {entry.label: known_settings(find_model(entry.model)) for entry in plan.entries}
    for layer in (plan.settings, plan.typed):
        _refuse_unread(layer, list(known.values()))
    return {entry.label: _settings(plan, dataset, entry, known[entry.label]) for entry in plan.entries}


def _settings(plan: Plan, dataset: str, entry: Entry, known: frozenset[str]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for layer in (plan.datasets[dataset], plan.settings, entry.settings, plan.typed):
        own = layer is entry.settings
        deep_update(merged, {key: value for key, value in layer.items() if own or key in known})
    return merged


def _refuse_unread(layer: Mapping[str, Any], known: Sequence[frozenset[str]]) -> None:
    for key in layer:
        if not any(key in keys for keys in known):
            raise UnknownSettingError(
                f"No model of this board reads the setting '{key}'.{nearest(key, frozenset().union(*known))}"
            )


def with_fixed(plan: Plan, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The same settings with those of the board; the data path is absolute, because a trial works in its own folder."""
    return {
        **settings,
        "data_path": str(Path(settings.get("data_path") or "dataset").resolve()),
        "metrics": list(METRICS),
        "topk": list(plan.topk),
        "valid_metric": plan.valid_metric,
        "metric_decimal_place": DECIMALS,
        "seed": seed,
        "checkpoint_dir": ".",
        "show_progress": False,
        "log_wandb": False,
    }
