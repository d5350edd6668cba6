"""The raw files: found, unpacked, cut into blocks of whole lines."""

from __future__ import annotations

import bz2
import errno
import glob
import gzip
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from dataset_prep.errors import InputError, PrepError
from dataset_prep.files.foreign import is_spreadsheet, sentence

FIRST = 1 << 16
"""Bytes at the beginning of a file that decide its header and delimiter."""
ROOM = 32
"""Bytes behind a block that can be read safely."""
BOM = b"\xef\xbb\xbf"
AGAIN = " Download or unpack it again."
BROKEN = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, ValueError, struct.error)
LARGEST_RATIO, LEAST_UNPACKED = 200, 1 << 26
"""A file that unpacks to more than this many times its size, and to more than this many bytes, is no log. Real logs
shrink to a fifth or a twentieth."""
LONGEST_LINE = 1 << 26
Progress = Callable[[int], object]


class Stream(Protocol):
    """What is read of a file."""

    def read(self, size: int, /) -> bytes: ...


class Unpacked:
    """The bytes of a packed file's members, one after the other. They are counted, so that they come to an end."""

    def __init__(self, path: Path) -> None:
        self._path, self._packed, self._read = path, path.stat().st_size, 0
        self.member: Stream

    def read(self, size: int, /) -> bytes:
        """Raises InputError."""
        raw = self.member.read(size)
        self._read += len(raw)
        if self._read > max(LEAST_UNPACKED, LARGEST_RATIO * self._packed):
            raise InputError(
                f"{self._path}: its {self._packed:,} bytes unpack to over {self._read:,}, more than "
                f"{LARGEST_RATIO} times as many: this is no log. If it is one, unpack it and name that file."
            )
        return raw


def is_remote(path: str) -> bool:
    """s3://..., hdfs://..., file://...: only an engine reads these."""
    return re.match(r"[a-z][a-z0-9+]*://", path) is not None


def find(patterns: Sequence[str], option: str) -> list[str]:
    """Paths, patterns and addresses -> existing files, each once, in a fixed order. Raises InputError."""
    found: list[str] = []
    for pattern in patterns:
        there = is_remote(pattern) or Path(pattern).is_file() or member_of(Path(pattern)) is not None
        matches = [pattern] if there else _matches(pattern, option)
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


def member_of(path: Path) -> tuple[Path, str] | None:
    """(archive, member) of a path such as log.zip/user.csv; None for any other."""
    for archive in path.parents:
        if archive.is_file():
            return archive, path.relative_to(archive).as_posix()
    return None


def size_of(path: str) -> int:
    """Bytes of a file, or of the archive that holds it."""
    found = member_of(Path(path))
    return (found[0] if found else Path(path)).stat().st_size


def streams(path: Path) -> Iterator[tuple[str, Stream, bool]]:
    """(name, unpacked bytes, is packed) of a file, or of every member of a zip archive, or of one: log.zip/user.csv.

    Raises InputError for what is no text.
    """
    inside = member_of(path)
    file_path, wanted = inside if inside else (path, None)
    with file_path.open("rb") as file:
        magic = file.read(6)
    if magic[:4] == b"PK\x03\x04":
        yield from _members(file_path, wanted)
        return
    if wanted is not None:
        raise InputError(f"{path}: {file_path} is no zip archive")
    unpack: Callable[[Path], IO[bytes]] | None = None
    if magic[:2] == b"\x1f\x8b":
        unpack = gzip.open  # type: ignore[assignment]
    elif magic == b"\xfd7zXZ\x00":
        unpack = lzma.open  # type: ignore[assignment]
    elif magic[:3] == b"BZh":
        unpack = bz2.open
    with unpack(path) if unpack else path.open("rb") as stream:
        _check(stream, str(path))
        if unpack is None:
            yield path.name, stream, False
            return
        unpacked = Unpacked(path)
        unpacked.member = stream
        yield path.name, unpacked, True


def _members(path: Path, wanted: str | None) -> Iterator[tuple[str, Stream, bool]]:
    unpacked = Unpacked(path)
    with zipfile.ZipFile(path) as archive:
        # is_dir() fails on the empty name that a damaged archive can hold.
        every = [m for m in archive.infolist() if not m.filename.endswith("/")]
        members = [m for m in every if not m.filename.startswith("__MACOSX/")]
        names = sorted(m.filename for m in members)
        if is_spreadsheet(names):
            raise InputError(f"{path}: this is a spreadsheet. Open it and save it as CSV.")
        if wanted is not None:
            members = [m for m in members if m.filename == wanted]
            if not members:
                raise InputError(f"{path} holds no {wanted}; it holds {', '.join(names[:10])}")
        for member in sorted(members, key=lambda m: m.filename):
            with archive.open(member) as stream:
                _check(stream, f"{path}/{member.filename}")
                unpacked.member = stream
                yield f"{path.name}/{member.filename}", unpacked, True


def members_of(path: Path) -> list[str]:
    """The members of a zip archive with several; else nothing."""
    if member_of(path) is not None or not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as archive:
        names = sorted(m for m in archive.namelist() if not m.endswith("/") and not m.startswith("__MACOSX/"))
    return names if len(names) > 1 else []


def _check(stream: IO[bytes], name: str) -> None:
    """Raises InputError for what is no text."""
    told = sentence(stream.peek(512)[:512], name)  # type: ignore[attr-defined]
    if told:
        raise InputError(told)


def head(path: Path) -> bytes:
    """The first bytes of a file, unpacked; b'' for an empty one. Raises InputError."""
    with reading(path):
        return next((stream.read(FIRST) for _, stream, _ in streams(path)), b"")


@contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """Damage that is met while a file is read becomes an InputError. A full disk is no damage."""
    try:
        yield
    except PrepError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        reason = f"cannot be read ({error.strerror})" if error.errno else f"cannot be read to its end ({error})"
        raise InputError(f"{path}: {reason}.{'' if error.errno else AGAIN}") from error
    except BROKEN as error:
        raise InputError(f"{path}: cannot be read to its end ({error}).{AGAIN}") from error


class Block(NamedTuple):
    """Whole lines of a file.

    text: the lines, each with its line feed, and ``ROOM`` more bytes. size: bytes of the lines.
    raw: bytes as they came from the file.
    """

    text: bytes
    size: int
    raw: bytes

    @property
    def lines(self) -> bytes:
        return self.text[: self.size]


def blocks(stream: Stream, size: int) -> Iterator[Block]:
    """Read *size* bytes at a time. The byte order mark is removed, the last line gets its line feed."""
    rest: list[bytes] = []
    first = True
    while raw := stream.read(size):
        text, first = raw.removeprefix(BOM) if first else raw, False
        cut = text.rfind(b"\n") + 1
        whole, rest = (rest, []) if cut else ([], rest)
        yield Block(b"".join((*whole, memoryview(text)[:cut], bytes(ROOM))), sum(map(len, whole)) + cut, raw)
        rest.append(text[cut:])
        if (length := sum(map(len, rest))) > LONGEST_LINE:
            raise ValueError(f"a line of more than {length:,} bytes: this is no log of text")
    last = b"".join(rest)
    if last:
        yield Block(last + b"\n" + bytes(ROOM), len(last) + 1, b"")
