"""Which line of an atomic file is wrong? A fast proof that none is, and a slow search where the proof fails."""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from recbole_alibaba.data.atomic.atomic_header import wrong_encoding
from recbole_alibaba.host.errors import AtomicFileError, UnusableDatasetError

BLOCK_BYTES = 1 << 22
SAMPLE_ROWS = 1000
LONGEST_FIELD = 1 << 30
# What pandas reads as missing. RecBole drops a row without an id and replaces a missing number by the mean.
MISSING = {"", "NA", "N/A", "n/a", "<NA>", "#N/A", "#N/A N/A", "#NA", "NULL", "null", "None", "NaN", "nan", "-NaN"}
MISSING |= {"-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"}
# Text without these has no missing value, no quoted or padded field and no id that a spreadsheet has rounded.
_MARKS = (b'"', b" ")
_WORDS = (b"NA", b"N/A", b"n/a", b"#", b"NULL", b"null", b"None", b"NaN", b"nan", b"E+", b"e+", b"inf", b"Inf", b"INF")
_DECIMAL = re.compile(r"-?\d+\.0+")
_ROUNDED = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)


def refuse_wrong_lines(
    file: Path,
    separator: str,
    encoding: str,
    columns: Mapping[str, str],
    loaded: Collection[str],
    needed: Collection[str],
    proved: bool = True,
) -> None:
    """Refuse a file with a line that RecBole misreads, drops or fails on.

    Args:
        columns: the file's columns, name to type.
        loaded: the columns in which numbers are checked.
        needed: the columns in which no value may be missing; those of type token are ids.
        proved: whether the fast proof is enough. After a failure of reading it is not.

    Raises:
        AtomicFileError: the first such line.
        UnusableDatasetError: there is no line at all.
    """
    if len(separator) != 1:
        return  # for pandas a regular expression
    ids = [name for name in needed if columns[name] == "token"]
    sample = [fields for _, fields in islice(_rows(file, separator, encoding), SAMPLE_ROWS)]
    if not sample:
        raise UnusableDatasetError(f"{file} has a header and no row. Needed is a line for each row below the header.")
    _refuse_decimal_ids(file, sample, list(columns), ids)
    if proved and is_regular(file, separator, encoding, len(columns)):
        return
    names = list(columns)
    numbers = [name for name in names if name in loaded and columns[name].startswith("float")]
    for line, fields in _rows(file, separator, encoding):
        where = f"{file}, line {line}: "
        if len(fields) != len(names):
            raise AtomicFileError(where + _wrong_number(fields, names, separator, first=line == 2))
        row = dict(zip(names, fields, strict=True))
        for name in needed:
            if row[name] in MISSING:
                raise AtomicFileError(f"{where}{name} is missing ('{row[name]}'). Write it or remove the line.")
        for name in ids:
            if fault := _id_fault(row[name]):
                raise AtomicFileError(f"{where}{name} is '{row[name]}', {fault}")
        for name in numbers:
            parts = row[name].split() if columns[name] == "float_seq" else [row[name]]
            for part in parts:
                if part not in MISSING and not _is_number(part):
                    raise AtomicFileError(f"{where}{name} is '{part}', {_no_number(name)}")


def is_regular(file: Path, separator: str, encoding: str, columns: int, block_bytes: int = BLOCK_BYTES) -> bool:
    """Whether it is proved that every line has this many fields, none of them empty, missing, quoted or padded.

    The bytes of the file are searched, at about 1 GB/s.
    """
    if encoding.lower().replace("-", "").replace("_", "") not in ("utf8", "ascii") or not separator.isascii():
        return False
    part, end, sep = ord(separator), ord("\n"), separator.encode()
    line = np.array([part] * (columns - 1) + [end], np.uint8)
    forbidden = [mark for mark in _MARKS if mark != sep]
    forbidden += [left + right for left in (sep, b"\n") for right in (sep, b"\n", b"\r")]
    decoder = codecs.getincrementaldecoder("utf-8")()
    found, before = np.zeros(0, np.uint8), b"\n"
    with file.open("rb") as binary:
        binary.readline()  # the header
        while block := binary.read(block_bytes):
            text, byte = before + block, np.frombuffer(block, np.uint8)
            if any(text.find(mark) >= 0 for mark in forbidden):
                return False
            if np.frombuffer(text, np.uint8).max() > ord("9"):  # not only digits, signs and separators
                try:
                    decoder.decode(block)
                except UnicodeError:
                    return False
                if any(text.find(word) >= 0 for word in _WORDS):
                    return False
            found = np.append(found, byte[(byte == part) | (byte == end)])
            whole = len(found) // columns * columns
            if not (found[:whole].reshape(-1, columns) == line).all():
                return False
            found, before = found[whole:], text[-8:]
    return len(found) == (0 if before.endswith(b"\n") else columns - 1)


def _rows(file: Path, separator: str, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """The rows below the header, as csv and pandas read them, with their line numbers; blank lines are left out.

    Raises:
        AtomicFileError: the file is not in this encoding, or a quotation mark swallows lines.
    """
    limit = csv.field_size_limit(LONGEST_FIELD)
    try:
        with file.open(encoding=encoding, newline="") as text:
            reader, before = csv.reader(text, delimiter=separator), 0
            for fields in reader:
                line, before = before + 1, reader.line_num
                if before > line and (file.suffix == ".inter" or any(separator in field for field in fields)):
                    raise AtomicFileError(
                        f"{file}, line {line}: a quotation mark begins a field, and the field goes on to line "
                        f"{before}. Remove the quotation mark, or write it twice inside a quoted field."
                    )
                if fields and line > 1:
                    yield line, fields
    except UnicodeError as error:
        raise wrong_encoding(file, encoding) from error
    finally:
        csv.field_size_limit(limit)


def _refuse_decimal_ids(file: Path, sample: Sequence[list[str]], names: list[str], ids: Collection[str]) -> None:
    rows = [fields for fields in sample if len(fields) == len(names)]
    for name in ids:
        values = [fields[names.index(name)] for fields in rows]
        if values and all(_DECIMAL.fullmatch(value) for value in values):
            raise AtomicFileError(
                f"{file}, line 2: {name} is '{values[0]}'; an id is a name, and '{values[0].partition('.')[0]}' would "
                f"be another one. Write ids without decimals, in pandas: frame['{name}'].astype('Int64')."
            )


def _wrong_number(fields: list[str], names: list[str], separator: str, first: bool) -> str:
    shown = ", ".join(repr(field) for field in fields[:6])
    text = f"the number of fields is {len(fields)} ({shown}), and the header has {len(names)} ({', '.join(names)}). "
    if any(separator in field for field in fields):
        return text + "A quotation mark joins two fields: remove it."
    if len(fields) == len(names) + 1 and not fields[-1]:
        return text + "Remove the separator at the end of the line."
    if len(fields) > len(names) and first:
        return text + "Name every column, or leave an index out (pandas: index=False; R: row.names=FALSE)."
    return text + f"Write one field for each column, with {separator!r} between them."


def _id_fault(value: str) -> str:
    if value != value.strip():
        return "with blanks around it, so it is another id than the one without. Remove the blanks."
    if _ROUNDED.fullmatch(value):
        return "which a spreadsheet made of a long number: its last digits are lost. Export the ids as text again."
    return ""


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False


def _no_number(name: str) -> str:
    text = "and a column of type float needs numbers"
    if re.search("time|date", name, re.IGNORECASE):
        return (
            f"{text}: seconds since 1970, in pandas: "
            f"(pandas.to_datetime(frame['{name}']) - pandas.Timestamp(0)).dt.total_seconds()."
        )
    return f"{text}. Write a number, or give the column the type token in the header."
