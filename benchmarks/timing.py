"""Seconds and gigabytes of this process."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Numbers = dict[str, Any]


def seconds(task: Callable[[], Any]) -> float:
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def in_turns(tasks: Mapping[str, Callable[[int], Any]], rounds: int) -> dict[str, float]:
    """Median seconds of each task; in a round every task runs once, so that a slow minute hits them all."""
    for task in tasks.values():
        task(0)
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(rounds):
        for name, task in tasks.items():
            times[name].append(seconds(lambda task=task, number=number: task(number + 1)))
    return {name: statistics.median(taken) for name, taken in times.items()}


def held_gb() -> float:
    """Resident now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e9


def peak_gb() -> float:
    """Resident at the most, since the process began or `forget_peak`."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e9


def forget_peak() -> float:
    """Let the peak begin anew; returns what is held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return held_gb()
