"""Says what the epochs so far are a sign of: once in full, then shortly, never the same advice twice."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..diagnosis.findings import Finding
from ..diagnosis.signs import find_signs


class Speaker:
    """Holds a trainer's epoch records against every sign and warns in its log and in TensorBoard.

    Args:
        trainer: a RecBole trainer; its `logger`, `tensorboard` and `config` are used.
    """

    def __init__(self, trainer: Any) -> None:
        self._trainer = trainer
        self._said: set[tuple[str, str]] = set()

    def say(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Warn of every finding, the first time with its remedy; of what is only advice once, without."""
        for finding in find_signs(history, self._trainer.config):
            known = (finding.id, finding.wording) in self._said
            if known and finding.severity == "advice":
                continue
            self._said.add((finding.id, finding.wording))
            text = _sentence(finding, with_remedy=not known and finding.severity != "advice")
            self._trainer.logger.warning(text)
            self._trainer.tensorboard.add_text(f"Signs/{finding.id}", text, history[-1]["epoch"])


def _sentence(finding: Finding, with_remedy: bool) -> str:
    return f"{finding.id}: {finding.message}" + (f" {finding.remedy}" if with_remedy else "")
