"""What the pipeline asks of an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from dataset_prep.inputs import Part, RemoteFile
from dataset_prep.times import TimeFormat


class ReadError(ValueError):
    """The fast reader met a line it cannot split; the careful reader must look at the files."""


ODD = r'[^\x20-\x7e\t]|"|[,\t]$'
"""Lines that need the careful reader: not ASCII, a quote, a control character, a delimiter too many at the end."""


class Engine(Protocol):
    """Runs SQL that both engines understand; the few words in which they differ are methods here."""

    name: str

    def raw(self, parts: Sequence[Part], columns: Sequence[str], needed: Sequence[str]) -> str:
        """A FROM item with the *needed* columns as text, an empty field as NULL."""

    def listing(self, address: str) -> list[RemoteFile]:
        """The files an address or a pattern names, in the order of their paths. Raises InputError."""

    def head(self, path: str, lines: int) -> list[str]:
        """The first lines of a remote file. Raises InputError."""

    def look(self, file: RemoteFile) -> tuple[int, bool]:
        """(lines, whether none is odd) of a remote file. Raises ReadError."""

    def fetch(self, file: RemoteFile, target: Path) -> None:
        """Copy a remote file as it is. Raises InputError."""

    def epoch(self, column: str, time: TimeFormat) -> str:
        """An expression: Unix seconds as BIGINT, NULL where the text is not exactly in the format."""

    def create(self, table: str, select: str, rows: int | None = None) -> None:
        """Materialise a query; *rows*: how many it reads, for the progress bar. Raises ReadError."""

    def drop(self, *tables: str) -> None: ...

    def rows(self, select: str) -> list[tuple[Any, ...]]: ...

    def arrays(self, select: str) -> dict[str, np.ndarray]:
        """Numeric columns as arrays, in no particular order."""

    def upload(self, table: str, columns: Mapping[str, np.ndarray]) -> None: ...

    def write(self, select: str, path: Path) -> None:
        """Tab-separated with a header line of the column names, LF, nothing quoted, in the query's order."""


@runtime_checkable
class LocalEngine(Engine, Protocol):
    """An engine inside this process: it reads arrays where they stand."""

    def lend(self, table: str, columns: Mapping[str, np.ndarray]) -> None:
        """A table of these arrays, not copied; they must not change any more."""

    def define(self, table: str, select: str) -> None:
        """A name for a query that is run where the name is used."""
