"""A training step of each contestant, and the bound none of them can pass: fetching the rows, and Adam."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks import contestants, worlds
from benchmarks.timing import Numbers, in_turns, seconds

ROWS, BAG = 1 << 20, 1024
DIMENSIONS = 64


def step(world: str, threads: str, rounds: str, batch: str = "2048") -> Numbers:
    """Seconds a training step, all contestants in turns, and the bound."""
    torch.set_num_threads(int(threads))
    users, items = worlds.world(world)
    made = contestants.batches(users, items, int(batch), int(rounds) + 1)
    steps = {name: build(users, items) for name, build in contestants.CONTESTANTS.items()}
    tasks: dict[str, Callable[[int], Any]] = {
        name: (lambda number, do=do: do(made[number])) for name, do in steps.items()
    }
    n_nodes, edges = int(users.max()) + int(items.max()) + 2, len(users)
    taken = in_turns(tasks, int(rounds))
    share = _edges_of(made[0], users, items) / (2 * edges)
    # 2 (K - 1) whole layers and twice the part of the last one; a layer fetches a row for each end of each edge.
    rows = 2 * edges * (4 + 2 * share)
    gather = _gather(n_nodes) / ROWS
    taken["bound"] = gather * rows + _adam(n_nodes)
    rate = DIMENSIONS * 4 / gather / 1e9
    return {"pairs": edges, "share of the last layer": share, "gather, GB/s": rate, **taken}


WAYS: dict[str, tuple[int, dict[str, Any]]] = {
    "as it is": (2048, {}),
    "`shared_propagation: 8`": (2048, {"shared_propagation": 8}),
    "`convolution: after_training`": (2048, {"convolution": "after_training"}),
    "`loss: softmax`": (4096, {"loss": "softmax"}),
    "a larger batch": (1 << 16, {}),
    "a larger batch still": (1 << 18, {}),
}
"""Ways to train on a large graph: pairs of a batch, and settings."""
CYCLE = 8
"""Steps that are timed of each: those between two propagations of `shared_propagation: 8`."""


def ways(world: str, threads: str) -> Numbers:
    """For each way its batch and the mean seconds of a step, after steps that are not timed."""
    torch.set_num_threads(int(threads))
    users, items = worlds.world(world)
    found: Numbers = {"pairs": len(users)}
    for name, (batch, settings) in WAYS.items():
        do, made = contestants.ours(users, items, settings=settings), contestants.batches(users, items, batch, 2)
        for number in range(CYCLE if "shared_propagation" in settings else 1):
            do(made[number % 2])
        count = CYCLE if batch <= 4096 else 2
        taken = seconds(lambda do=do, made=made, count=count: [do(made[number % 2]) for number in range(count)])
        found[name] = {"batch": batch, "seconds": taken / count}
    return found


def _gather(n_nodes: int) -> float:
    """Seconds to read 2**20 random rows of 64 floats from a table of all nodes, summed in bags of 1,024; best of 20.

    Of what torch, numpy and scipy offer this reads random rows fastest: it writes next to nothing, where
    `index_select` and `numpy.take` write each row they read and reach half its rate or less.
    """
    table = torch.randn(n_nodes, DIMENSIONS)
    rows = torch.randint(n_nodes, (ROWS,), dtype=torch.int32)
    offsets = torch.arange(0, ROWS + 1, BAG, dtype=torch.int32)
    return min(
        seconds(lambda: F.embedding_bag(rows, table, offsets, mode="sum", include_last_offset=True)) for _ in range(20)
    )


def _adam(n_nodes: int) -> float:
    """Seconds to move 7 tables, 4 read and 3 written, at the rate of `a = b + c`."""
    tables = [torch.randn(n_nodes, DIMENSIONS) for _ in range(3)]
    taken = statistics.median(seconds(lambda: torch.add(*tables[:2], out=tables[2])) for _ in range(9))
    return taken * 7 / 3


def _edges_of(batch: Any, users: np.ndarray, items: np.ndarray) -> int:
    both = torch.cat((batch["item_id"], batch["neg_item_id"])).unique().numpy()
    return int(np.isin(users, batch["user_id"].unique().numpy()).sum() + np.isin(items, both).sum())
