"""What this machine offers: processor, memory, and the C code that was compiled at installation (hatch_build.py)."""

from __future__ import annotations

import ctypes
import os
import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_prep.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
UNITS |= {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}
SHARE = 0.6
"""Share of the machine's memory that is used without a limit."""


def memory_of(limit: str | None) -> int:
    """Bytes that may be used. Raises UsageError for a text that is not a size."""
    if limit is None:
        return int(whole_memory() * SHARE)
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)", limit.strip())
    if match is None or match[2].upper() not in UNITS:
        raise UsageError(f"--memory-limit: {limit!r} is no size; write 4GB or 800MB.")
    return int(float(match[1]) * UNITS[match[2].upper()])


def cpu_name() -> str:
    """The model of the processor, or its kind where the system does not say."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()


def whole_memory() -> int:
    """Bytes of memory of this machine, and in a container no more than it may use."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):  # Windows
        import psutil

        total = psutil.virtual_memory().total
    return int(min([total, *_limits()]))


def free_memory() -> int:
    """Bytes that a process can still take: what is free, and in a container no more than it may use."""
    import psutil

    return int(min([psutil.virtual_memory().available, *_limits()]))


def _limits() -> Iterator[int]:
    """The limit of this process's control group, where Linux has set one."""
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # "max": there is no limit
            yield int(Path(file).read_text(encoding="ascii"))


@cache
def library(source: str) -> ctypes.CDLL | None:
    """The functions of a .c file; None where no compiler was present at installation.

    Args:
        source: a path from this package's folder, or a whole path.
    """
    path = Path(__file__).parent / source
    try:
        return ctypes.CDLL(str(path.with_name(f"_{path.stem}.so")))
    except OSError:
        return None


def address(array: np.ndarray) -> ctypes.c_void_p:
    """The address of an array's first element."""
    return ctypes.c_void_p(array.ctypes.data)
