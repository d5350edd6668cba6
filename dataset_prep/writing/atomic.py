"""Outputs are whole or absent: a data set is built beside its target and moved there in one step."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataset_prep.errors import OutputError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two directories in one system call (Linux); False where the system or file system cannot."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    result = renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return bool(result == 0)


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def repair(output: Path, name: str) -> None:
    """Remove what a killed run left beside ``output/name``, and put back a data set that it had moved away."""
    target = output / name
    former = output / f".{name}.former"
    if former.is_dir():
        if target.exists():
            shutil.rmtree(former)
        else:
            former.rename(target)
    for left in output.glob(f".{name}.*.building"):
        if not _alive(left.name.split(".")[-2]):
            shutil.rmtree(left)


@contextmanager
def replaced(output: Path, name: str) -> Iterator[Path]:
    """A folder to fill. When the block ends it becomes ``output/name``; if the block raises, nothing changes.

    If the process is killed, ``output/name`` is the former data set or the new one. Some systems cannot exchange two
    folders in one step; there the former is moved away first, and ``repair`` puts it back if the second step failed.
    Raises OutputError where the folder cannot be written.
    """
    target, building = output / name, output / f".{name}.{os.getpid()}.building"
    try:
        output.mkdir(parents=True, exist_ok=True)
        repair(output, name)
        building.mkdir()
    except OSError as error:
        raise OutputError(
            f"{output}: cannot be written ({error.strerror or error}). Choose another --output."
        ) from error
    try:
        yield building
        for path in building.iterdir():
            _fsync(path)
        _fsync(building)
        if not target.exists():
            building.rename(target)
        elif not _exchange(building, target):
            former = output / f".{name}.former"
            target.rename(former)
            building.rename(target)
            shutil.rmtree(former)
        _fsync(output)
    finally:
        shutil.rmtree(building, ignore_errors=True)
