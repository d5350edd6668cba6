"""A sign that compares one reading of the last epoch with a threshold; no torch."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from recbole_alibaba.diagnosis.causes.evidence import explained, likely
from recbole_alibaba.diagnosis.findings import Finding, Severity
from recbole_alibaba.diagnosis.readings import History, Settings, reading

TABLES = ("user", "item")
COMPARE = {"<": operator.lt, ">": operator.gt}


@dataclass(frozen=True)
class ThresholdSign:
    """One row of the table of signs. Called with the epoch records and the settings, it gives a finding or None.

    Attributes:
        id: the finding's id.
        reading: the key of the reading; ``{table}`` in it stands for ``user`` and for ``item``.
        comparison: how the reading must compare with ``threshold`` to be a sign. NaN and infinity are none.
        threshold: what the reading is compared with.
        severity: the finding's severity.
        causes: causes that count if the evidence points at them.
        otherwise: the cause that is always named, as the last.
        applies: a condition on the records; if it is False there is no sign.
        value: the key of a further reading that the sentence needs, as ``eps``; without it there is no sign.
    """

    id: str
    reading: str
    comparison: Literal["<", ">"]
    threshold: float
    severity: Severity
    causes: tuple[str, ...]
    otherwise: str
    applies: Callable[[History], bool] = lambda history: True
    value: str | None = None

    def __call__(self, history: History, settings: Settings) -> Finding | None:
        last = history[-1]
        value = reading(last, self.value) if self.value else 0.0
        if value is None or not self.applies(history):
            return None
        for table in TABLES if "{table}" in self.reading else ("",):
            number = reading(last, self.reading.format(table=table))
            if number is None or not math.isfinite(number) or not COMPARE[self.comparison](number, self.threshold):
                continue
            values = {"table": table, "start": reading(history[0], f"{table}_norm_start") or 0.0} if table else {}
            return Finding(
                id=self.id,
                severity=self.severity,
                number=number,
                threshold=self.threshold,
                values=values | ({self.value: value} if self.value else {}),
                **explained(likely(history, settings, self.causes, self.otherwise), settings),
            )
        return None
