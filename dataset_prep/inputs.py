"""The raw files: found, unpacked, and looked over once for what decides how they can be read."""

from __future__ import annotations

import glob
import gzip
import hashlib
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dataset_prep.guards import InputError

BLOCK = 1 << 22
BOM = b"\xef\xbb\xbf"
# Bytes that no plain log holds; quotes are legal but need the careful reader.
ODD = re.compile(rb'[\x00-\x08\x0b\x0c\x0e-\x1f"\x7f]')
Progress = Callable[[int], object]


@dataclass(frozen=True)
class Part:
    """One file to read.

    path: a plain, unpacked file; name: what the user called it.
    plain: ASCII, one line ending throughout, no quote and no control character: the fast reader may be tried.
    lines: non-empty or not, as many as the file has; digest: of the unpacked content.
    """

    path: Path
    name: str
    delimiter: str
    header: bool
    newline: str
    plain: bool
    lines: int
    digest: str


def find(patterns: Sequence[str | Path], option: str) -> list[Path]:
    """Paths and globs -> existing files, each once, in a fixed order."""
    found: list[Path] = []
    for pattern in patterns:
        path = Path(pattern)
        if path.is_file():
            matches = [path]
        elif glob.has_magic(str(pattern)):
            matches = sorted(Path(p) for p in glob.glob(str(pattern), recursive=True) if Path(p).is_file())  # noqa: PTH207
            if not matches:
                raise InputError(f"{option}: no file matches {pattern}")
        elif path.is_dir():
            raise InputError(f"{option}: {pattern} is a folder; name the file, or a pattern such as {pattern}/*.csv")
        else:
            near = sorted(p.name for p in path.parent.glob("*") if p.is_file())[:5] if path.parent.is_dir() else []
            beside = f" Beside it: {', '.join(near)}." if near else ""
            raise InputError(f"{option}: there is no file {pattern}.{beside}")
        found += [m for m in matches if m not in found]
    return found


def _streams(path: Path) -> Iterator[tuple[str, IO[bytes], bool]]:
    """(name, unpacked bytes, is packed) of a file, or of every member of a zip archive."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic[:2] == b"\x1f\x8b":
        with gzip.open(path, "rb") as stream:
            yield path.name, stream, True  # type: ignore[misc]
    elif magic == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
            for member in sorted(members, key=lambda m: m.filename):
                with archive.open(member) as stream:
                    yield f"{path.name}/{member.filename}", stream, True
    else:
        with path.open("rb") as stream:
            yield path.name, stream, False


class _Look:
    """What is learnt from a file's blocks as they pass."""

    def __init__(self) -> None:
        self.size = self.feeds = self.returns = self.pairs = 0
        self.ascii, self.odd = True, False
        self.last = b""
        self.digest = hashlib.sha256()

    def take(self, block: bytes) -> None:
        self.size += len(block)
        self.feeds += block.count(b"\n")
        returns = block.count(b"\r")
        if returns:
            self.returns += returns
            self.pairs += block.count(b"\r\n") + (self.last == b"\r" and block[:1] == b"\n")
        self.ascii = self.ascii and block.isascii()
        self.odd = self.odd or ODD.search(block) is not None
        # A checksum a block keeps this at memory speed; the digest over them tells one file from another.
        self.digest.update(zlib.crc32(block).to_bytes(4, "little"))
        self.last = block[-1:]


def look_over(path: Path, workdir: Path, headers: frozenset[str], progress: Progress | None = None) -> list[Part]:
    """Read a file once, unpacking it into *workdir* where it is packed.

    Raises InputError for a file that is empty, damaged or not readable.
    """
    parts = []
    try:
        for number, (name, stream, packed) in enumerate(_streams(path)):
            look, first = _Look(), b""
            plain_path = workdir / f"{number}-{len(list(workdir.iterdir()))}-{path.stem}.csv" if packed else path
            copy = plain_path.open("wb") if packed else None
            try:
                while block := stream.read(BLOCK):
                    if not look.size:
                        first = block[:65536]
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
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{path}: cannot be read to its end ({error}). Download or unpack it again.") from error
    if not parts:
        raise InputError(f"{path}: the file is empty")
    return parts


def _part(path: Path, name: str, look: _Look, first: bytes, headers: frozenset[str]) -> Part:
    line = first.removeprefix(BOM).split(b"\n")[0].rstrip(b"\r")
    delimiter = "\t" if line.count(b"\t") > line.count(b",") else ","
    head = line.split(delimiter.encode())[0].strip(b'" ').decode("utf-8", "replace").lower()
    regular = not look.returns or look.returns == look.pairs == look.feeds
    return Part(
        path=path,
        name=name,
        delimiter=delimiter,
        header=head in headers,
        newline="\r\n" if look.returns else "\n",
        plain=look.ascii and not look.odd and regular,
        lines=look.feeds + (look.last != b"\n"),
        digest=look.digest.hexdigest(),
    )
