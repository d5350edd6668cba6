"""Do the embedding tables stay alive: shrinking to zero, falling to one point, growing without bound."""

from __future__ import annotations

from recbole_alibaba.diagnosis.causes import SHRINKING, TINY_NORM, WILD, explained, likely
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import History, Settings, reading

TABLES = ("user", "item")
SHRUNK = 0.1
ONE_POINT = 0.05  # rows drawn independently show 1
UNBOUNDED = 100.0  # rows that rank well are far below 10


def collapsed_to_zero(history: History, settings: Settings) -> Finding | None:
    """Rows have lost nine tenths of the norm they began with."""
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
    """Rows that began below 1e-3 and are still there: products of two such rows tell nothing apart."""
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


def collapsed_to_point(history: History, settings: Settings) -> Finding | None:
    """All rows of a table are nearly the same vector."""
    for table in TABLES:
        spread = reading(history[-1], f"{table}_spread")
        if spread is not None and spread < ONE_POINT:
            return Finding(
                id="collapsed-to-point",
                severity="error",
                number=spread,
                threshold=ONE_POINT,
                values={"table": table},
                **explained(likely(history, settings, WILD, "rows-start-equal"), settings),
            )
    return None


def grows_without_bound(history: History, settings: Settings) -> Finding | None:
    """A mean row norm above 100."""
    for table in TABLES:
        now = reading(history[-1], f"{table}_norm")
        if now is not None and UNBOUNDED < now < float("inf"):
            return Finding(
                id="grows-without-bound",
                severity="error",
                number=now,
                threshold=UNBOUNDED,
                values={"table": table, "start": reading(history[0], f"{table}_norm_start") or 0.0},
                **explained(likely(history, settings, WILD, "learning-rate-too-large"), settings),
            )
    return None
