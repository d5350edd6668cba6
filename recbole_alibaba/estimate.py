"""What an epoch will cost, before it starts: seconds, memory, and what to change when that is out of reach.

An exact epoch of LightGCN costs about pairs^2 / batch: every batch propagates over the whole graph. So on a large
graph only the batch size, or another way to train, helps; both change the maths, and the message says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import psutil
import torch
from recbole.data.interaction import Interaction

PATIENCE = 600.0  # seconds an epoch
LARGEST_BATCH = 1 << 18
TORCHS_MEMORY, SHORTEST_MEMORY = 0.999, 0.9  # Adam's second beta
TABLES = 9  # weights, gradient, two moments of Adam, and the layers that live at once, in both directions


@dataclass(frozen=True)
class Estimate:
    """Seconds of an epoch of `steps` at `batch` pairs each, and bytes held while it runs."""

    pairs: int
    batch: int
    steps: int
    seconds: float
    bytes: int

    def __str__(self) -> str:
        return (
            f"{self.steps:,} steps of {self.batch:,} pairs at {1000 * self.seconds / self.steps:,.0f} ms: "
            f"about {self.seconds:,.1f} s an epoch, about {self.bytes / 1e9:.2f} GB"
        )


def estimate(pairs: int, batch: int, step_seconds: float, n_nodes: int, dimensions: int, graph_bytes: int) -> Estimate:
    """From one step's seconds; float32 tables of (n_nodes, dimensions)."""
    steps = -(-pairs // batch)
    return Estimate(pairs, batch, steps, steps * step_seconds, TABLES * 4 * n_nodes * dimensions + graph_bytes)


def advice(now: Estimate, larger: Estimate | None, available: int, patience: float = PATIENCE) -> str | None:
    """A sentence when the epoch or the memory is out of reach, else None. `larger`: the same at a larger batch."""
    if now.bytes > available:
        return (
            f"Out of reach: about {now.bytes / 1e9:.1f} GB are needed and {available / 1e9:.1f} GB are free. "
            "Lower embedding_size, or keep fewer users and items (a stricter core)."
        )
    if now.seconds <= patience:
        return None
    said = f"Out of reach: an epoch takes more than {patience / 60:.0f} minutes."
    if larger is None or larger.seconds >= now.seconds:
        return f"{said} No larger batch helps; train on fewer pairs (a stricter core) or with n_layers: 1."
    # How Adam's steps keep their size and noise (Malladi et al., 2022); tried on Gowalla, results/gowalla.md.
    times = larger.batch / now.batch
    second = max(SHORTEST_MEMORY, 1 - (1 - TORCHS_MEMORY) * times)
    return (
        f"{said} Measured: train_batch_size: {larger.batch} takes about {larger.seconds:,.0f} s. It changes the maths: "
        f"fewer steps an epoch. As a start, multiply learning_rate by {times**0.5:.1f} and set "
        f"adam_betas: [0.9, {second:.3f}]."
    )


def announce(model: Any, train_data: Any, config: Any, logger: Any) -> Estimate:
    """Time a step, say what an epoch will take, and advise when that is out of reach. Changes nothing."""
    pairs, batch = len(train_data.dataset), config["train_batch_size"]

    def at(size: int) -> Estimate:
        nodes = model.n_users + model.n_items
        return estimate(
            pairs, size, _step(model, train_data, size), nodes, config["embedding_size"], model.graph.nbytes
        )

    now, larger = at(min(batch, pairs)), None
    if now.seconds > PATIENCE:
        wanted = 1 << int(np.ceil(np.log2(now.batch * now.seconds / PATIENCE)))
        larger = at(min(wanted, LARGEST_BATCH, pairs))
    logger.info(f"Estimate: {now}.")
    if said := advice(now, larger, psutil.virtual_memory().available, PATIENCE):
        logger.warning(said)
    return now


def _step(model: Any, train_data: Any, batch: int) -> float:
    """Seconds of the faster of two gradients; the optimiser's share is a few per cent."""
    rng, feat = np.random.default_rng(0), train_data.dataset.inter_feat
    rows = torch.from_numpy(rng.integers(0, len(feat), batch))
    negatives = torch.from_numpy(rng.integers(1, model.n_items, batch))
    columns = {model.USER_ID: feat[model.USER_ID][rows], model.ITEM_ID: feat[model.ITEM_ID][rows]}
    interaction = Interaction({**columns, model.NEG_ITEM_ID: negatives}).to(model.device)
    taken = []
    for _ in range(2):
        started = perf_counter()
        torch.autograd.grad(sum(model.calculate_loss(interaction)), list(model.parameters()))
        if model.device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(perf_counter() - started)
    return min(taken)
