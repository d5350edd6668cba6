"""What is to be compared? The content of a board's file, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

METRICS = ("Recall", "NDCG", "MRR", "Hit", "Precision", "MAP")
"""Computed of every model, at each length of `topk`."""


@dataclass(frozen=True)
class Entry:
    """A row of the board.

    Args:
        label: its name on the board.
        model: name of the class.
        settings: its own; they override those for all models.
        search: the space as the file has it, `recbole` for RecBole's ranges; None searches nothing.
    """

    label: str
    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    search: Mapping[str, Any] | Literal["recbole"] | None = None


@dataclass(frozen=True)
class Budget:
    """What the search of each model may take on each data set.

    Args:
        trials: settings that are tried.
        seconds: of their processes together. A trial that passes them stops after its epoch, and none follows.
    """

    trials: int = 8
    seconds: float | None = None


@dataclass(frozen=True)
class Limits:
    """What one trial may take.

    Args:
        train_seconds: the training stops after the epoch that passes them, and its best epoch counts.
        seconds: the process is ended then, and the trial has no result.
        memory_gb: the same for its memory, in 10^9 bytes. A model known to need more is not started.
    """

    train_seconds: float | None = None
    seconds: float | None = None
    memory_gb: float | None = None


@dataclass(frozen=True)
class Plan:
    """A board.

    Args:
        name: of the files that are written.
        datasets: settings by data set.
        settings: for all models.
        typed: settings of the command line; they override all others.
        competition: files of Tianchi's F1: `items` is the item subset; see `measures/competition`.
        published: figures of papers, as the file has them.
        content: the whole file as plain values, for the pages.
        command: what makes the board, for the pages.
    """

    name: str
    title: str
    datasets: Mapping[str, Mapping[str, Any]]
    entries: tuple[Entry, ...]
    text: str = ""
    seeds: tuple[int, ...] = (2020, 2021, 2022)
    settings: Mapping[str, Any] = field(default_factory=dict)
    typed: Mapping[str, Any] = field(default_factory=dict)
    topk: tuple[int, ...] = (10, 20)
    valid_metric: str = "NDCG@20"
    search: Budget = Budget()
    limits: Limits = Limits()
    threads: int = 1
    competition: Mapping[str, Any] | None = None
    published: tuple[Mapping[str, Any], ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""

    @property
    def metric(self) -> str:
        """`valid_metric` as RecBole prints it: ndcg@20."""
        return self.valid_metric.lower()

    @property
    def k(self) -> int:
        """The length of the lists in `valid_metric`."""
        return int(self.valid_metric.partition("@")[2])
