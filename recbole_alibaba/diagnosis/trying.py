"""Which changed settings cure what was found: candidates run briefly, with the same seed and the same batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from recbole_alibaba.diagnosis.examination import Build, Examination, consult
from recbole_alibaba.diagnosis.ranking import WEIGHT
from recbole_alibaba.diagnosis.remedies import candidates

MOST_TRIES = 8
TOGETHER = 3  # how many faults may be stacked


@dataclass(frozen=True)
class Try:
    """Changed settings and what the examination of them found."""

    changes: Mapping[str, Any]
    cause: str
    examination: Examination

    @property
    def cured(self) -> bool:
        """Nothing but advice is left."""
        return not self.examination.ill


@dataclass
class Cure:
    """The tries in their order; the kept one cured everything or is None."""

    before: Examination
    tries: list[Try] = field(default_factory=list)

    @property
    def kept(self) -> Try | None:
        """The first try that cured."""
        return next((attempt for attempt in self.tries if attempt.cured), None)


def try_remedies(build: Build, before: Examination, settings: Mapping[str, Any]) -> Cure:
    """Try the remedies of the likeliest causes until one leaves nothing but advice.

    A remedy that removes part of what was found is kept and the next are tried on top of it: two faults need
    two changes.
    """
    cure = Cure(before)
    base: dict[str, Any] = {}
    ill = before
    for _ in range(TOGETHER):
        best: Try | None = None
        for cause, option in options(ill):
            changes = {**base, **option}
            if any(attempt.changes == changes for attempt in cure.tries):
                continue
            if len(cure.tries) >= MOST_TRIES:
                return cure
            how = {"batches_an_epoch": before.batches} if before.batches else {}
            attempt = Try(changes, cause, consult(build, changes, settings, **how))
            cure.tries.append(attempt)
            if attempt.cured:
                return cure
            if burden(attempt.examination) < burden(best.examination if best else ill):
                best = attempt
        if best is None:
            return cure
        base, ill = dict(best.changes), best.examination
    return cure


def options(examined: Examination) -> Iterator[tuple[str, dict[str, Any]]]:
    """(cause, changed settings) to try, the likeliest cause first, a finding's own remedy before the general ones."""
    seen: list[dict[str, Any]] = []
    for cause in examined.causes:
        own = [dict(found.changes) for found in examined.findings if found.causes[:1] == (cause,) and found.changes]
        for option in [*own, *candidates(cause, examined.settings)]:
            if option not in seen:
                seen.append(option)
                yield cause, option


def burden(examined: Examination) -> float:
    """How ill: the weight of all findings; a set-up that cannot be trained weighs most."""
    weight = sum(WEIGHT[finding.severity] for finding in examined.findings)
    return weight + (0 if examined.verdicts else 100)
