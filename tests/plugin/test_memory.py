"""Freed memory stays in the process, where the C library can be asked for that."""

import subprocess
import sys

import pytest

COUNT = """
import resource, torch
from recbole_alibaba.host.memory import keep_freed_memory
{ask}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):  # the heap grows to what it will need
    [torch.ones(5_000_000) for _ in range(3)]
before = faults()
for _ in range(20):
    [torch.ones(5_000_000) for _ in range(3)]
print(faults() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_new_tables_need_no_new_pages() -> None:
    def faults(ask: str) -> int:
        command = [sys.executable, "-W", "ignore", "-c", COUNT.format(ask=ask)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])

    assert 2 * faults("assert keep_freed_memory()") < faults("")
