"""A sparse product as a Triton kernel: a program sums one row, many entries at a time."""

import torch
import triton
import triton.language as tl
from torch import Tensor


def weighted_sums(indices: Tensor, offsets: Tensor, weights: Tensor, dense: Tensor) -> Tensor:
    """Row r of the result is the sum of weights[e] * dense[indices[e]] over e in offsets[r]:offsets[r + 1]."""
    rows, d = len(offsets) - 1, dense.shape[1]
    out = torch.empty(rows, d, device=dense.device)
    _kernel[(rows,)](indices, offsets, weights, dense, out, d, WIDTH=triton.next_power_of_2(d), STEP=32)
    return out


@triton.jit
def _kernel(indices, offsets, weights, dense, out, d, WIDTH: tl.constexpr, STEP: tl.constexpr):  # Triton reads types
    row = tl.program_id(0)
    start = tl.load(offsets + row)
    end = tl.load(offsets + row + 1)
    column = tl.arange(0, WIDTH)
    total = tl.zeros((WIDTH,), tl.float32)
    for first in range(start, end, STEP):
        entry = first + tl.arange(0, STEP)
        inside = entry < end
        at = tl.load(indices + entry, mask=inside, other=0).to(tl.int64)
        weight = tl.load(weights + entry, mask=inside, other=0.0)
        mask = inside[:, None] & (column < d)[None, :]
        part = tl.load(dense + at[:, None] * d + column[None, :], mask=mask, other=0.0)
        total += tl.sum(part * weight[:, None], 0)
    tl.store(out + row.to(tl.int64) * d + column, total, mask=column < d)
