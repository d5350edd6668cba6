"""What runs trials? Processes of this machine, or tasks of a cluster: the same few words to both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from recbole_alibaba.board.trial import Surveyed, Trial


@dataclass(frozen=True)
class Progress:
    """How far a trial is.

    Args:
        epoch: finished epochs.
        epochs: at most.
        score: of the last validation.
        seconds: of training and validation so far.
    """

    epoch: int
    epochs: int
    score: float | None
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What a trial ended with.

    Args:
        fields: of the record: `state`, and what the trial knows.
        scores: by name, an array with one value for each test user.
    """

    fields: Mapping[str, Any]
    scores: Mapping[str, np.ndarray] = field(default_factory=dict)


Report = Callable[[Progress], None]


class Runner(Protocol):
    """Starts trials and says what became of them."""

    def survey(self, dataset: str) -> Surveyed:
        """What is to be known of a data set before its first trial.

        Raises:
            BadInput: the board cannot run on it.
        """

    def free(self) -> int:
        """How many trials may be started now."""

    def start(self, trial: Trial, surveyed: Surveyed) -> None:
        """Start it, and return at once."""

    def events(self, seconds: float) -> Sequence[tuple[Trial, Progress | Outcome]]:
        """What happened since the last call; waits for at most so long. After its Outcome a trial has no events."""

    def forget(self, trial: Trial, keep_log: bool) -> None:
        """Remove what the trial has left, because its record is written."""

    def stop(self) -> None:
        """End what runs. A trial of the same id goes on from its last state later, where its model can."""
