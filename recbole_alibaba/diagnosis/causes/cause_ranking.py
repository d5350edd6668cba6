"""Which causes explain all findings together? Ids, the likeliest first; no torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recbole_alibaba.diagnosis.findings import RANK, THIN_DATA, Finding

WEIGHT = {"error": 3.0, "warning": 2.0, "advice": 0.25}
MEASURED = 4.0  # added for a finding that is its own cause: it was measured, not inferred
THIN = 8.0  # added for thin data: any other finding may be its consequence
ALONE = 0.1  # of the pairs that are needed: with fewer, every other measure is chance
SYMPTOMS = ("cannot-overfit", "training-fails", "cannot-start")  # name themselves only because no cause is known


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each id, the worst first.

    Of findings with one id the worst is kept. Of equal ones the later is kept: measures come after settings. Thin data
    come before other findings of their severity, and alone where hardly anything was measured.
    """
    kept: dict[str, Finding] = {}
    for finding in findings:
        known = kept.get(finding.id)
        if known is None or RANK[finding.severity] <= RANK[known.severity]:
            kept[finding.id] = finding
    thin = kept.get("thin-data")
    alone = thin is not None and thin.number < ALONE * thin.threshold
    found = [finding for finding in kept.values() if not alone or finding.id in THIN_DATA]
    return sorted(found, key=lambda finding: (RANK[finding.severity], finding.id not in THIN_DATA))


def ranked(findings: Sequence[Finding]) -> list[str]:
    """Causes by weight. A finding gives its first cause the weight of its severity, and each next cause half of it."""
    weights: dict[str, float] = {}
    for finding in findings:
        for place, cause in enumerate(finding.causes):
            weights[cause] = weights.get(cause, 0.0) + WEIGHT[finding.severity] / 2**place
        if finding.id in finding.causes and finding.severity != "advice" and finding.id not in SYMPTOMS:
            weights[finding.id] += MEASURED
        if finding.id in THIN_DATA and finding.causes and finding.severity != "advice":
            weights[finding.causes[0]] += THIN
    return sorted(weights, key=lambda cause: -weights[cause])
