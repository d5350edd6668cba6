"""Which sparse product is the fastest on a GPU? Both halves of a layer, each way, against ours."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from recbole_alibaba.model.sparse import CsrMatrix

Product = Callable[[CsrMatrix, Tensor], Tensor]
REPEATS = 20


def ours(matrix: CsrMatrix, dense: Tensor) -> Tensor:
    """`CsrMatrix.matmul`: embedding_bag, long rows in pieces."""
    return matrix.matmul(dense)


def embedding_bag(matrix: CsrMatrix, dense: Tensor) -> Tensor:
    """One sum a row."""
    return F.embedding_bag(
        matrix.indices, dense, matrix.offsets, mode="sum", per_sample_weights=matrix.weights, include_last_offset=True
    )


def csr(matrix: CsrMatrix, dense: Tensor) -> Tensor:
    """`torch.sparse.mm`, which is cuSPARSE."""
    warnings.filterwarnings("ignore", message="Sparse (CSR tensor support|invariant checks)")
    parts = (matrix.offsets, matrix.indices, matrix.weights)
    return torch.sparse_csr_tensor(*parts, matrix.shape, check_invariants=False) @ dense


def triton(matrix: CsrMatrix, dense: Tensor) -> Tensor:
    """A kernel that reads 32 rows of the table at once."""
    from benchmarks.gpu_kernel import weighted_sums

    return weighted_sums(matrix.indices, matrix.offsets, matrix.weights, dense)


CANDIDATES: dict[str, Product] = {
    "ours": ours, "embedding_bag": embedding_bag, "CSR, torch.sparse.mm": csr, "Triton": triton,
}  # fmt: skip


def compare(layer: Any, d: int, device: torch.device) -> dict[str, Any]:
    """Milliseconds of a layer of (n, d) tables by each candidate, and whether it is the same to the bit each time."""
    generator = torch.Generator().manual_seed(0)
    sides = [
        (matrix, torch.randn(matrix.shape[1], d, generator=generator).to(device))
        for matrix in (layer.from_items, layer.from_users)
    ]
    exact = [_in_float64(*side) for side in sides]
    found: dict[str, Any] = {}
    for name, product in CANDIDATES.items():
        try:
            found[name] = _measured(product, sides, exact, device)
        except Exception as error:  # of any library
            found[name] = {"reason": f"{type(error).__name__}: {error}"[:500]}
    return found


def _measured(product: Product, sides: list[Any], exact: list[Tensor], device: torch.device) -> dict[str, Any]:
    first = [product(*side) for side in sides]
    errors = [float((one - right).norm() / right.norm()) for one, right in zip(first, exact, strict=True)]
    same = all(torch.equal(product(*side), one) for _ in range(5) for side, one in zip(sides, first, strict=True))
    taken = {}
    for side, name in zip(sides, ("users from items", "items from users"), strict=True):
        taken[name] = milliseconds(lambda side=side: product(*side), device)
    return {"ms": sum(taken.values()), **taken, "relative error": max(errors), "same each time": same}


def milliseconds(task: Callable[[], Any], device: torch.device, repeats: int = REPEATS) -> float:
    """The median of some repeats, after three that are not counted."""
    times = []
    for number in range(repeats + 3):
        wait(device)
        started = perf_counter()
        task()
        wait(device)
        if number >= 3:
            times.append(perf_counter() - started)
    return 1000 * sorted(times)[len(times) // 2]


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def _in_float64(matrix: CsrMatrix, dense: Tensor) -> Tensor:
    rows = torch.repeat_interleave(torch.arange(matrix.shape[0], device=dense.device), matrix.offsets.diff().long())
    out = torch.zeros(matrix.shape[0], dense.shape[1], dtype=torch.float64, device=dense.device)
    for entries in torch.arange(len(rows), device=dense.device).split(1 << 18):
        part = dense[matrix.indices[entries].long()].double() * matrix.weights[entries, None].double()
        out.index_add_(0, rows[entries], part)
    return out.float()
