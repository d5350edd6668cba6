"""Which changed settings cure what was found? Candidates are run briefly, with the same seed and the same batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from recbole_alibaba.diagnosis.causes.cause_ranking import WEIGHT
from recbole_alibaba.diagnosis.causes.remedies import candidates
from recbole_alibaba.diagnosis.cures.outcome import Cure, Examination, Trial
from recbole_alibaba.diagnosis.examination import Build, consult

MOST_TRIES = 8
TOGETHER = 3  # remedies that may be combined


def try_remedies(build: Build, before: Examination, settings: Mapping[str, Any]) -> Cure:
    """Try the remedies of the likeliest causes until nothing but advice is left.

    Two faults need two changes: a remedy that removes some findings is kept, and the next ones are added to it.

    Args:
        build: builds an experiment from changed settings.
        before: the examination without a change.
        settings: the settings without a change.
    """
    cure = Cure(before)
    base: dict[str, Any] = {}
    current = before
    for _ in range(TOGETHER):
        best: Trial | None = None
        for cause, option in options(current):
            changes = {**base, **option}
            if any(attempt.changes == changes for attempt in cure.tries):
                continue
            if len(cure.tries) >= MOST_TRIES:
                return cure
            how = {"batches_an_epoch": before.batches} if before.batches else {}
            attempt = Trial(changes, cause, consult(build, changes, settings, **how))
            cure.tries.append(attempt)
            if attempt.cured:
                return cure
            if burden(attempt.examination) < burden(best.examination if best else current):
                best = attempt
        if best is None:
            return cure
        base, current = dict(best.changes), best.examination
    return cure


def options(examined: Examination) -> Iterator[tuple[str, dict[str, Any]]]:
    """(cause, changed settings) to try: the likeliest cause first, and a finding's own remedy before the others."""
    seen: list[dict[str, Any]] = []
    for cause in examined.causes:
        own = [dict(found.changes) for found in examined.findings if found.causes[:1] == (cause,) and found.changes]
        for option in [*own, *candidates(cause, examined.settings)]:
            if option not in seen:
                seen.append(option)
                yield cause, option


def burden(examined: Examination) -> float:
    """The weight of all findings; an experiment that cannot be built weighs most."""
    weight = sum(WEIGHT[finding.severity] for finding in examined.findings)
    return weight + (0 if examined.verdicts else 100)
