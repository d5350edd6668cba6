"""AlibabaLightGCN: LightGCN as a RecBole model, exact and fast, with named losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from recbole.model.abstract_recommender import GeneralRecommender
from recbole.utils import InputType
from torch import Tensor, nn

from recbole_alibaba.host.errors import BadSettingError
from recbole_alibaba.model.graph import build_graph
from recbole_alibaba.model.losses import bpr, l2
from recbole_alibaba.model.pair_scores import score_differences
from recbole_alibaba.model.propagation import propagate, propagate_all, propagate_rows
from recbole_alibaba.model.sampled_softmax import items_of_pairs, sampled_softmax
from recbole_alibaba.model.shared_propagation import SharedPropagation
from recbole_alibaba.model.softmax_scores import item_vectors, log_popularity, user_vectors
from recbole_alibaba.processes import group

DEFAULT_TEMPERATURE = 0.1


class AlibabaLightGCN(GeneralRecommender):
    r"""LightGCN (He et al., SIGIR 2020) with the loss of its authors, in named parts.

    .. math::
        E^{(k+1)} = D^{-1/2} A D^{-1/2} E^{(k)}, \qquad E = \frac{1}{K+1} \sum_{k=0}^{K} E^{(k)}, \qquad
        \hat y_{ui} = e_u \cdot e_i

        L = \underbrace{\frac{1}{n} \sum \mathrm{softplus}(\hat y_{uj} - \hat y_{ui})}_{bpr}
          + \underbrace{\lambda \frac{1}{2n} \sum (|e^{(0)}_u|^2 + |e^{(0)}_i|^2 + |e^{(0)}_j|^2)}_{reg}

    `calculate_loss` returns the two parts, in the order of `loss_parts`. Their sum is optimised. On the same batch it
    equals the loss of RecBole's LightGCN with `require_pow: True`, except for the 1e-10 inside RecBole's logarithm:
    RecBole divides half the squared norms by the batch size, too. With RecBole's default `require_pow: False` the
    regulariser is the norm itself, so no fixed factor relates the two.

    Settings: `embedding_size`, `n_layers`, `reg_weight` (lambda); `init`: `xavier` (as RecBole) or `normal` (as the
    authors, standard deviation `init_std`, 0.1). Padding rows matter for the initialisation only.

    Three settings **change the maths**. All are off by default. With `loss: softmax` the first part is a softmax over
    the items of the batch, of `temperature` (sampled_softmax.py): it learns in a fraction of BPR's epochs. A score is
    then cos(e_u, e_i) / temperature + `popularity_exponent` * log(popularity of i) (softmax_scores.py). The other two
    save time: `convolution: after_training` trains matrix factorisation and propagates only for predictions. With
    `shared_propagation: n`, n batches use one propagation (shared_propagation.py).
    """

    input_type = InputType.PAIRWISE
    loss_parts: tuple[str, ...] = ("bpr", "reg")
    log_popularity: Tensor

    def __init__(self, config: Any, dataset: Any) -> None:
        super().__init__(config, dataset)
        self.n_layers: int = config["n_layers"]
        self.reg_weight: float = config["reg_weight"]
        self.loss_parts = (chosen_loss(config["loss"]), "reg")
        self.temperature: float = DEFAULT_TEMPERATURE if config["temperature"] is None else config["temperature"]
        self.train_layers = 0 if config["convolution"] == "after_training" else self.n_layers
        self.shared_propagation: int = config["shared_propagation"] or 1
        if config["convolution"] not in (None, "always", "after_training"):
            raise BadSettingError(f"convolution: {config['convolution']!r}; use 'always' or 'after_training'.")
        self._batches, self._shared = 0, SharedPropagation()
        if self.shared_propagation > 1:  # RecBole keeps attributes of these names beside the weights
            self.other_parameter_name = ["_batches", "_shared_tables"]
        self.user_embedding = nn.Embedding(self.n_users, config["embedding_size"])
        self.item_embedding = nn.Embedding(self.n_items, config["embedding_size"])
        initialise((self.user_embedding.weight, self.item_embedding.weight), config["init"], config["init_std"])
        users, items = (np.asarray(dataset.inter_feat[field]) for field in (self.USER_ID, self.ITEM_ID))
        self.graph = build_graph(users, items, self.n_users, self.n_items, device=self.device)
        if self.loss_parts[0] == "softmax":
            exponent = config["popularity_exponent"]
            self.popularity_exponent: float = 1.0 if exponent is None else exponent
            drawn = log_popularity(users, items, self.n_items, config["positive_sampling"] == "users")
            self.register_buffer("log_popularity", drawn.to(self.device), persistent=False)
        self._propagated: tuple[tuple[int, ...], tuple[Tensor, Tensor]] | None = None
        self._score_vectors: tuple[float, tuple[Tensor, Tensor]] | None = None

    def forward(self) -> tuple[Tensor, Tensor]:
        """Final embeddings of all users (n_users, d) and items (n_items, d), kept until a weight changes."""
        weights = (self.user_embedding.weight, self.item_embedding.weight)
        state = tuple(number for weight in weights for number in (weight.data_ptr(), weight._version))
        if self._propagated is None or self._propagated[0] != state:
            self._propagated, self._score_vectors = (state, propagate(self.graph, *weights, self.n_layers)), None
        return self._propagated[1]

    def score_vectors(self) -> tuple[Tensor, Tensor]:
        """Vectors of all users and items whose dot products are the scores; with `bpr` these are `forward`'s."""
        users, items = self.forward()
        if self.loss_parts[0] == "bpr":
            return users, items
        exponent = self.popularity_exponent
        if self._score_vectors is None or self._score_vectors[0] != exponent:
            made = user_vectors(users, self.temperature), item_vectors(items, exponent * self.log_popularity)
            self._score_vectors = exponent, made
        return self._score_vectors[1]

    def calculate_loss(self, interaction: Any) -> tuple[Tensor, Tensor]:
        """The parts of the loss on a batch, scalars, in the order of `loss_parts`."""
        self._propagated = self._score_vectors = None
        graph, on_cpu = self.graph, self.device.type == "cpu"
        user_at = interaction[self.USER_ID]
        item_at = interaction[self.ITEM_ID].unsqueeze(0)
        if self.loss_parts[0] == "bpr":  # the softmax has its negatives among the positives
            item_at = torch.cat((item_at, interaction[self.NEG_ITEM_ID].unsqueeze(0)))
        if on_cpu:  # in the order of the graph's nodes: then neighbours are close in memory in the last layer, too
            user_at, item_at = graph.user_rank[user_at], graph.item_rank[item_at]
        users, user_at, user_times = distinct(user_at, self.n_users)
        items, item_at, item_times = distinct(item_at, self.n_items)
        if on_cpu:
            users, items = graph.user_order[users], graph.item_order[items]
        # Sparse products have no half precision, and the loss needs none: stay in float32 under autocast.
        with torch.autocast(self.device.type, enabled=False):
            user, item, first_user, first_item = self._rows(users, items)
            if self.loss_parts[0] == "bpr":
                ranking = bpr(score_differences(user, item, user_at, *item_at))
            else:
                compared, positive_at, times = item, item_at[0], item_times
                if not on_cpu and len(positive_at) < self.n_items:
                    compared, positive_at, times = items_of_pairs(item, positive_at)
                ranking = sampled_softmax(user, compared, user_at, positive_at, times, self.temperature)
            reg = l2((first_user, user_times), (first_item, item_times), batch=len(user_at))
            return ranking, self.reg_weight * reg

    def _rows(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Final rows of these users and items and their rows of layer 0, differentiable in the weights.

        On a GPU these are always all users and items, in the order of their ids.
        """
        weights = (self.user_embedding.weight, self.item_embedding.weight)
        if self.shared_propagation > 1:
            fresh = self._batches % self.shared_propagation == 0
            self._batches += 1
            if not fresh:
                return self._shared.rows(*weights, users, items)
            self._shared.refresh(self.graph, *weights, self.train_layers)
        if self.device.type == "cpu":
            return propagate_rows(self.graph, *weights, users, items, self.train_layers)
        return (*propagate_all(self.graph, *weights, self.train_layers), *weights)

    @property
    def _shared_tables(self) -> tuple[Any, ...] | None:
        return self._shared.saved

    @_shared_tables.setter
    def _shared_tables(self, tables: tuple[Any, ...] | None) -> None:
        self._shared.saved = tables

    def predict(self, interaction: Any) -> Tensor:
        """Scores of the (user, item) rows, shape (n,)."""
        users, items = self.score_vectors()
        return (users[interaction[self.USER_ID]] * items[interaction[self.ITEM_ID]]).sum(1)

    def full_sort_predict(self, interaction: Any) -> Tensor:
        """Scores of every item for each user, flattened to (n * n_items,) as RecBole expects."""
        users, items = self.score_vectors()
        return (users[interaction[self.USER_ID]] @ items.T).view(-1)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_propagated": None, "_score_vectors": None}


def chosen_loss(loss: str | None) -> str:
    """`bpr` (the default) or `softmax`.

    Raises:
        BadSettingError: another word; or a softmax in several processes, each of which would see its own items alone.
    """
    if loss not in (None, "bpr", "softmax"):
        raise BadSettingError(f"loss: {loss!r} is not a loss; use 'bpr' or 'softmax'.")
    if loss == "softmax" and group.size() > 1:
        raise BadSettingError(
            "loss: softmax compares the items of a batch, and each process has only a share of it. Use one process."
        )
    return loss or "bpr"


def initialise(weights: tuple[Tensor, ...], init: str | None, std: float | None) -> None:
    """Fill the tables in place: `xavier` uniform (the default) or `normal` with deviation `std` (default 0.1)."""
    for weight in weights:
        if init in (None, "xavier"):
            nn.init.xavier_uniform_(weight)
        elif init == "normal":
            nn.init.normal_(weight, std=0.1 if std is None else std)
        else:
            raise BadSettingError(f"init: {init!r} is not an initialisation; use 'xavier' or 'normal'.")


def distinct(ids: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """The distinct ids in ascending order, the place of each of `ids` among them, and how often each occurs.

    With 2 n or more ids all n are returned, and some may occur 0 times: nearly all occur anyway, and work on all nodes
    needs no selection of rows. On a GPU all are returned always: their number need not be waited for.

    Args:
        ids: int64 of any shape, in [0, n).
    """
    flat = ids.reshape(-1)
    if ids.device.type != "cpu":
        times = torch.zeros(n, dtype=torch.int64, device=ids.device).scatter_add_(0, flat, torch.ones_like(flat))
        return torch.arange(n, device=ids.device), ids, times
    times = torch.bincount(flat, minlength=n)
    if ids.numel() >= 2 * n:
        return torch.arange(n), ids, times
    rows = times.nonzero().squeeze(1)
    place = torch.empty(n, dtype=torch.int64)
    place[rows] = torch.arange(len(rows))
    return rows, place[ids], times[rows]
