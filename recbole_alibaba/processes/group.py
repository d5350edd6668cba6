"""Which of several training processes is this, and what do they add up or exchange?

Every process holds the whole model. It trains its rows of each batch and ranks its share of the users. What it calls
here, all the others call, too: an exchange waits for all. In a run of one process nothing is exchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

_together = False


@contextmanager
def joined(rank: int, size: int, address: str, backend: str) -> Iterator[None]:
    """Be process `rank` of `size` in the block.

    Args:
        address: `host:port` of the first process.
        backend: `gloo` on CPUs, `nccl` on GPUs.
    """
    global _together
    dist.init_process_group(backend, init_method=f"tcp://{address}", rank=rank, world_size=size)
    _together = True
    try:
        yield
    finally:
        _together = False
    dist.destroy_process_group()  # not after an error: it would wait for the others


@contextmanager
def alone() -> Iterator[None]:
    """In the block this process exchanges nothing: for what only one of them does."""
    global _together
    before, _together = _together, False
    try:
        yield
    finally:
        _together = before


def size() -> int:
    """The number of processes."""
    return dist.get_world_size() if _together else 1


def rank() -> int:
    """The number of this process, from 0. The first one writes and speaks."""
    return dist.get_rank() if _together else 0


def share(n: int) -> slice:
    """The part of n things, in order, that this process works on."""
    return slice(n * rank() // size(), n * (rank() + 1) // size())


def add_up(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by its sum over all processes; all get the same bits."""
    for tensor in tensors:
        dist.all_reduce(tensor)


def gathered(part: Tensor) -> Tensor:
    """The parts of all processes, one after the other, on the CPU."""
    parts: list[Any] = [None] * size()
    dist.all_gather_object(parts, part.cpu().numpy())
    return torch.cat([torch.from_numpy(one) for one in parts])


def as_the_first(model: torch.nn.Module) -> None:
    """Give every process the weights of the first one."""
    if size() > 1:
        for weight in model.parameters():
            first = weight.detach().clone()
            dist.broadcast(first, 0)
            with torch.no_grad():
                weight.copy_(first)  # torch counts the change: what a model derived from its weights is out of date
