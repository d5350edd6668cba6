"""Every part of a training stays on its device and never waits for it; no GPU is needed to see that."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import recbole_alibaba  # noqa: F401  (makes RecBole importable)
from tests.plugin.fake_gpu import fake_gpu, on_the_device_alone

checks = pytest.importorskip("benchmarks.device_checks", reason="the benchmarks are in the repository only")


ON_ANY_GPU = [name for name in checks.CHECKS if name != "half_precision"]  # torch has autocast for real devices only


@pytest.mark.parametrize("name", ON_ANY_GPU)
def test_a_part_stays_on_the_device(name: str) -> None:
    device = fake_gpu()
    with FakeTensorMode(allow_non_fake_inputs=True):
        run = checks.CHECKS[name](device)
    with on_the_device_alone(device):
        results = run()
    assert results and {result.device for result in results} == {device}


@pytest.mark.parametrize("name", checks.CHECKS)
def test_a_part_gives_numbers_on_the_cpu(name: str) -> None:
    """What `python -m benchmarks.gpu` compares a GPU with."""
    assert all(result.isfinite().all() for result in checks.CHECKS[name](torch.device("cpu"))())
