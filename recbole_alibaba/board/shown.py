"""What does the reader see of a running board? A live table on a terminal, a line a trial elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from recbole_alibaba.board.pages.board_numbers import score
from recbole_alibaba.board.plan import Plan
from recbole_alibaba.board.processes.runner import Progress
from recbole_alibaba.board.trial import Trial
from recbole_alibaba.console.terminal import no_colour

LAST = 8  # ended trials below the running ones


@dataclass
class _Running:
    trial: Trial
    since: float
    progress: Progress | None = None


class Shown:
    """Use it in a `with` block: the table stays while the block runs.

    Args:
        most: trials of the whole board, at most.
        done: those that had a record before.
    """

    def __init__(self, plan: Plan, most: int, done: int) -> None:
        self._metric, self._most, self._done, self._before = plan.metric, most, done, done
        self._running: dict[str, _Running] = {}
        self._ended: list[tuple[Trial, Mapping[str, Any]]] = []
        self._since = monotonic()
        console = Console(file=sys.stdout, no_color=no_colour() or None)
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> Shown:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def started(self, trial: Trial) -> None:
        """A trial runs."""
        self._running[trial.id] = _Running(trial, monotonic())

    def told(self, trial: Trial, progress: Progress) -> None:
        """It has finished an epoch, or a validation."""
        self._running[trial.id].progress = progress

    def ended(self, trial: Trial, record: Mapping[str, Any]) -> None:
        """Its record is written."""
        self._running.pop(trial.id, None)
        self._ended.append((trial, record))
        self._done += 1
        line = (
            f"{datetime.now():%H:%M:%S} {self._done}/{self._most} {trial.dataset}: {trial.name}: {self._result(record)}"
        )
        if self._live is None:
            print(line, flush=True)
        elif record["state"] != "done":
            self._live.console.print(line, style="red", markup=False, highlight=False)

    def refresh(self) -> None:
        """Draw the table anew."""
        if self._live is not None:
            self._live.update(self._table(), refresh=True)

    def _result(self, record: Mapping[str, Any]) -> str:
        if record["state"] != "done":
            return f"{record['state']}. {record['reason']}"
        parts = [f"valid {self._metric} {score(record['valid_score'])}"]
        if record["best_epoch"] is not None:
            parts.append(f"at epoch {record['best_epoch']}")
        if record["test"]:
            parts.append(f"test {score(record['test'][self._metric])}")
        return f"{', '.join(parts)} ({_time(record['seconds']['total'])})"

    def _table(self) -> Table:
        spent = monotonic() - self._since
        title = f"{self._done} of at most {self._most} trials, {_time(spent)}"
        if done := self._done - self._before:
            title += f", about {_time(spent / done * (self._most - self._done))} left"
        table = Table("data set", "trial", "state", "epoch", f"valid {self._metric}", "time", "left", title=title)
        for one in self._running.values():
            table.add_row(one.trial.dataset, one.trial.name, *_cells(one))
        for trial, record in self._ended[: -LAST - 1 : -1]:
            epoch = record["best_epoch"]
            table.add_row(
                *(trial.dataset, trial.name, record["state"], "" if epoch is None else f"best {epoch}"),
                *(score(record["valid_score"]), _time(record["seconds"].get("total", 0.0)), ""),
                style="dim",
            )
        return table


def _cells(one: _Running) -> tuple[str, ...]:
    spent, told = monotonic() - one.since, one.progress
    if told is None:
        return "prepares", "", "", _time(spent), ""
    left = told.seconds / max(told.epoch, 1) * (told.epochs - told.epoch)
    state = "trains" if told.epoch < told.epochs else "tests" if one.trial.purpose == "final" else "ends"
    return state, f"{told.epoch}/{told.epochs}", score(told.score), _time(spent), f"at most {_time(left)}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
