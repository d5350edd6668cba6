"""Which thresholds of RecBole leave a data set that is not thin? Each is tried; for data without a converter's log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recbole_alibaba.diagnosis.checks.data_checks import amounts, population
from recbole_alibaba.diagnosis.checks.interactions import Interactions
from recbole_alibaba.diagnosis.examination import Build
from recbole_alibaba.diagnosis.findings import THIN_DATA
from recbole_alibaba.diagnosis.progress import step
from recbole_alibaba.host.errors import BadInput

HIGHEST = 5


def healthy_thresholds(build: Build, settings: Mapping[str, Any], found: Sequence[str]) -> dict[str, str]:
    """Settings of the lowest thresholds whose data set has no finding of thin data; empty where none has.

    Args:
        build: builds an experiment from changed settings.
        settings: the settings without a change.
        found: ids of the present findings of thin data.
    """
    even = [(least, least) for least in range(2, HIGHEST + 1)]
    users = [(least, 1) for least in range(2, HIGHEST + 1)]
    for user, item in [*users, *even] if "users-seen-once" in found else even:
        changes = {"user_inter_num_interval": f"[{user},inf)", "item_inter_num_interval": f"[{item},inf)"}
        if any(str(settings.get(key) or "[0,inf)") != "[0,inf)" for key in changes):
            return {}  # the thresholds were chosen
        step(f"trying user_inter_num_interval {user}, item_inter_num_interval {item}")
        try:
            data = Interactions.of(build(changes))
        except (BadInput, ValueError, LookupError, ArithmeticError):
            continue
        wrong = {verdict.id for verdict in (*amounts(data), *population(data)) if verdict.finding}
        if not wrong & set(THIN_DATA):
            return {key: value for key, value in changes.items() if value != "[1,inf)"}
    return {}
