"""What does the doctor say: one finding, its number, what it is compared with, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from recbole_alibaba.diagnosis.catalogue import catalogue, sentence, title

Severity = Literal["error", "warning", "advice"]
RANK: Mapping[str, int] = {"error": 0, "warning": 1, "advice": 2}


@dataclass(frozen=True)
class Finding:
    """One thing the doctor saw.

    ``number`` is what was measured and ``threshold`` what it was held against; ``values`` fills the
    catalogue's sentence ``wording`` of ``id``; ``causes`` are ids, likeliest first; ``changes`` is the first
    cause's remedy as settings (empty when no setting cures it). Advice never makes a set-up ill.
    """

    id: str
    severity: Severity
    number: float
    threshold: float
    values: Mapping[str, Any] = field(default_factory=dict)
    wording: str = "message"
    causes: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """What was seen, in English."""
        return self.say("en")

    @property
    def remedy(self) -> str:
        """What to change, in English."""
        return self.advise("en")

    def say(self, lang: str = "en") -> str:
        """What was seen, in ``lang``; raises ``UnknownMessageError`` for an id the catalogue lacks."""
        numbers = {"number": self.number, "threshold": self.threshold}
        return sentence(self.id, self.wording, lang, numbers | dict(self.values))

    def advise(self, lang: str = "en") -> str:
        """What to change, in ``lang``: what was tried, if anything was, else the remedy of the likeliest cause."""
        if self.values.get("command"):
            return sentence(self.id, "tried", lang, self.values)
        cause = self.causes[0] if self.causes else self.id
        by_hand = not self.changes and "by-hand" in catalogue()[cause]
        wording = "by-hand" if by_hand else "remedy"
        return sentence(cause, wording, lang, {"number": self.number, "changes": as_settings(self.changes)})

    def as_dict(self, lang: str = "en") -> dict[str, Any]:
        """A JSON-able dict with both sentences in ``lang``."""
        return {
            "id": self.id,
            "severity": self.severity,
            "number": self.number,
            "threshold": self.threshold,
            "message": self.say(lang),
            "causes": list(self.causes),
            "remedy": self.advise(lang),
            "changes": dict(self.changes),
        }


def as_settings(changes: Mapping[str, Any]) -> str:
    """``{"learner": "adamw"}`` -> ``learner: adamw``, the way a property file has it."""
    return ", ".join(f"{key}: {value}" for key, value in changes.items())


def by_severity(findings: list[Finding]) -> list[Finding]:
    """Errors first, then warnings, then advice; the order within each is kept."""
    return sorted(findings, key=lambda finding: RANK[finding.severity])


def is_ill(findings: list[Finding]) -> bool:
    """Whether anything but advice was found."""
    return any(finding.severity != "advice" for finding in findings)


@dataclass(frozen=True)
class Verdict:
    """One line of a check: what was measured, against what, and the finding when it is not as it should be.

    ``skipped`` names (as a catalogue id) why nothing could be measured; ``error`` what the check stopped with, if so.
    """

    check: str
    id: str
    number: float
    threshold: float
    finding: Finding | None = None
    skipped: str | None = None
    error: str = ""

    def say(self, lang: str = "en") -> str:
        """The measure when all is well, else what was found, else why it was not examined."""
        if self.finding is not None:
            return self.finding.say(lang)
        if self.skipped is not None:
            return f"{title(self.id, lang)}: {sentence(self.skipped, 'message', lang, {'error': self.error})}"
        return sentence(self.id, "measure", lang, {"number": self.number, "threshold": self.threshold})

    def as_dict(self, lang: str = "en") -> dict[str, Any]:
        """A JSON-able dict."""
        state = "ill" if self.finding else "not examined" if self.skipped else "well"
        return {
            "check": self.check,
            "id": self.id,
            "verdict": state,
            "number": self.number,
            "threshold": self.threshold,
            "says": self.say(lang),
        }


def not_examined(check: str, measure: str, why: str, error: str = "") -> Verdict:
    """A verdict that says why nothing could be measured."""
    return Verdict(check, measure, float("nan"), float("nan"), skipped=why, error=error)


def judge(check: str, finding: Finding, well: bool) -> Verdict:
    """A verdict that keeps the finding's number, and the finding itself only when all is not well."""
    return Verdict(check, finding.id, finding.number, finding.threshold, None if well else finding)
