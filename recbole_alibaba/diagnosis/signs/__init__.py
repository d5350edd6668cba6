"""What do the epoch records say: a list of findings; numbers in, no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recbole_alibaba.diagnosis.findings import Finding, by_severity
from recbole_alibaba.diagnosis.signs.loss import flat, stuck_at_ln2

Record = Mapping[str, Any]
Sign = Callable[[Sequence[Record], Mapping[str, Any]], Finding | None]
SIGNS: tuple[Sign, ...] = (stuck_at_ln2, flat)


def examine(history: Sequence[Record], settings: Mapping[str, Any] | None = None) -> list[Finding]:
    """Hold the epoch records so far (oldest first) against every sign; the worst finding comes first.

    ``settings`` are RecBole's (a Config or a dict will do): they decide which causes and remedies fit.
    """
    if not history:
        return []
    known = getattr(settings, "final_config_dict", settings) or {}
    found = (sign(history, known) for sign in SIGNS)
    return by_severity([finding for finding in found if finding is not None])
