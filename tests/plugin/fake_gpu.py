"""A GPU that any machine has: torch's fake tensors on a device of their own, and a guard against copies.

    python -m tests.plugin.fake_gpu

A process of its own: autograd counts the devices once, at the first gradient of a process.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def fake_gpu() -> torch.device:
    """`cuda` where there is one; else torch's device for backends in Python.

    Without a GPU, autograd fails at the first gradient of a fake tensor on `cuda`.
    """
    if torch.cuda.is_available():
        return torch.device("cuda", 0)
    backend_registration._setup_privateuseone_for_python_backend("gpu")
    torch.gpu.get_amp_supported_dtype = lambda: [torch.bfloat16]
    return torch.device("gpu", 0)


def stays_on_the_device(check: Any, device: torch.device) -> str:
    """What is wrong with a part of `benchmarks.device_checks` there; empty if all of it stays on the device.

    No tensor may come to the CPU, and no operation may mix the two. Fake tensors have no values: `item()`, `nonzero()`
    and a condition on a tensor raise, so nothing can wait for the device either.
    """
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            run = check(device)
            with _Guard(device):
                results = run()
        assert results and {result.device for result in results} == {device}, results
    except Exception as error:  # of any operation
        return f"{type(error).__name__}: {error}"
    return ""


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


if __name__ == "__main__":
    import recbole_alibaba  # noqa: F401  (makes RecBole importable)
    from benchmarks.device_checks import CHECKS

    gpu = fake_gpu()
    on_any = {name: check for name, check in CHECKS.items() if name != "half_precision"}  # no autocast on fake devices
    print(json.dumps({name: stays_on_the_device(check, gpu) for name, check in on_any.items()}))
