"""Warns after each epoch of the signs that its record shows: the first time with a remedy, then in short."""

from collections.abc import Mapping, Sequence
from typing import Any

from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.signs import find_signs


class EpochWarnings:
    """Compares the epoch records of a trainer with every sign and warns in its log and in TensorBoard.

    Args:
        trainer: a RecBole trainer; its `logger`, `tensorboard` and `config` are used.
    """

    def __init__(self, trainer: Any) -> None:
        self._trainer = trainer
        self._seen: set[tuple[str, str]] = set()

    def warn(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Warn of every finding, with its remedy the first time. Mere advice is given once and without a remedy."""
        for finding in find_signs(history, self._trainer.config):
            known = (finding.id, finding.wording) in self._seen
            if known and finding.severity == "advice":
                continue
            self._seen.add((finding.id, finding.wording))
            text = _sentence(finding, with_remedy=not known and finding.severity != "advice")
            self._trainer.logger.warning(text)
            self._trainer.tensorboard.add_text(f"Signs/{finding.id}", text, history[-1]["epoch"])


def _sentence(finding: Finding, with_remedy: bool) -> str:
    return f"{finding.id}: {finding.message}" + (f" {finding.remedy}" if with_remedy else "")
