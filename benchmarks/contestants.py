"""Whole training steps of LightGCN, as each library does them: same maths, same batch, 64 dimensions, 3 layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.worlds import as_dataset

SETTINGS: dict[str, Any] = {
    "USER_ID_FIELD": "user_id", "ITEM_ID_FIELD": "item_id", "NEG_PREFIX": "neg_", "device": torch.device("cpu"),
    "embedding_size": 64, "n_layers": 3, "reg_weight": 1e-4, "require_pow": True, "init": "xavier", "init_std": 0.1,
    "convolution": "always", "shared_propagation": 1, "loss": "bpr", "temperature": 0.1,
    "popularity_exponent": 1.0, "positive_sampling": "interactions",
}  # fmt: skip
Step = Callable[[Any], None]
Device = torch.device
CPU = Device("cpu")


def batches(users: np.ndarray, items: np.ndarray, size: int, count: int, device: Device = CPU) -> list[Any]:
    from recbole.data.interaction import Interaction

    rng, n_items = np.random.default_rng(0), int(items.max()) + 1
    made = []
    for _ in range(count):
        rows = rng.integers(0, len(users), size)
        columns = {"user_id": users[rows], "item_id": items[rows], "neg_item_id": rng.integers(1, n_items, size)}
        made.append(Interaction({name: torch.from_numpy(column) for name, column in columns.items()}).to(device))
    return made


def recbole(users: np.ndarray, items: np.ndarray, device: Device = CPU) -> Step:
    """RecBole's LightGCN, as its Trainer steps it."""
    from recbole.model.general_recommender.lightgcn import LightGCN

    return _stepper(LightGCN(SETTINGS | {"device": device}, as_dataset(users, items)).to(device), fused=False)


def ours_plain(users: np.ndarray, items: np.ndarray) -> Step:
    """AlibabaLightGCN under RecBole's plain Trainer: only the model differs from `recbole`."""
    return _stepper(_ours(users, items), fused=False)


def ours(users: np.ndarray, items: np.ndarray, device: Device = CPU, settings: dict[str, Any] | None = None) -> Step:
    """AlibabaLightGCN as this plugin's runs step it: fused AdamW, freed memory kept (which helps all, once set).

    On a GPU its losses are read later, by the meter.
    """
    from recbole_alibaba.trainer.freed_memory import keep_freed_memory

    keep_freed_memory()
    return _stepper(_ours(users, items, device, settings), fused=True, reads=device == CPU)


def _ours(
    users: np.ndarray, items: np.ndarray, device: Device = CPU, settings: dict[str, Any] | None = None
) -> torch.nn.Module:
    from recbole_alibaba.model.alibabalightgcn import AlibabaLightGCN

    return AlibabaLightGCN({**SETTINGS, "device": device, **(settings or {})}, as_dataset(users, items)).to(device)


def _stepper(model: torch.nn.Module, *, fused: bool, reads: bool = True) -> Step:
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001, weight_decay=0.0, fused=fused)

    def step(batch: Any) -> None:
        optimizer.zero_grad()
        losses = model.calculate_loss(batch)
        loss = sum(losses) if isinstance(losses, tuple) else losses
        if reads:
            loss.item()  # RecBole reads every batch's loss.
        loss.backward()
        optimizer.step()

    return step


def pyg(users: np.ndarray, items: np.ndarray, device: Device = CPU) -> Step:
    """PyG's LightGCN on a normalised CSR matrix, its fastest form, with the same loss."""
    from torch_geometric.nn import LightGCN

    n_users, n_items = int(users.max()) + 1, int(items.max()) + 1
    nodes = n_users + n_items
    degree = np.bincount(np.concatenate((users, items + n_users)), minlength=nodes)
    ends = np.concatenate((users, items + n_users)), np.concatenate((items + n_users, users))
    weight = torch.from_numpy(1 / np.sqrt(degree[ends[0]] * degree[ends[1]].astype(np.float64))).float()
    matrix = (
        torch.sparse_coo_tensor(torch.from_numpy(np.stack(ends)), weight, (nodes, nodes)).to_sparse_csr().to(device)
    )
    model = LightGCN(nodes, 64, num_layers=3, alpha=0.25).to(device)
    for conv in model.convs:
        conv.normalize = False
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001, weight_decay=0.0)

    def step(batch: Any) -> None:
        optimizer.zero_grad()
        rows = [batch["user_id"], batch["item_id"] + n_users, batch["neg_item_id"] + n_users]
        out = model.get_embedding(matrix)
        user, positive, negative = (out[ids] for ids in rows)
        first: list[Tensor] = [model.embedding.weight[ids] for ids in rows]
        penalty = sum(part.square().sum() for part in first) / (2 * len(rows[0]))
        scores = (user * negative).sum(1) - (user * positive).sum(1)
        loss = torch.nn.functional.softplus(scores).mean() + 1e-4 * penalty
        loss.item()
        loss.backward()
        optimizer.step()

    return step


CONTESTANTS: dict[str, Callable[..., Step]] = {
    "RecBole LightGCN": recbole,
    "PyG LightGCN, CSR": pyg,
    "ours, RecBole's Trainer": ours_plain,
    "ours": ours,
}
