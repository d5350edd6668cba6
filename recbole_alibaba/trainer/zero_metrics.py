"""Does a run go on whose metrics are all zero? It stops after the first validations, with the reason."""

from collections.abc import Mapping
from typing import Any

from recbole_alibaba.diagnosis.checks.data_checks import enough
from recbole_alibaba.diagnosis.checks.interactions import Interactions
from recbole_alibaba.diagnosis.signs.metric_signs import hits_are_rounded_away
from recbole_alibaba.host.errors import NothingLearnedError

VALIDATIONS = 10


def stop_at_zero(made: Any) -> None:
    """Let the trainer raise NothingLearnedError after the first validations, if all their metrics are zero.

    Args:
        made: an `Experiment`.
    """
    inner = made.trainer._valid_epoch
    seen = made.trainer.zero_metrics = {"zero": 0, "other": 0}

    def valid_epoch(*args: Any, **kwargs: Any) -> tuple[float, Mapping[str, float]]:
        score, result = inner(*args, **kwargs)
        seen["other" if any(result.values()) else "zero"] += 1
        if not seen["other"] and seen["zero"] == VALIDATIONS:
            reason = _reason(made)
            if reason:
                raise NothingLearnedError(reason)
        return score, result

    made.trainer._valid_epoch = valid_epoch


def unknown_share(made: Any) -> float:
    """Share of the held-out rows whose user or item training never saw; 0 where the rows are no such pairs."""
    try:
        return Interactions.of(made).unknown
    except (AttributeError, TypeError, LookupError, ValueError):
        return 0.0


def _reason(made: Any) -> str:
    """Empty where RecBole's rounding may hide the hits."""
    name, unknown = made.config["dataset"], unknown_share(made)
    seen = f"{name}: every metric was 0 in the first {VALIDATIONS} validations"
    if unknown > 1 - enough().known:
        return (
            f"{seen}, because training never saw the user or the item of {unknown:.0%} of the held-out rows: this data "
            f"set is too thin. `recbole-alibaba doctor --dataset={name}` tries other conversions of the log."
        )
    if hits_are_rounded_away(made.dataset.item_num, made.settings):
        return ""
    return f"{seen}: the model finds no held-out item. `recbole-alibaba doctor --dataset={name}` looks for the cause."
