"""What a C compiler made at installation (hatch_build.py), called through ctypes."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import numpy as np


@cache
def library(source: str) -> ctypes.CDLL | None:
    """The functions of a .c file of this package; None where nothing was compiled when it was installed."""
    path = Path(__file__).parent / source
    try:
        return ctypes.CDLL(str(path.with_name(f"_{path.stem}.so")))
    except OSError:
        return None


def at(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
