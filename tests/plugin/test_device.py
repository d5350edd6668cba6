"""Every part of a training stays on its device and never waits for it; no GPU is needed to see that."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils import backend_registration

import recbole_alibaba  # noqa: F401  (makes RecBole importable)

checks = pytest.importorskip("benchmarks.device_checks", reason="the benchmarks are in the repository only")
ROOT = Path(checks.__file__).parent.parent
FAKE = torch.cuda.is_available() or hasattr(backend_registration, "_setup_privateuseone_for_python_backend")


@pytest.fixture(scope="module")
def faults() -> dict[str, str]:
    """What is wrong with each part on a fake GPU; empty for what stays there."""
    done = subprocess.run([sys.executable, "-m", "tests.plugin.fake_gpu"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not FAKE, reason="this torch has no device for backends in Python")
@pytest.mark.parametrize("name", [name for name in checks.CHECKS if name != "half_precision"])
def test_a_part_stays_on_the_device(faults: dict[str, str], name: str) -> None:
    assert faults[name] == ""


@pytest.mark.parametrize("name", checks.CHECKS)
def test_a_part_gives_numbers_on_the_cpu(name: str) -> None:
    """What `python -m benchmarks.gpu` compares a GPU with."""
    assert all(result.isfinite().all() for result in checks.CHECKS[name](torch.device("cpu"))())
