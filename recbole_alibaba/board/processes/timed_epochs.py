"""How long did training and validation take? Told after each epoch; the training stops when its time is used.

It never stops before its first validation: weights that nobody has validated are not tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from recbole_alibaba.board.processes.runner import Progress, Report
from recbole_alibaba.experiment import Experiment


class TimeUsed(Exception):
    """Ends the training between two epochs; the best one so far counts."""


class TimedEpochs:
    """Wraps two methods of a trainer.

    Args:
        limit: seconds of training and validation; None for no limit.
        state: of an earlier process, whose seconds count, too.

    Attributes:
        train, validate: seconds so far; those of building the model are training, as ItemKNN's only ones.
        stopped: a sentence where the limit ended the training, else None.
    """

    def __init__(self, made: Experiment, limit: float | None, report: Report, state: Mapping[str, Any] | None) -> None:
        trainer = self._trainer = made.trainer
        self._limit, self._report = limit, report
        self._train_epoch, self._valid_epoch = trainer._train_epoch, trainer._valid_epoch
        trainer._train_epoch, trainer._valid_epoch = self.train_epoch, self.valid_epoch
        before = state["history"] if state else []
        self.train = made.model_seconds + sum(epoch["seconds"] for epoch in before)
        self.validate = sum(epoch.get("valid_seconds", 0.0) for epoch in before)
        self.stopped: str | None = None
        self._epochs = len(before)
        self._score: float | None = None
        self._validated = any("valid" in epoch for epoch in before)

    def train_epoch(self, train_data: Any, epoch: int, *args: Any, **kwargs: Any) -> Any:
        """The trainer's own, unless the time is used."""
        if self._validated and self._limit is not None and self.train + self.validate >= self._limit:
            self.stopped = f"Stopped after {epoch:,} of {self._trainer.epochs:,} epochs: its training time is used."
            raise TimeUsed
        clock = perf_counter()
        result = self._train_epoch(train_data, epoch, *args, **kwargs)
        self.train += perf_counter() - clock
        self._epochs = epoch + 1
        self._tell()
        return result

    def valid_epoch(self, *args: Any, **kwargs: Any) -> tuple[float, Mapping[str, float]]:
        """The trainer's own; RecBole's trainers get the result into their history here."""
        clock = perf_counter()
        score, result = self._valid_epoch(*args, **kwargs)
        seconds = perf_counter() - clock
        self.validate += seconds
        self._score, self._validated = float(score), True
        if history := getattr(self._trainer, "history", []):
            history[-1]["valid"] = {metric: float(value) for metric, value in result.items()}
            history[-1]["valid_seconds"] = seconds
        self._tell()
        return score, result

    def _tell(self) -> None:
        self._report(Progress(self._epochs, self._trainer.epochs, self._score, self.train + self.validate))
