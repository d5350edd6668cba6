"""What a file is that is no text: one sentence with the way out."""

from __future__ import annotations

import re

BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "is a Parquet file. Give Parquet files alone, without other files beside them, or write it as CSV"),
    (
        b"ARROW1",
        "is an Arrow file. Write it as Parquet or CSV: pandas.read_feather('{name}').to_csv('log.csv', index=False)",
    ),
    (b"ORC", "is an ORC file. Write it as CSV: pandas.read_orc('{name}').to_csv('log.csv', index=False)"),
    (b"\x89HDF", "is an HDF5 file. Write it as CSV: pandas.read_hdf('{name}').to_csv('log.csv', index=False)"),
    (b"\x93NUMPY", "is a numpy array. Write it as CSV: numpy.savetxt('log.csv', numpy.load('{name}'), '%d', ',')"),
    (
        b"SQLite format 3",
        "is a database. Write its table as CSV: sqlite3 -header -csv '{name}' 'SELECT * FROM ...' > log.csv",
    ),
    (b"\xd0\xcf\x11\xe0", "is a spreadsheet (xls). Open it and save it as CSV"),
    (b"Rar!", "is a RAR archive. Unpack it first: unrar x '{name}'"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive. Unpack it first: 7z x '{name}'"),
    (b"\x28\xb5\x2f\xfd", "is packed with zstd. Unpack it first: zstd -d '{name}'"),
    (b"\x1f\x9d", "is packed with compress. Unpack it first: uncompress '{name}'"),
    (b"%PDF", "is a PDF, no log"),
    (b"\x89PNG", "is a picture, no log"),
    (b"\xff\xd8\xff", "is a picture, no log"),
    (
        b"version https://git-lfs.github.com",
        "is a pointer of Git LFS, not the file itself. Fetch the file: git lfs pull, or download it from the site",
    ),
)
# What goes before the first character of a text.
_START = rb"\s*(?:\xef\xbb\xbf)?\s*"
PATTERNS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (rb".{257}ustar", "is a tar archive. Unpack it first: tar xf '{name}'"),
        (
            rb"\x80[\x02-\x05](?:\x95|\}|\]|c|X|\x8c)",
            "is a pickle of Python. Write it as CSV: pandas.read_pickle('{name}').to_csv('log.csv', index=False)",
        ),
        (
            _START + rb"(?i:<(?:!doctype html|html|head|body))",
            "is a web page, not the data; the site may ask for a login before a download. Download the file again in a "
            "browser that is logged in",
        ),
        (_START + rb"(?i:<\?xml)", "is XML, no log. Export the table as CSV"),
        (
            _START + rb'(?:\[\s*)?\{\s*"',
            "is JSON. Write it as CSV: pandas.read_json('{name}', lines=True).to_csv('log.csv', index=False)",
        ),
        (
            rb"(?:\s*#[^\n]*\n|\s*\n)*\s*"
            rb"(?:#!|import [\w.]+|from [\w.]+ import |#include\b|def \w+\(|class \w+|package [\w.]+;)",
            "is the source code of a program, no log. Take the data file itself",
        ),
    )
)


def sentence(first: bytes, name: str) -> str | None:
    """Why a file that begins with these bytes is no log, and the way out; None where it may be one."""
    found = [text for magic, text in BEGINNINGS if first.startswith(magic)]
    found += [text for pattern, text in PATTERNS if pattern.match(first)]
    return f"{name}: this {found[0].format(name=name)}." if found else None


def is_spreadsheet(members: list[str]) -> bool:
    """Whether an archive with these members is an xlsx or ods file."""
    return "[Content_Types].xml" in members or "content.xml" in members
