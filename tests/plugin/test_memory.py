"""Freed memory stays in the process, where the C library can be asked for that."""

import os
import subprocess
import sys

import pytest

COUNT = """
import resource, torch
from recbole_alibaba.trainer.freed_memory import keep_freed_memory
{ask}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):  # the heap grows to what it will need
    [torch.ones(1_000_000) for _ in range(3)]
before = faults()
for _ in range(20):
    [torch.ones(1_000_000) for _ in range(3)]
print(faults() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_new_tables_need_no_new_pages() -> None:
    def faults(ask: str) -> int:
        command = [sys.executable, "-W", "ignore", "-c", COUNT.format(ask=ask)]
        # Fixed, because glibc raises this threshold by itself, and then it is chance whether a freed table goes back.
        environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(128 << 10)}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return int(done.stdout.split()[-1])

    assert 3 * faults("assert keep_freed_memory()") < faults("")
