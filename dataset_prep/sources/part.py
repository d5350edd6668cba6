"""One file of a log, here or behind an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

LONGEST_LINE = 1 << 16
"""Bytes. A longer line does not parse."""


class RemoteFile(NamedTuple):
    """A file behind an address: size in bytes, last changed in Unix seconds."""

    path: str
    size: int
    changed: int


@dataclass(frozen=True)
class Part:
    """One file to read.

    path: a plain, unpacked file, or an address that the engine reads. name: the user's name for it.
    plain: only ASCII, one kind of line end, no quotes, no control characters; an engine can read it.
    lines: all of them, blank ones included. digest: of the unpacked content; for an address of its name, size and date.
    remote: set for an address. columns: the role of each field of a line; '' for one that is not needed.
    notes: what the user should know of how the file is read.
    """

    path: str
    name: str
    delimiter: str
    header: bool
    newline: str
    plain: bool
    lines: int
    digest: str
    remote: RemoteFile | None = None
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
