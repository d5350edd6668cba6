"""A pandas, polars or Arrow table as a log: it is written as CSV in the form of its source and read like a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dataset_prep.errors import InputError, UsageError
from dataset_prep.sources import SOURCES
from dataset_prep.sources.base import BEHAVIOR, ITEM, TIME, USER, Source
from dataset_prep.sources.columns import Columns
from dataset_prep.sources.find import find_source
from dataset_prep.sources.names import ROLES, plain
from dataset_prep.sources.times import BEIJING_OFFSET, DAY, FORMATS, TimeFormat

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAME = "table.csv"
ESSENTIAL = (USER, ITEM, BEHAVIOR, TIME)
ROUNDED = {1: ("seconds", "s"), 3600: ("hours", "h"), DAY: ("days", "D")}
"""Unit of a time format -> its word, and how pandas calls it."""


class Field(NamedTuple):
    """A column of the file. name: of the table's column; None: empty. kind: its type in DuckDB."""

    title: str
    name: str | None = None
    kind: str = ""
    time: TimeFormat | None = None

    @property
    def is_moment(self) -> bool:
        return self.time is not None and self.kind.startswith(("TIMESTAMP", "DATE"))

    @property
    def value(self) -> str:
        """The table's column; a moment with a time zone as Beijing's clock shows it."""
        column = _quoted(self.name or "")
        if self.kind == "TIMESTAMP WITH TIME ZONE":
            return f"make_timestamp(epoch_us({column}) + {BEIJING_OFFSET * 10**6})"
        return column

    def text(self) -> str:
        """The column as the file would write it."""
        value, time = self.value, self.time
        if self.name is None:
            value = "NULL"
        elif time is not None and self.is_moment:
            form = (time.strptime or "").removeprefix("%Y" if time.prefix else "")
            seconds = f"CAST(epoch({value}) AS BIGINT) - {BEIJING_OFFSET}"
            value = f"strftime({value}, '{form}')" if time.strptime else seconds
        elif time is not None and time.prefix and self.kind != "VARCHAR":
            value = f"format('{{:04d}}', CAST({value} AS BIGINT))"  # a number has lost its leading zero
        elif self.kind in ("DOUBLE", "FLOAT"):
            # pandas stores whole numbers as floats where some are missing.
            whole = f"isfinite({value}) AND {value} = floor({value})"
            number = f"CAST(TRY_CAST({value} AS BIGINT) AS VARCHAR)"
            value = f"CASE WHEN {whole} THEN {number} ELSE CAST({value} AS VARCHAR) END"
        return f"nullif(CAST({value} AS VARCHAR), '') AS {_quoted(self.title)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def is_frame(users: object) -> bool:
    return hasattr(users, "columns") or hasattr(users, "__arrow_c_stream__")


def frame_to_csv(frame: Any, source: str | Source, columns: Columns | None, folder: Path) -> str:
    """Write the table's columns in the order of the source -> path.

    Columns are found by the names of the source's roles or of the data set's own files, in any case. Times without a
    time zone are Beijing's.

    Raises:
        InputError: the table cannot be read, lacks a column of the source, or has times that its log cannot hold.
        UsageError: there is no such source.
    """
    import duckdb

    target = folder / NAME
    with duckdb.connect() as connection:
        try:
            connection.register("frame", frame)
            types = {name: kind for name, kind, *_ in connection.execute("DESCRIBE frame").fetchall()}
            if source == "csv":
                found = find_source(source, lambda: [list(types)], columns)
                form = FORMATS[found.time]
                roles = zip(types, found.columns, strict=True)
                fields = [Field(name, name, types[name], form if role == TIME else None) for name, role in roles]
            else:
                fields = _fields(_edition(source, types), types)
            for field in fields:
                if field.is_moment:
                    _check_moments(connection, field)
            selected = ", ".join(field.text() for field in fields)
            connection.execute(f"COPY (SELECT {selected} FROM frame) TO '{target}' (FORMAT csv, HEADER true)")
        except duckdb.Error as error:
            raise InputError(f"The table cannot be read ({str(error).splitlines()[0]}).") from error
    return str(target)


def _edition(source: str | Source, types: dict[str, str]) -> Source:
    """The source; of those that share a name (tmall, tmall-ijcai16) the one with the most columns in the table."""
    if isinstance(source, Source):
        return source
    editions = [s for s in SOURCES.values() if s.name == source or s.name.startswith(f"{source}-")]
    if not editions:
        raise UsageError(f"There is no source {source!r}. There are {', '.join(SOURCES)} and csv.")
    return max(editions, key=lambda s: sum(column in _places(s, types) for column in s.columns))


def _places(source: Source, types: dict[str, str]) -> dict[str, str]:
    """Role -> the table's column."""
    by_name = {name.lower(): name for name in types}
    own_names = source.names or source.columns
    names = zip(source.columns, own_names, strict=True)
    known = {ROLES[plain(name)]: name for name in reversed(types) if plain(name) in ROLES}
    found = {role: by_name.get(role.lower(), by_name.get(own.lower(), known.get(role))) for role, own in names}
    return {role: name for role, name in found.items() if name is not None}


def _fields(source: Source, types: dict[str, str]) -> list[Field]:
    places = _places(source, types)
    for role in source.columns:
        if role in ESSENTIAL and role not in places:
            names = ", ".join(source.names or source.columns)
            raise InputError(f"The table has no column for {role}. It has {', '.join(types)}; needed are {names}.")
    times = {TIME: FORMATS[source.time]}
    return [
        Field(role, places[role], types[places[role]], times.get(role)) if role in places else Field(role)
        for role in source.columns
    ]


def _check_moments(connection: DuckDBPyConnection, field: Field) -> None:
    """Raises InputError for a moment that would be cut to fit into the log's format."""
    value, time = field.value, field.time
    assert time is not None
    odd = f"date_trunc('second', {value}) <> {value}"
    if time.strptime:
        odd = f"strptime(strftime({value}, '{time.strptime}'), '{time.strptime}') <> {value}"
    if time.prefix:
        odd += f" OR year({value}) <> {time.prefix}"
    found = connection.execute(f"SELECT CAST(min({value}) AS VARCHAR), count(*) FROM frame WHERE {odd}")
    first, many = found.fetchall()[0]
    if many:
        unit, code = ROUNDED[time.unit]
        year = f" of {time.prefix}" if time.prefix else ""
        raise InputError(
            f"The table's column {field.name} holds {first} (and {many - 1:,} more of its kind), but times of this log "
            f"are whole {unit}{year}. Round them first: frame[{field.name!r}].dt.floor({code!r})."
        )
