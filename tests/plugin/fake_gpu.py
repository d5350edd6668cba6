"""A GPU that any machine has: torch's fake tensors on a device of their own, and a guard against copies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@cache
def fake_gpu() -> torch.device:
    """`cuda` where torch was built for it; else torch's device for backends in Python.

    Without CUDA in the build, autograd ends the process at the first fake tensor on `cuda`.
    """
    if torch.backends.cuda.is_built():
        return torch.device("cuda", 0)
    registration = __import__("torch.utils.backend_registration", fromlist=["_setup_privateuseone_for_python_backend"])
    registration._setup_privateuseone_for_python_backend("gpu")
    torch.gpu.get_amp_supported_dtype = lambda: [torch.bfloat16]
    return torch.device("gpu", 0)


@contextmanager
def on_the_device_alone(device: torch.device) -> Iterator[None]:
    """In the block no tensor comes from the device to the CPU, and no operation mixes the two.

    Fake tensors have no values: `item()`, `nonzero()` and a condition on a tensor raise, so nothing can wait for the
    device either.
    """
    with FakeTensorMode(allow_non_fake_inputs=True), _Guard(device):
        yield


class _Guard(TorchDispatchMode):
    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device = device

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given, made = (_tensors(part) for part in ((args, kwargs), result))
        copies = func.overloadpacket in (torch.ops.aten._to_copy, torch.ops.aten.copy_)
        wrong = list(made)
        if not copies:
            wrong += [tensor for tensor in given if tensor.dim()]  # a scalar of the CPU goes to a kernel as it is
        if any(tensor.device == self.device for tensor in given) and any(one.device.type == "cpu" for one in wrong):
            raise AssertionError(f"{func} works on {given} and gives {made}")
        return result


def _tensors(part: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(part) if isinstance(leaf, torch.Tensor)]
