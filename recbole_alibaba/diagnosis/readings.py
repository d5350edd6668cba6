"""What does an epoch record hold, and how do the signs read it? No torch.

=================  ====================================================================================
key                meaning (every key but ``epoch`` and ``loss`` is optional)
=================  ====================================================================================
epoch              number of the epoch, from 0
batches, seconds   number of batches, and how long they took
loss, bpr, reg     mean over the batches; ``reg`` is already weighted, ``loss = bpr + reg``; ``softmax`` for bpr alike
not_finite         {"batch": int, "part": str} of the first NaN or infinity
grad_norm          mean over the batches of the gradient's norm before clipping
clipped            share of the batches whose gradient was clipped, 0 to 1
valid              {metric: value} if the epoch was evaluated
user_norm          mean norm of the user rows at the epoch's end (item_norm alike; sampled rows, layer 0)
user_norm_start    the same at the epoch's beginning
user_spread        mean distance of the user rows from their mean, over user_norm: 0 if all rows are equal
update_ratio       norm of one step's change over the norm of the rows it changed
below_eps          share of the gradient entries (rows with a gradient) below the optimiser's eps
decay_share        share of the rows on which coupled weight decay outweighs the loss gradient
eps                the optimiser's eps
unmoved            names of the tables that did not change during the epoch
parameters         number of tables that were compared for ``unmoved``
stale              share of the read batches that began with the gradient of an earlier batch
score_gap          mean score of positives minus mean score of negatives, one batch
items              size of the catalogue, padding included
score_loss         BPR or cross-entropy of these scores, for models that minimise one of them
=================  ====================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
History = Sequence[Record]
Settings = Mapping[str, Any]

RANKING_PARTS = ("bpr", "softmax")
LEARNED = 0.1  # share of the first loss


def settings_of(config: Any) -> Settings:
    """RecBole's settings as a mapping, from its Config or from a mapping; empty for None."""
    return getattr(config, "final_config_dict", config) or {}


def ranking_part(record: Record) -> str:
    """``bpr`` or ``softmax``, whichever the record has; ``loss`` if the model does not name its loss parts."""
    return next((name for name in RANKING_PARTS if name in record), "loss")


def ranking_loss(record: Record) -> float:
    """The value of the record's ``ranking_part``."""
    return float(record.get(ranking_part(record), math.nan))


def losses(history: History) -> list[float]:
    """The ranking loss of every epoch."""
    return [ranking_loss(record) for record in history]


def has_learned(history: History) -> bool:
    """Whether the ranking loss has fallen by more than a tenth of its first value."""
    values = losses(history)
    return len(values) > 1 and values[0] - values[-1] > LEARNED * abs(values[0])


def reading(record: Record, key: str) -> float | None:
    """A reading as float, or None if it was not taken."""
    value = record.get(key)
    return None if value is None else float(value)


def valid_scores(history: History, settings: Settings) -> list[float]:
    """The validation metric that early stopping follows, one value for each epoch that was evaluated."""
    evaluated = [record["valid"] for record in history if record.get("valid")]
    if not evaluated:
        return []
    wanted = str(settings.get("valid_metric") or "").lower()
    key = next((name for name in evaluated[0] if name.lower() == wanted), next(iter(evaluated[0])))
    return [float(values[key]) for values in evaluated if key in values]
