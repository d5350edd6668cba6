"""What can be broken after everything was built: loader, graph, loss, optimiser, tables, evaluation."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from recbole_alibaba.data.user_lists import UserLists
from recbole_alibaba.model.graph import build_graph
from recbole_alibaba.model.propagation import propagate


class Spoiled:
    """A loader whose batches are changed on the way."""

    def __init__(self, data: Any, change: Callable[[Any], Any]) -> None:
        self.data, self.change = data, change

    def __iter__(self) -> Iterator[Any]:
        return map(self.change, iter(self.data))

    def __len__(self) -> int:
        return len(self.data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.data, name)


def sampler_hits_positives(made: Any) -> Any:
    """Every other negative is the positive of its own row."""
    positive, negative = made.model.ITEM_ID, made.model.NEG_ITEM_ID

    def change(batch: Any) -> Any:
        batch[negative][::2] = batch[positive][::2]
        return batch

    made.train_data = Spoiled(made.train_data, change)
    return made


def one_negative(made: Any) -> Any:
    """The same item is everybody's negative (users who own it lose the row)."""

    def change(batch: Any) -> Any:
        users = torch.unique(batch[made.model.USER_ID])
        owned = np.asarray(made.train_data._dataset.inter_feat[made.model.ITEM_ID])
        batch[made.model.NEG_ITEM_ID][:] = int(np.bincount(owned, minlength=made.dataset.item_num)[1:].argmin()) + 1
        assert len(users)
        return batch

    made.train_data = Spoiled(made.train_data, change)
    return made


def graph_without_edges(made: Any) -> Any:
    model = made.model
    if hasattr(model, "graph"):
        none = np.empty(0, np.int64)
        model.graph = build_graph(none, none, model.n_users, model.n_items)
    else:
        model.norm_adj_matrix = torch.zeros(model.norm_adj_matrix.shape).to_sparse()
    return made


def graph_normalised_twice(made: Any) -> Any:
    model = made.model
    if hasattr(model, "graph"):

        def twice(layer: Any) -> Any:
            sides = {name: getattr(layer, name) for name in ("from_items", "from_users")}
            squared = {name: dataclasses.replace(rows, weights=rows.weights**2) for name, rows in sides.items()}
            return dataclasses.replace(layer, **squared)

        layers = {name: twice(getattr(model.graph, name)) for name in ("first", "inner")}
        model.graph = dataclasses.replace(model.graph, **layers)
    else:
        once = model.norm_adj_matrix.coalesce()
        model.norm_adj_matrix = torch.sparse_coo_tensor(once.indices(), once.values() ** 2, once.shape)
    return made


def graph_of_other_items(made: Any) -> Any:
    """The graph's items are off by one: an index that forgot the padding row."""
    model, rows = made.model, made.train_data._dataset.inter_feat
    items = (np.asarray(rows[model.ITEM_ID]) + 1) % model.n_items
    model.graph = build_graph(np.asarray(rows[model.USER_ID]), items, model.n_users, model.n_items)
    return made


def propagation_detached(made: Any) -> Any:
    """Scores are right, but the gradient flows through layer 0 alone."""
    model = made.model

    def calculate_loss(batch: Any) -> tuple[Any, Any]:
        tables = model.user_embedding.weight, model.item_embedding.weight
        share = 1 / (model.n_layers + 1)
        user, item = (
            final + share * (table - table.detach())
            for final, table in zip(propagate(model.graph, *tables, model.n_layers), tables, strict=True)
        )
        user = user[batch[model.USER_ID]]
        positive, negative = item[batch[model.ITEM_ID]], item[batch[model.NEG_ITEM_ID]]
        return F.softplus((user * (negative - positive)).sum(1)).mean(), torch.zeros(())

    model.calculate_loss = calculate_loss
    return made


def loss_detached(made: Any) -> Any:
    """The loss has no path to anything."""
    inner = made.model.calculate_loss
    made.model.calculate_loss = lambda batch: tuple(part.detach() for part in inner(batch))
    return made


def loss_upside_down(made: Any) -> Any:
    """softplus(positive - negative): the model learns to rank held items last."""
    inner = made.model.calculate_loss
    names = made.model.ITEM_ID, made.model.NEG_ITEM_ID

    def calculate_loss(batch: Any) -> Any:
        other = batch[:]
        other.interaction = {**batch.interaction, names[0]: batch[names[1]], names[1]: batch[names[0]]}
        return inner(other)

    made.model.calculate_loss = calculate_loss
    return made


def loss_summed_small(made: Any) -> Any:
    """A loss a million times too small."""
    inner = made.model.calculate_loss
    made.model.calculate_loss = lambda batch: tuple(part * 1e-6 for part in inner(batch))
    return made


def constant_scores(made: Any) -> Any:
    """predict forgets the item."""
    made.model.predict = lambda batch: torch.ones(len(batch))
    return made


def never_cleared(made: Any) -> Any:
    made.trainer.optimizer.zero_grad = lambda *_, **__: None
    return made


def never_steps(made: Any) -> Any:
    made.trainer.optimizer.step = lambda *_, **__: None
    return made


def optimiser_of_a_copy(made: Any) -> Any:
    """The optimiser holds the parameters of a copy, as after a model was rebuilt."""
    made.trainer.optimizer = torch.optim.Adam(copy.deepcopy(made.model).parameters(), lr=0.01)
    return made


def optimiser_of_users_only(made: Any) -> Any:
    made.trainer.optimizer = torch.optim.Adam([made.model.user_embedding.weight], lr=0.01)
    return made


def large_eps(made: Any) -> Any:
    for group in made.trainer.optimizer.param_groups:
        group["eps"] = 1e-2
    return made


def rate_scheduled_to_zero(made: Any) -> Any:
    for group in made.trainer.optimizer.param_groups:
        group["lr"] = 0.0
    return made


def half_precision(made: Any) -> Any:
    made.model.half()
    return made


def _fill(made: Any, fill: Callable[[torch.Tensor], Any]) -> Any:
    with torch.no_grad():
        for parameter in made.model.parameters():
            fill(parameter)
    return made


def tiny_start(made: Any) -> Any:
    return _fill(made, lambda table: table.normal_(std=1e-6))


def huge_start(made: Any) -> Any:
    return _fill(made, lambda table: table.normal_(std=100))


def equal_start(made: Any) -> Any:
    return _fill(made, lambda table: table.copy_(table[1:2].expand_as(table).clone()))


def frozen_items(made: Any) -> Any:
    made.model.item_embedding.weight.requires_grad_(False)
    return made


def nan_at_epoch_3(made: Any) -> Any:
    """A row turns into NaN before the fourth epoch (they count from 0)."""
    inner = made.trainer._train_epoch

    def train_epoch(data: Any, epoch: int, *args: Any, **kwargs: Any) -> Any:
        if epoch == 3:
            with torch.no_grad():
                made.model.user_embedding.weight[1:] = torch.nan
        return inner(data, epoch, *args, **kwargs)

    made.trainer._train_epoch = train_epoch
    return made


def nan_scores(made: Any) -> Any:
    with torch.no_grad():
        made.model.item_embedding.weight[5] = torch.nan
    return made


def evaluation_masks_everything(made: Any) -> Any:
    """The held-out items are masked with the history, in RecBole's loader or in this plugin's."""
    data, n_items = made.valid_data, made.dataset.item_num
    if not hasattr(data, "task"):
        for user in range(len(data.uid2history_item)):
            data.uid2history_item[user] = torch.arange(1, n_items)
        return made
    count = len(data.uid_list)
    rows, items = np.repeat(np.arange(count), n_items - 1), np.tile(np.arange(1, n_items), count)
    data.task = dataclasses.replace(data.task, hidden=UserLists.from_pairs(rows, items, count, n_items))
    return made
