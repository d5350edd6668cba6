"""The raw files: found, unpacked, and looked over once for what decides how they can be read."""

from __future__ import annotations

import glob
import gzip
import hashlib
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt

from dataset_prep.guards import InputError

BLOCK = 1 << 20
FIRST = 1 << 16
"""Bytes of a file from which its header and delimiter are told, whatever reads it and in blocks of any size."""
LONGEST_LINE = 1 << 16
WINDOW = LONGEST_LINE // 2
BOM = b"\xef\xbb\xbf"
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, ValueError, struct.error)
Progress = Callable[[int], object]


class RemoteFile(NamedTuple):
    """A file behind an address: size in bytes, last changed in Unix seconds."""

    path: str
    size: int
    changed: int


@dataclass(frozen=True)
class Part:
    """One file to read.

    path: a plain, unpacked file, or an address the engine reads by itself; name: what the user called it.
    plain: ASCII, one line ending throughout, no quote and no control character: the fast reader may be tried.
    lines: blank or not, as many as the file has; digest: of the unpacked content, or of what is known of an address.
    remote: where only the engine can read it.
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


def is_remote(path: str) -> bool:
    """s3://..., hdfs://..., file://...: left to the engine's own readers."""
    return re.match(r"[a-z][a-z0-9+]*://", path) is not None


def find(patterns: Sequence[str], option: str) -> list[str]:
    """Paths, globs and addresses -> existing files, each once, in a fixed order. Raises InputError."""
    found: list[str] = []
    for pattern in patterns:
        matches = [pattern] if is_remote(pattern) or Path(pattern).is_file() else _matches(pattern, option)
        found += [m for m in matches if m not in found]
    return found


def _matches(pattern: str, option: str) -> list[str]:
    path = Path(pattern)
    if path.is_dir():
        raise InputError(f"{option}: {pattern} is a folder; name the file, or a pattern such as '{pattern}/*.csv'")
    if glob.has_magic(pattern):
        matches = sorted(p for p in glob.glob(pattern, recursive=True) if Path(p).is_file())  # noqa: PTH207
        if matches:
            return matches
        raise InputError(f"{option}: no file matches {pattern}")
    near = sorted(p.name for p in path.parent.glob("*") if p.is_file())[:5] if path.parent.is_dir() else []
    beside = f" Beside it: {', '.join(near)}." if near else ""
    raise InputError(f"{option}: there is no file {pattern}.{beside}")


def streams(path: Path) -> Iterator[tuple[str, IO[bytes], bool]]:
    """(name, unpacked bytes, is packed) of a file, or of every member of a zip archive."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic[:2] == b"\x1f\x8b":
        with gzip.open(path, "rb") as stream:
            yield path.name, stream, True  # type: ignore[misc]
    elif magic == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            # Not is_dir(): it fails on a name that a damaged archive leaves empty.
            inside = [m for m in archive.infolist() if not m.filename.endswith("/")]
            members = [m for m in inside if not m.filename.startswith("__MACOSX/")]
            for member in sorted(members, key=lambda m: m.filename):
                with archive.open(member) as stream:
                    yield f"{path.name}/{member.filename}", stream, True
    else:
        with path.open("rb") as stream:
            yield path.name, stream, False


def head(path: Path) -> bytes:
    """The first bytes of a file, unpacked; b'' for an empty one. Raises InputError."""
    try:
        for _, stream, _ in streams(path):
            return stream.read(FIRST)
    except BROKEN as error:
        raise InputError(f"{path}: cannot be read ({error}).") from error
    return b""


class _Look:
    """What is learnt from a file's blocks as they pass."""

    def __init__(self) -> None:
        self.size = self.feeds = self.returns = self.pairs = 0
        self.plain = True
        self.last = b""
        self.digest = hashlib.sha256()

    def take(self, block: bytes) -> None:
        """Every test here runs at memory speed; a regular expression would take as long as the reading itself."""
        values = np.frombuffer(block, dtype=np.uint8)
        feeds = int(np.count_nonzero(values == 10))
        returns = int(np.count_nonzero(values == 13)) if b"\r" in block else 0
        tabs = int(np.count_nonzero(values == 9)) if b"\t" in block else 0
        if returns:
            self.pairs += block.count(b"\r\n")
        self.pairs += self.last == b"\r" and block[:1] == b"\n"
        # DuckDB forgives a delimiter too many at the end of a line.
        ends = values == (13 if returns else 10)
        self.plain = self.plain and not self._hangs(values, ends)
        # A line longer than two windows leaves one of them without a line end.
        windows = ends[: len(ends) // WINDOW * WINDOW].reshape(-1, WINDOW)
        self.plain = self.plain and bool(windows.any(axis=1).all())
        controls = int(np.count_nonzero(values < 32)) - feeds - returns - tabs
        # Quotes are legal, yet need the careful reader.
        self.plain = self.plain and not controls and block.isascii() and b'"' not in block and b"\x7f" not in block
        self.size, self.feeds, self.returns = self.size + len(block), self.feeds + feeds, self.returns + returns
        # A checksum a block, and a digest over the checksums.
        self.digest.update(zlib.crc32(block).to_bytes(4, "little"))
        self.last = block[-1:]

    def _hangs(self, values: npt.NDArray[np.uint8], ends: npt.NDArray[np.bool_]) -> bool:
        """Whether a line of these bytes ends with a delimiter."""
        at_border = self.last in (b",", b"\t") and bool(ends[0])
        before = values[:-1]
        return at_border or bool((ends[1:] & ((before == 44) | (before == 9))).any())

    @property
    def one_line_end(self) -> bool:
        return not self.returns or self.returns == self.pairs == self.feeds


def look_over(path: Path, workdir: Path, headers: frozenset[str], progress: Progress | None = None) -> list[Part]:
    """Read a file once, unpacking it into *workdir* where it is packed.

    Raises InputError for a file that is empty, damaged or not readable.
    """
    parts = []
    try:
        for number, (name, stream, packed) in enumerate(streams(path)):
            look, first = _Look(), b""
            plain_path = workdir / f"{number}-{len(list(workdir.iterdir()))}-{path.stem}.csv" if packed else path
            copy = plain_path.open("wb") if packed else None
            try:
                while block := stream.read(BLOCK):
                    if not look.size:
                        first = block[:FIRST]
                    look.take(block)
                    if copy:
                        copy.write(block)
                    if progress:
                        progress(len(block))
            finally:
                if copy:
                    copy.close()
            if look.size:
                parts.append(_part(plain_path, name, look, first, headers))
    except BROKEN as error:
        raise InputError(f"{path}: cannot be read to its end ({error}). Download or unpack it again.") from error
    if not parts:
        raise InputError(f"{path}: the file is empty")
    return parts


def first_fields(first: bytes) -> tuple[list[str], str]:
    """(fields of the first line, delimiter) of a file's beginning."""
    line = first.removeprefix(BOM).split(b"\n")[0].rstrip(b"\r")
    delimiter = "\t" if line.count(b"\t") > line.count(b",") else ","
    return [f.strip('" ') for f in line.decode("utf-8", "replace").split(delimiter)], delimiter


def _part(path: Path, name: str, look: _Look, first: bytes, headers: frozenset[str]) -> Part:
    fields, delimiter = first_fields(first)
    return Part(
        path=str(path),
        name=name,
        delimiter=delimiter,
        header=fields[0].lower() in headers,
        newline="\r\n" if look.returns else "\n",
        plain=look.plain and look.one_line_end,
        lines=look.feeds + (look.last != b"\n"),
        digest=look.digest.hexdigest(),
    )
