"""Which tables of vectors does a trained model consist of?"""

from __future__ import annotations

from typing import Any

import torch
from recbole.data.interaction import Interaction
from recbole.utils import ModelType
from torch import Tensor

from recbole_alibaba.evaluation.full_sort import TESTED_USERS, user_item_vectors
from recbole_alibaba.model.alibabalightgcn import AlibabaLightGCN
from recbole_alibaba.model.propagation import propagate


@torch.no_grad()
def vector_tables(model: Any, dataset: Any, model_type: ModelType) -> dict[str, Tensor] | None:
    """The tables of a general model whose scores are dot products, float32 on the CPU; None for another model.

    `user` (n_users, d) and `item` (n_items, d) are the vectors. AlibabaLightGCN has three more: `user_embedding` and
    `item_embedding` are layer 0. A user u with the training items N(u) has the vector

        e_u = user_embedding[u] / (K + 1) + sum over i in N(u) of item_spread[i] / sqrt(|N(u)| d_i)

    where d_i is the number of training users of item i. So `item_spread` is the sum of the item's layers 0 to K - 1,
    divided by K + 1. With a softmax, `user` and `item` are made of e_u and e_i by softmax_scores.py.
    """
    if model_type != ModelType.GENERAL:
        return None
    model.eval()
    some = dataset.join(Interaction({dataset.uid_field: torch.arange(1, min(TESTED_USERS + 1, dataset.user_num))}))
    try:
        found = user_item_vectors(model, some.to(model.device), dataset.item_num)
    except NotImplementedError:  # the model scores pairs only
        return None
    if found is None:
        return None
    tables = dict(zip(("user", "item"), found, strict=True))
    if isinstance(model, AlibabaLightGCN):
        tables |= {"user_embedding": model.user_embedding.weight, "item_embedding": model.item_embedding.weight}
        tables["item_spread"] = _item_spread(model)
    # Safetensors refuses tensors that share memory, such as the vectors of a model without layers.
    return {name: table.detach().float().cpu().clone().contiguous() for name, table in tables.items()}


def softmax_temperature(model: Any) -> float | None:
    """Of a model whose `user` and `item` tables are those of softmax_scores.py; else None."""
    softmax = isinstance(model, AlibabaLightGCN) and model.loss_parts[0] == "softmax"
    return model.temperature if softmax else None


def _item_spread(model: AlibabaLightGCN) -> Tensor:
    layers, weights = model.n_layers, (model.user_embedding.weight, model.item_embedding.weight)
    if layers == 0:
        return torch.zeros_like(weights[1])
    return propagate(model.graph, *weights, layers - 1)[1] * (layers / (layers + 1))
