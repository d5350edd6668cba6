"""What does the doctor say: a finding with its number, its threshold and its remedy; a verdict for each measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from recbole_alibaba.diagnosis.catalogue import catalogue, measured, sentence, title

Severity = Literal["error", "warning", "advice"]
RANK: Mapping[str, int] = {"error": 0, "warning": 1, "advice": 2}


# Findings that there is too little to learn from. More of the log, or another conversion of it, removes them.
THIN_DATA = (
    *("thin-data", "held-out-unknown", "held-out-few", "users-seen-once", "few-users", "few-items"),
    *("nothing-held-out", "empty-core", "empty-data"),
)


@dataclass(frozen=True)
class Finding:
    """One thing the doctor saw.

    Attributes:
        id: the finding's id in ``messages.yaml``.
        severity: an error or a warning makes a set-up ill; advice does not.
        number: what was measured.
        threshold: what the number is compared with.
        values: further values for the sentence.
        wording: which of the id's sentences is used.
        causes: cause ids, the likeliest first.
        changes: settings that may cure the first cause; empty if no setting does.
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
        """What was seen, in ``lang``.

        Raises:
            UnknownMessageError: ``messages.yaml`` has no such id, wording or language.
        """
        causes = "; ".join(title(cause, lang) for cause in self.causes)
        numbers = {"number": self.number, "threshold": self.threshold, "causes": causes}
        return sentence(self.id, self.wording, lang, numbers | dict(self.values))

    def advise(self, lang: str = "en") -> str:
        """What to change, in ``lang``: a command that was run on this log, or the remedy of the likeliest cause."""
        if self.values.get("command"):
            says = next(name for name in (self.id, *self.causes) if "tried" in catalogue()[name])
            return sentence(says, "tried", lang, self.values)
        if self.values.get("conversion"):
            return sentence("report", self.values["conversion"], lang, {})
        if self.id in THIN_DATA and "user_inter_num_interval" in self.changes and self.id != "empty-core":
            return sentence("report", "thresholds", lang, {"changes": as_settings(self.changes)})
        cause = self.causes[0] if self.causes else self.id
        by_hand = not self.changes and "by-hand" in catalogue()[cause]
        wording = "by-hand" if by_hand else "remedy"
        return sentence(cause, wording, lang, {"number": self.number, "changes": as_settings(self.changes)})

    def as_dict(self, lang: str = "en") -> dict[str, Any]:
        """The finding as a dictionary for JSON, its sentences in ``lang``."""
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
    """``{"learner": "adamw"}`` -> ``learner: adamw``, as in a property file."""
    return ", ".join(f"{key}: {value}" for key, value in changes.items())


def by_severity(findings: list[Finding]) -> list[Finding]:
    """Errors first, then warnings, then advice. Findings of one severity keep their order."""
    return sorted(findings, key=lambda finding: RANK[finding.severity])


def is_ill(findings: list[Finding]) -> bool:
    """Whether there is an error or a warning."""
    return any(finding.severity != "advice" for finding in findings)


@dataclass(frozen=True)
class Verdict:
    """The result of one measure of a check.

    Attributes:
        check: which check measured.
        id: the measure's id in ``messages.yaml``.
        number: what was measured; NaN if nothing was.
        threshold: what the number is compared with.
        finding: what is wrong, or None.
        skipped: the id of the reason why nothing was measured, or None.
        error: the error that stopped the check, if one did.
    """

    check: str
    id: str
    number: float
    threshold: float
    finding: Finding | None = None
    skipped: str | None = None
    error: str = ""

    def say(self, lang: str = "en") -> str:
        """What was found, or why nothing was measured, or the measure itself."""
        if self.finding is not None:
            return self.finding.say(lang)
        if self.skipped is not None:
            return f"{measured(self.id, lang)}: {sentence(self.skipped, 'message', lang, {'error': self.error})}"
        return sentence(self.id, "measure", lang, {"number": self.number, "threshold": self.threshold})

    def as_dict(self, lang: str = "en") -> dict[str, Any]:
        """The verdict as a dictionary for JSON."""
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
    """A verdict that gives the reason why nothing was measured."""
    return Verdict(check, measure, float("nan"), float("nan"), skipped=why, error=error)


def judge(check: str, finding: Finding, well: bool) -> Verdict:
    """A verdict with the finding's number. It keeps the finding itself unless ``well``."""
    return Verdict(check, finding.id, finding.number, finding.threshold, None if well else finding)
