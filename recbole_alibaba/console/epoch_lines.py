"""One line an epoch: RecBole's trainers log its training, its validation and its checkpoint in five."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from recbole.utils import set_color

TRAINED = re.compile(r"epoch (\d+) training \[")
VALIDATED = re.compile(r"epoch \d+ evaluating \[.*valid_score: (\S+)\]")


class EpochLines(logging.Filter):
    """Joins RecBole's records of one epoch. What else is logged between them, such as a warning, follows the line.

    Args:
        trainer: a RecBole trainer in its `fit`.
        validated: whether there is validation data.
    """

    def __init__(self, trainer: Any, validated: bool) -> None:
        super().__init__()
        self._trainer = trainer
        self._step = trainer.eval_step if validated else 0
        self._line: logging.LogRecord | None = None
        self._later: list[logging.LogRecord] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged now, as it is."""
        text = click.unstyle(record.getMessage())
        if trained := TRAINED.match(text):
            self.flush()
            if self._step <= 0 or (int(trained[1]) + 1) % self._step:
                return True
            self._line = record
        elif self._line is None:
            return not text.startswith("Saving current: ")
        elif validated := VALIDATED.match(text):
            self._line.msg = f"{self._line.msg} {self._validation(float(validated[1]))}"
        elif text.startswith("valid result"):
            self.flush()
        else:
            self._later.append(record)
        return False

    def flush(self) -> None:
        """Log what is held back."""
        held = [self._line, *self._later] if self._line else []
        self._line, self._later = None, []
        for record in held:
            logging.getLogger().callHandlers(record)

    def _validation(self, score: float) -> str:
        metric, places = str(self._trainer.config["valid_metric"]).lower(), self._trainer.config["metric_decimal_place"]
        best = " (best)" if self._trainer.cur_step == 0 else ""
        return f"{set_color('valid', 'green')} {metric}: {score:.{places or 4}f}{best}"


@contextmanager
def one_line_an_epoch(trainer: Any, validated: bool) -> Iterator[None]:
    """Let `trainer.fit` log one line an epoch while the block runs."""
    lines, root = EpochLines(trainer, validated), logging.getLogger()
    root.addFilter(lines)
    try:
        yield
    finally:
        root.removeFilter(lines)
        lines.flush()
