"""How do a batch's positives score against its negatives, and which ranking loss do these scores have?"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from recbole.model.loss import BPRLoss
from torch import Tensor, nn

ROWS = 256  # pairs of a batch that are scored
FEWEST = 64  # rows that a mean loss needs; the loss of a single pair may be 5 in a good model


def ranking_kind(model: Any, batch: Any) -> str | None:
    """``bpr`` or ``bce`` if the model has a loss of that kind and ``batch`` the columns for it, else None."""
    kinds = [type(module) for module in model.modules()]
    if getattr(model, "NEG_ITEM_ID", None) in batch and (
        BPRLoss in kinds or getattr(model, "loss_parts", ("",))[0] == "bpr"
    ):
        return "bpr"
    if getattr(model, "LABEL", None) in batch and {nn.BCEWithLogitsLoss, nn.BCELoss} & set(kinds):
        return "bce"
    return None


def bpr(positives: Tensor, negatives: Tensor) -> Tensor:
    """Mean softplus(negative - positive) over pairs; ln 2 if the scores are equal."""
    return F.softplus(negatives - positives).mean()


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean binary cross-entropy. Scores are probabilities if all lie in 0 to 1, else logits."""
    if bool(((scores >= 0) & (scores <= 1)).all()):
        return F.binary_cross_entropy(scores, labels)
    return F.binary_cross_entropy_with_logits(scores, labels)


def _devices(batch: Any) -> list[torch.device]:
    """The CUDA devices whose random state scoring the batch may change."""
    used = {column.device for column in batch.interaction.values()}
    return [device for device in used if device.type == "cuda"]


def score_readings(model: Any, batch: Any) -> dict[str, float]:
    """``score_gap`` and, for a model that minimises BPR or cross-entropy, ``score_loss``.

    Of (positive, negative) pairs the first 256 are scored, in evaluation mode and without a gradient. Unlike the
    model's loss, ``score_loss`` has no regularisation and no auxiliary task. Fewer than 64 rows give no
    ``score_loss``. A batch without positives or negatives gives nothing.
    """
    user, item = getattr(model, "USER_ID", None), getattr(model, "ITEM_ID", None)
    negative, label = getattr(model, "NEG_ITEM_ID", None), getattr(model, "LABEL", None)
    if user not in batch or item not in batch:
        return {}
    kind, modes = ranking_kind(model, batch), [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(_devices(batch)):  # KTUP draws random numbers to score
            if negative in batch:
                pairs = batch[:ROWS]
                rows = len(pairs)
                positives = model.predict(pairs)
                pairs.interaction = {**pairs.interaction, item: pairs[negative]}
                negatives = model.predict(pairs)
                gap, loss = (positives - negatives).mean(), bpr(positives, negatives)
            elif label in batch:
                # All rows: RecBole puts a batch's negatives after its positives.
                scores, labels, rows = model.predict(batch), batch[label] > 0, len(batch)
                gap, loss = scores[labels].mean() - scores[~labels].mean(), cross_entropy(scores, labels.to(scores))
            else:
                return {}
    except NotImplementedError:
        return {}
    finally:
        for module, training in modes:
            module.training = training  # not train(): SGL's draws another graph
    return {"score_gap": gap.item()} | ({"score_loss": loss.item()} if kind and rows >= FEWEST else {})
