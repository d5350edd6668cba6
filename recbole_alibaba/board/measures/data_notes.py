"""What is wrong with the data of a board? The doctor's checks of data, as footnotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recbole_alibaba.diagnosis.checks.interactions import Interactions
from recbole_alibaba.diagnosis.checks.signal_check import signal
from recbole_alibaba.diagnosis.examination import guarded, of_data
from recbole_alibaba.diagnosis.findings import by_severity
from recbole_alibaba.diagnosis.settings_lint import lint

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

ABOUT_DATA = ("repeats-leak", "future-leak")
"""Findings of the settings' check that depend on the data and the split, not on the model."""


def data_notes(made: Experiment) -> list[str]:
    """The warnings and errors of the doctor about the data, the worst first; they do not depend on the model.

    Repeated pairs, held-out pairs that are in training, rows from the future, too few pairs, users or items, held-out
    rows that no model can predict, no signal. A check that fails itself is a note, too. Nothing is changed.
    """
    data = Interactions.of(made)
    sizes = data.sizes()
    findings = [finding for finding in lint(made.settings | sizes, sizes) if finding.id in ABOUT_DATA]
    verdicts = of_data(data, made) + guarded("population", "no-signal", signal, data)
    findings += [verdict.finding for verdict in verdicts if verdict.finding]
    notes = [finding.message for finding in by_severity(findings) if finding.severity != "advice"]
    return notes + [verdict.say() for verdict in verdicts if verdict.skipped == "check-stopped"]
