"""What an epoch will cost before it starts, in seconds and memory, and what to change if that is too much.

Every batch propagates over the whole graph, so an exact epoch of LightGCN costs about pairs^2 / batch size. On a large
graph only a larger batch or another way to train helps. Both change the maths, and the message says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction

from dataset_prep.machine import free_memory
from recbole_alibaba.host.errors import BadSettingError
from recbole_alibaba.processes import group

LONGEST_EPOCH = 600.0
"""Seconds of an epoch above which a warning is given."""
LARGEST_BATCH = 1 << 18
DEFAULT_BETA2, LOWEST_BETA2 = 0.999, 0.9
SOFTMAX_BATCH = 1 << 12
"""With 20 epochs of it Gowalla's softmax was better than BPR with 1,000 epochs: results/gowalla.md."""
TABLES = 9
"""Tables of embeddings held at once: weights, gradient, two moments of Adam, and the layers in both directions."""


@dataclass(frozen=True)
class Estimate:
    """Seconds of an epoch of `steps` batches of `batch` pairs each, and the bytes that it holds."""

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
    """The cost of an epoch from the seconds of one step, with float32 tables of (n_nodes, dimensions)."""
    steps = -(-pairs // batch)
    return Estimate(pairs, batch, steps, steps * step_seconds, TABLES * 4 * n_nodes * dimensions + graph_bytes)


def advice(
    now: Estimate,
    larger: Estimate | None,
    available: int,
    longest: float = LONGEST_EPOCH,
    softmax: Estimate | None = None,
) -> str | None:
    """What to change if the epoch takes too long or too much memory, else None.

    Args:
        larger: the estimate with a larger batch, if there is one.
        available: free bytes of memory.
        longest: seconds of an epoch above which it is too long.
        softmax: the estimate with `loss: softmax`, if that is another one.
    """
    if now.bytes > available:
        return (
            f"Out of reach: about {now.bytes / 1e9:.1f} GB are needed and {available / 1e9:.1f} GB are free. "
            "Lower embedding_size, or keep fewer users and items (a stricter core)."
        )
    if now.seconds <= longest:
        return None
    start, end = f"Out of reach: an epoch takes more than {longest / 60:.0f} minutes.", ""
    if softmax is not None:
        end = (
            f" Or set loss: softmax with train_batch_size: {softmax.batch}, about {softmax.seconds / 60:,.0f} minutes "
            "an epoch. It changes the maths, too, and needs 10 to 20 epochs where BPR needs hundreds."
        )
    if larger is None or larger.seconds >= now.seconds:
        return f"{start} No larger batch helps; train on fewer pairs (a stricter core) or with n_layers: 1.{end}"
    # This keeps the size and the noise of Adam's steps (Malladi et al., 2022); tried on Gowalla, results/gowalla.md.
    times = larger.batch / now.batch
    second = max(LOWEST_BETA2, 1 - (1 - DEFAULT_BETA2) * times)
    return (
        f"{start} Measured: train_batch_size: {larger.batch} takes about {larger.seconds:,.0f} s. It changes the "
        f"maths: fewer steps an epoch. As a start, multiply learning_rate by {times**0.5:.1f} and set "
        f"adam_betas: [0.9, {second:.3f}].{end}"
    )


def refuse_beyond_memory(config: Any, users: int, items: int, ours: bool) -> None:
    """Refuse embeddings that cannot be held, before any is made: the system would kill the process without a word.

    Args:
        users, items: rows of the tables.
        ours: whether the model is LightGCN of this plugin. Of another model only weights and gradients are counted.

    Raises:
        BadSettingError: the tables are larger than the free memory.
    """
    size = config["embedding_size"]
    if not isinstance(size, int):
        return
    each, free = (TABLES if ours else 2) * 4 * (users + items), _free_bytes(torch.device(config["device"]))
    if each * size > free:
        raise BadSettingError(
            f"{config['model']} with embedding_size: {size:,} needs about {each * size / 1e9:,.1f} GB of memory for "
            f"{users:,} users and {items:,} items, and {free / 1e9:,.1f} GB are free. Set embedding_size to at most "
            f"{max(free // each, 1):,}, or keep fewer users and items (a stricter core)."
        )


def announce(model: Any, train_data: Any, config: Any, logger: Any, *, longest: float = LONGEST_EPOCH) -> Estimate:
    """Time a step, log what an epoch will cost, and warn if that is too much. Weights and random state do not change.

    Args:
        longest: seconds of an epoch above which larger batches are measured and a warning is given.
    """
    pairs, batch = len(train_data.dataset), config["train_batch_size"]

    def at(size: int, loss: str = model.loss_parts[0]) -> Estimate:
        nodes, seconds = model.n_users + model.n_items, _step_seconds(model, train_data, size, loss)
        return estimate(pairs, size, seconds, nodes, config["embedding_size"], model.graph.nbytes)

    now, larger, softmax = at(min(batch, pairs)), None, None
    if now.seconds > longest:
        wanted = 1 << int(np.ceil(np.log2(now.batch * now.seconds / longest)))
        larger = at(min(wanted, LARGEST_BATCH, pairs))
        if model.loss_parts[0] == "bpr" and group.size() == 1:
            softmax = at(min(SOFTMAX_BATCH, pairs), "softmax")
    logger.info(f"Estimate: {now}.")
    if message := advice(now, larger, _free_bytes(model.device), longest, softmax):
        logger.warning(message)
    return now


def _free_bytes(device: torch.device) -> int:
    """Bytes of memory that are free where the model is."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()


def _step_seconds(model: Any, train_data: Any, batch: int, loss: str) -> float:
    """Seconds of a gradient; the optimiser adds only a few per cent.

    The faster of two; the mean of as many batches as share one propagation, if they do.
    """
    rng, feat = np.random.default_rng(0), train_data.dataset.inter_feat
    rows = torch.from_numpy(rng.integers(0, len(feat), batch))
    negatives = torch.from_numpy(rng.integers(1, model.n_items, batch))
    columns = {model.USER_ID: feat[model.USER_ID][rows], model.ITEM_ID: feat[model.ITEM_ID][rows]}
    interaction = Interaction({**columns, model.NEG_ITEM_ID: negatives}).to(model.device)
    number, before = model.shared_propagation, (model.loss_parts, model._batches, model._shared_tables)
    model.loss_parts, model._batches, taken = (loss, "reg"), 0, []
    try:
        for _ in range(max(number, 2)):
            started = perf_counter()
            torch.autograd.grad(sum(model.calculate_loss(interaction)), list(model.parameters()))
            if model.device.type == "cuda":
                torch.cuda.synchronize()
            taken.append(perf_counter() - started)
    finally:
        model.loss_parts, model._batches, model._shared_tables = before
    return min(taken) if number == 1 else sum(taken) / number
