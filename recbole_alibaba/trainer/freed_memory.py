"""Keeps freed memory in the process, so that the tables of the next training step need no new pages."""

import ctypes
import sys
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # names and numbers of glibc's malloc.h


@cache
def keep_freed_memory() -> bool:
    """Ask glibc to keep freed blocks; returns whether it will (False with another C library).

    A training step allocates and frees about ten tables of several megabytes. By default the kernel provides each of
    them anew and must zero its pages: 12 % of a step on Gowalla. The price: the process never gives its memory back.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
