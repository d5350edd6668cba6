"""Files behind an address (s3://, hdfs://, file://). Only an engine reaches them.

The engine surveys and reads such a file where it is. Small files, archives, and files for the careful reader are
copied to this machine first.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dataset_prep.engines import open_engine
from dataset_prep.engines.base import Engine, ReadError
from dataset_prep.errors import InputError
from dataset_prep.files.layout import layout_of
from dataset_prep.files.streams import Progress, head, is_remote
from dataset_prep.files.survey import survey
from dataset_prep.progress import bar
from dataset_prep.settings import Settings
from dataset_prep.sources.part import Part, RemoteFile

ARCHIVE = ".zip"
NOTHING = "no file there, or an empty one"
LINES = 1000
"""Lines of a remote file that decide its source."""


def beginning(path: str, **engine: Any) -> bytes:
    """The first lines of a file or address; *engine*: the arguments of ``open_engine``. Raises InputError."""
    if not is_remote(path):
        return head(Path(path))
    with tempfile.TemporaryDirectory() as scratch, open_engine(Path(scratch), **engine) as opened:
        first = _listing(opened, path)[0]
        if not first.path.lower().endswith(ARCHIVE):
            return "".join(f"{line}\n" for line in opened.head(first.path, LINES)).encode()
        return head(_fetched(opened, first, Path(scratch)))


def local_copies(engine: Callable[[], Engine], paths: Sequence[str], workdir: Path, quiet: bool = True) -> list[Path]:
    """Local files as they are, remote ones as copies. Raises InputError."""
    here: list[Path] = []
    remote = {path: _listing(engine(), path) for path in paths if is_remote(path)}
    with bar("fetching", sum(file.size for files in remote.values() for file in files), "B", quiet) as shown:
        for path in paths:
            if not is_remote(path):
                here.append(Path(path))
                continue
            for file in remote[path]:
                here.append(_fetched(engine(), file, workdir))
                shown.update(file.size)
    return here


def remote_parts(engine: Engine, address: str, workdir: Path, settings: Settings) -> list[Part]:
    """The files of an address, surveyed by the engine; archives are copied here. Raises InputError."""
    parts: list[Part] = []
    for file in _listing(engine, address):
        if file.path.lower().endswith(ARCHIVE):
            parts += survey(_fetched(engine, file, workdir), workdir, settings)
            continue
        try:
            lines, plain = engine.look(file)
            first = engine.head(file.path, LINES) if lines else []
        except ReadError:
            lines, plain, first = 0, False, [""]
        if not first:
            raise InputError(f"{file.path}: {NOTHING}")
        # Each engine spells an address in its own way; only the last part is the same.
        name = _name(file)
        digest = hashlib.sha256(f"{name} {file.size} {file.changed}".encode()).hexdigest()
        text = "".join(f"{line}\n" for line in first).encode()
        layout = layout_of(text, name, settings.source, settings.encoding, settings.delimiter)
        plain = plain and not layout.rewritten
        shape = layout.delimiter, layout.header, "", plain, lines, digest, file, layout.columns, layout.notes
        parts.append(Part(file.path, name, *shape))
    return parts


def local_part(
    engine: Callable[[], Engine], part: Part, workdir: Path, settings: Settings, progress: Progress
) -> list[Part]:
    """A remote part is copied here and surveyed; a local one is returned as it is. Raises InputError."""
    if part.remote is None:
        return [part]
    return survey(_fetched(engine(), part.remote, workdir), workdir, settings, progress)


def _listing(engine: Engine, address: str) -> list[RemoteFile]:
    """At least one file. (Spark passes over empty files.)"""
    files = engine.listing(address)
    if not files:
        raise InputError(f"{address}: {NOTHING}")
    return files


def _name(file: RemoteFile) -> str:
    return file.path.rsplit("/", 1)[-1]


def _fetched(engine: Engine, file: RemoteFile, workdir: Path) -> Path:
    """Each copy gets a folder, so that it keeps the name that the user knows."""
    folder = Path(tempfile.mkdtemp(prefix="fetched-", dir=workdir))
    target = folder / _name(file)
    try:
        engine.fetch(file, target)
    except InputError as error:
        raise InputError(f"{error} It must be copied here; copy it yourself and name the copy.") from error
    return target
