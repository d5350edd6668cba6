"""How much memory arrays may take: what the user allows, else most of what the machine has."""

from __future__ import annotations

import re

import psutil

from dataset_prep.guards import UsageError

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
UNITS |= {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}
SHARE = 0.6
"""Of the machine's memory, where the user does not say."""


def memory_of(limit: str | None) -> int:
    """Bytes. Raises UsageError for a text that is no size."""
    if limit is None:
        return int(psutil.virtual_memory().total * SHARE)
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)", limit.strip())
    if match is None or match[2].upper() not in UNITS:
        raise UsageError(f"--memory-limit: {limit!r} is no size; write 4GB or 800MB.")
    return int(float(match[1]) * UNITS[match[2].upper()])
