"""What did an examination measure and find, and which changed settings were run against it? No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recbole_alibaba.diagnosis.causes.cause_ranking import ranked
from recbole_alibaba.diagnosis.findings import Finding, Verdict, is_ill


@dataclass
class Examination:
    """What was measured and found.

    Attributes:
        settings: RecBole's settings, and the sizes of the data (``items``, ``users``, ``train``, ``repeats``).
        findings: the worst first.
        verdicts: one for each measure of the checks.
        history: the epoch records of the short training (see ``readings.py``).
        batches: number of batches in each epoch of the short training; 0 if nothing was trained.
        seconds: how long the examination took.
    """

    settings: Mapping[str, Any]
    findings: list[Finding] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    batches: int = 0
    seconds: float = 0.0

    @property
    def causes(self) -> list[str]:
        """Cause ids over all errors and warnings, the likeliest first; of advice where there is nothing else."""
        return ranked([found for found in self.findings if found.severity != "advice"] or self.findings)

    @property
    def ill(self) -> bool:
        """Whether there is an error or a warning; advice does not count."""
        return is_ill(self.findings)


@dataclass(frozen=True)
class Trial:
    """Changed settings, the cause they are meant for, and what the examination with them found."""

    changes: Mapping[str, Any]
    cause: str
    examination: Examination

    @property
    def cured(self) -> bool:
        """Whether nothing but advice is left."""
        return not self.examination.ill


@dataclass
class Cure:
    """The examination before any change, and the trials in their order."""

    before: Examination
    tries: list[Trial] = field(default_factory=list)

    @property
    def kept(self) -> Trial | None:
        """The first trial that cured, or None."""
        return next((trial for trial in self.tries if trial.cured), None)
