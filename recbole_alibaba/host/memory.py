"""Keep freed memory in the process, so that the tables of the next training step need no new pages."""

import ctypes
import sys
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # names and numbers of glibc's malloc.h


@cache
def keep_freed_memory() -> bool:
    """Ask glibc to hand no freed block back; True if it will, False where the C library is another one.

    A step of LightGCN makes and drops some ten tables of megabytes. By default each comes fresh from the kernel,
    which must zero it page by page: 12 % of a step on Gowalla. The process keeps the most it ever needed.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
