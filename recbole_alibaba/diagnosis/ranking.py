"""Which causes explain everything that was found: ids, the likeliest first; no torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recbole_alibaba.diagnosis.findings import RANK, Finding

WEIGHT = {"error": 3.0, "warning": 2.0, "advice": 0.25}
MEASURED = 4.0  # a finding that is its own cause was seen, not guessed
SYMPTOMS = ("cannot-overfit", "training-fails", "cannot-start")  # their own cause for want of a better


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding an id, the worst of them; between equals the later, which was measured rather than read off."""
    kept: dict[str, Finding] = {}
    for finding in findings:
        known = kept.get(finding.id)
        if known is None or RANK[finding.severity] <= RANK[known.severity]:
            kept[finding.id] = finding
    return sorted(kept.values(), key=lambda finding: RANK[finding.severity])


def ranked(findings: Sequence[Finding]) -> list[str]:
    """Causes by weight: severity of the findings that name them, halved with each place in a finding's list."""
    weights: dict[str, float] = {}
    for finding in findings:
        for place, cause in enumerate(finding.causes):
            weights[cause] = weights.get(cause, 0.0) + WEIGHT[finding.severity] / 2**place
        if finding.id in finding.causes and finding.severity != "advice" and finding.id not in SYMPTOMS:
            weights[finding.id] += MEASURED
    return sorted(weights, key=lambda cause: -weights[cause])
