"""Do the embedding rows stay alive? Rows that start too small, and rows that shrink to zero; no torch."""

from __future__ import annotations

from recbole_alibaba.diagnosis.causes.evidence import SHRINKING, TINY_NORM, explained, likely
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import History, Settings, reading
from recbole_alibaba.diagnosis.signs.threshold_sign import TABLES

SHRUNK = 0.1  # share of the first norm
ONE_POINT = 0.05  # spread over norm; independent rows show 1


def collapsed_to_zero(history: History, settings: Settings) -> Finding | None:
    """The rows have lost more than nine tenths of their first norm."""
    for table in TABLES:
        start, now = reading(history[0], f"{table}_norm_start"), reading(history[-1], f"{table}_norm")
        if start and now is not None and now < SHRUNK * start:
            return Finding(
                id="collapsed-to-zero",
                severity="error",
                number=now,
                threshold=SHRUNK * start,
                values={"table": table, "start": start},
                **explained(likely(history, settings, SHRINKING, "strong-regularisation"), settings),
            )
    return None


def too_small_to_learn(history: History, settings: Settings) -> Finding | None:
    """The rows began below 1e-3 and are still there: the products of such rows are all nearly 0."""
    for table in TABLES:
        start, now = reading(history[0], f"{table}_norm_start"), reading(history[-1], f"{table}_norm")
        if start is not None and now is not None and max(start, now) < TINY_NORM:
            return Finding(
                id="init-too-small",
                severity="error",
                number=now,
                threshold=TINY_NORM,
                values={"table": table},
                **explained(("init-too-small",), settings),
            )
    return None
