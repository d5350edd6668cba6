"""Warns after each epoch of the signs that its record shows: once in full, then they are counted."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import settings_of
from recbole_alibaba.diagnosis.signs import find_signs


class EpochWarnings:
    """Compares the epoch records of a trainer with every sign and warns in its log and in TensorBoard.

    Args:
        trainer: a RecBole trainer; its `logger`, `tensorboard` and `config` are used.

    Attributes:
        measured: what the checks before training found, for the causes: `unknown`, `found` (ids).
        findings: each finding that was warned of, once.
    """

    def __init__(self, trainer: Any) -> None:
        self._trainer = trainer
        self._again: dict[tuple[str, str, bool], int] = {}
        self.measured: dict[str, Any] = {}
        self.findings: list[Finding] = []

    def warn(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Warn of every finding that is new, or was mere advice before. Advice is logged as information."""
        for finding in self._new(history):
            text = _sentence(finding)
            self._trainer.logger.log(logging.INFO if finding.severity == "advice" else logging.WARNING, text)
            self._trainer.tensorboard.add_text(f"Signs/{finding.id}", text, history[-1]["epoch"])

    def replay(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Count what was warned of after each of these epochs, which an earlier process trained."""
        for end in range(1, len(history) + 1):
            # An epoch is judged before it is validated.
            last = {name: value for name, value in history[end - 1].items() if name != "valid"}
            self._new([*history[: end - 1], last])

    def _new(self, history: Sequence[Mapping[str, Any]]) -> list[Finding]:
        """Findings that no epoch before showed; the others are counted."""
        new = []
        for finding in find_signs(history, {**settings_of(self._trainer.config), **self.measured}):
            key = finding.id, finding.wording, finding.severity == "advice"
            if key not in self._again:
                new.append(finding)
            self._again[key] = self._again.get(key, -1) + 1
        self.findings += [finding for finding in new if finding.severity != "advice"]
        return new

    def summary(self) -> None:
        """Say how often each warning came again."""
        again = Counter[str]()
        for (name, _, advice), epochs in self._again.items():
            if epochs and not advice:
                again[name] += epochs
        for name, epochs in again.items():
            self._trainer.logger.warning(f"{name}: seen again after {epochs:,} more epochs.")


def _sentence(finding: Finding) -> str:
    return f"{finding.id}: {finding.message}" + (f" {finding.remedy}" if finding.severity != "advice" else "")
