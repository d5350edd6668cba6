"""One trial: a model, trained with one setting and one seed on one data set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from recbole_alibaba.board.searching.spaces import Space

NOT_COUNTED = frozenset(
    {
        *("checkpoint_dir", "data_path", "dataset", "dataset_save_path", "save_dataset", "data_fingerprint"),
        *("save_dataloaders", "dataloaders_save_path"),  # the data count by the fingerprint of their content
        *("device", "gpu_id", "use_gpu", "local_rank", "worker"),  # the record names the machine
        *("log_wandb", "wandb_project", "loss_decimal_place", "preflight", "show_progress", "state", "state_step"),
        "seed",  # counted apart
    }
)
"""Settings that do not decide what a trial's numbers are."""
LATER = {"loss": "bpr", "temperature": 0.1, "popularity_exponent": 1.0}
"""Settings that older records with this loss do not have, with the values that they were made with."""


@dataclass(frozen=True)
class Surveyed:
    """What is known of a data set before the first trial.

    Args:
        fingerprint: of the content of its three parts, as every model gets them.
        counts: `users`, `items`, and the pairs of `train`, `valid` and `test`.
        notes: sentences about the data, footnotes of the board.
        settings: by label, the settings over the property files.
        configs: by label, RecBole's whole configuration without what does not count.
        spaces: by label, what is searched, of the models that search.
        about: `versions`, `machine` and `code`, as the record has them.
    """

    fingerprint: str
    counts: Mapping[str, int]
    notes: tuple[str, ...]
    settings: Mapping[str, Mapping[str, Any]]
    configs: Mapping[str, Mapping[str, Any]]
    spaces: Mapping[str, Space] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        """The record's `data`."""
        return {"fingerprint": self.fingerprint, **self.counts, "notes": list(self.notes)}


@dataclass(frozen=True)
class Trial:
    """What a process is to train.

    Args:
        settings: all that differ from the property files.
        own: those of them that are the model's own, searched ones too.
        searched: those that the search proposed.
        purpose: `search` reads the validation part only; `final` reads the test part, once; `outside` are lists that
            another program made.
        index: place in the search.
        config: the whole configuration that counts.
        id: 16 hexadecimal digits; two trials of one id give the same numbers.
        train_seconds: the training stops after the epoch that passes them.
    """

    board: str
    dataset: str
    label: str
    model: str
    settings: Mapping[str, Any]
    own: Mapping[str, Any]
    searched: Mapping[str, Any]
    seed: int
    purpose: Literal["search", "final", "outside"]
    index: int | None
    config: Mapping[str, Any]
    id: str
    train_seconds: float | None = None

    @property
    def name(self) -> str:
        """What the terminal shows: `LightGCN, search 3` or `LightGCN, seed 2020`."""
        return f"{self.label}, " + (f"search {self.index}" if self.purpose == "search" else f"seed {self.seed}")


def digest(value: Any) -> str:
    """16 hexadecimal digits of a plain value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def counted(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that decide what a trial's numbers are, of a whole configuration in plain values."""
    later = LATER if config.get("loss") == LATER["loss"] else {}
    return {
        key: value
        for key, value in config.items()
        if key not in NOT_COUNTED and (key not in later or value != later[key])
    }
