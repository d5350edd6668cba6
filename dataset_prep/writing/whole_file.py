"""A file is whole or absent, and a link in its place is replaced, not followed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written(path: Path, synced: bool = True) -> Iterator[Path]:
    """A file to fill beside `path`. It becomes `path` in one step when the block ends, unless the block raises.

    Args:
        synced: whether it must be on the disk first, so that it outlives a power cut, too.
    """
    part = path.with_name(f".{path.name[:200]}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        yield part
        if synced:
            with part.open("rb") as file:
                os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
