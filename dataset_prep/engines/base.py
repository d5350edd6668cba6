"""What the converter asks of an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from dataset_prep.sources.part import Part, RemoteFile
from dataset_prep.sources.times import TimeFormat


class ReadError(ValueError):
    """The engine met a line that it cannot split. The careful reader must read the files."""


ODD = r'[^\x20-\x7e\t]|"|[,\t]$'
"""Lines for the careful reader: not ASCII, a quote, a control character, or a delimiter too many at the end."""


class Engine(Protocol):
    """Runs SQL that both engines understand. Where their words differ there is a method."""

    def raw(self, parts: Sequence[Part], needed: Sequence[str]) -> str:
        """A FROM item with the *needed* columns as text, an empty field as NULL."""

    def listing(self, address: str) -> list[RemoteFile]:
        """The files of an address or pattern, by path. Raises InputError."""

    def head(self, path: str, lines: int) -> list[str]:
        """The first lines of a remote file. Raises InputError."""

    def look(self, file: RemoteFile) -> tuple[int, bool]:
        """(lines, True if none is odd) of a remote file. Raises ReadError."""

    def fetch(self, file: RemoteFile, target: Path) -> None:
        """Copy a remote file. Raises InputError."""

    def epoch(self, column: str, time: TimeFormat) -> str:
        """An expression: Unix seconds as BIGINT, NULL where the text is not exactly in the format."""

    def create(self, table: str, select: str, rows: int | None = None) -> None:
        """Store a query's result; *rows*: how many it reads, for the progress bar. Raises ReadError."""

    def rows(self, select: str) -> list[tuple[Any, ...]]: ...

    def arrays(self, select: str) -> dict[str, np.ndarray]:
        """The columns as arrays, in the query's order."""

    def upload(self, table: str, columns: Mapping[str, np.ndarray]) -> None:
        """Store arrays as a table."""
