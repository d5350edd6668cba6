"""One converter at a time for a data set: the second is told at once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataset_prep.errors import OutputError


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the lock of a data set's folder. The system frees it when the process ends, however it ends.

    Raises OutputError where another converter holds it.
    """
    key = hashlib.sha256(os.fsencode(target.resolve())).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"dataset_prep-{key}.lock"
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise OutputError(f"{path}: the lock cannot be written ({error.strerror}). Set TMPDIR.") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise OutputError(
                    f"{target}: another converter is writing this data set. Wait until it has ended, or choose another "
                    "--name."
                ) from error
            # The former holder removes the file; then the lock is on a file that nobody else finds.
            if not _is_at(descriptor, path):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return
        finally:
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False
