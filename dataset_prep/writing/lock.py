"""One process at a time writes a folder: the second is told at once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from dataset_prep.errors import OutputError


class HeldError(Exception):
    """Another process holds the lock."""


@contextmanager
def held(lock: Path) -> Iterator[None]:
    """Hold a lock file while the block runs. The system frees it when the process ends, however it ends.

    Raises:
        HeldError: another process holds it.
        OSError: the file cannot be written.
    """
    try:
        with FileLock(lock, blocking=False):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)  # filelock does not take a file that has lost its name
    except Timeout as error:
        raise HeldError(str(lock)) from error


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the lock of a data set's folder, which need not exist.

    Raises OutputError where another converter holds it.
    """
    key = hashlib.sha256(os.fsencode(target.resolve())).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"dataset_prep-{key}.lock"
    try:
        with held(path):
            yield
    except HeldError as error:
        raise OutputError(
            f"{target}: another converter is writing this data set. Wait until it has ended, or choose another --name."
        ) from error
