"""What columns does an atomic file have? Its first line, or one sentence that says why it is not a header."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from dataset_prep.files.foreign import sentence
from recbole_alibaba.host.errors import AtomicFileError, nearest

TYPES = ("token", "token_seq", "float", "float_seq")
SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars", " ": "blanks", "\x01": "\\x01"}
FIRST_BYTES = 1 << 16
PACKED = {
    b"\x1f\x8b": "a gzip file. Unpack it with gunzip",
    b"PK\x03\x04": "a zip archive or an Excel file. Unpack it, or save its sheet as text with tabs",
    b"BZh": "a bzip2 file. Unpack it with bunzip2",
    b"\xfd7zXZ": "an xz file. Unpack it with unxz",
}
# UTF-32 begins as UTF-16 does, so it comes first.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_NUMERIC = re.compile(r"-?[\d.]+(e[+-]?\d+)?", re.IGNORECASE)
_FLOATS = re.compile(r"time|rating|score|price|weight|label|^ts$", re.IGNORECASE)


def read_header(file: Path, separator: str, encoding: str) -> dict[str, str]:
    """The columns of the file: name to type.

    Raises:
        AtomicFileError: the file is no text, or its first line is not a header `name:type<separator>name:type...`.
    """
    if not file.is_file():
        kind = "a folder" if file.is_dir() else "no regular file"
        raise AtomicFileError(f"{file} is {kind}; needed is a text file. Move it away and put the atomic file there.")
    with file.open("rb") as binary:
        first = binary.read(FIRST_BYTES)
    _refuse_other_forms(first, file, encoding)
    line = _first_line(first, file, encoding)
    columns = line.split(separator)
    there = f"{file}, line 1: "
    if len(columns) == 1:
        _refuse_other_separator(line, separator, file)
    if '"' in line:
        raise AtomicFileError(f"{there}there are quotation marks; RecBole wants names without them. Remove them.")
    if not columns[0].strip() or columns[0].startswith("Unnamed: "):
        raise AtomicFileError(
            f"{there}the first column has no name; pandas writes its index so. Write the file without it: "
            f"{_write(file)}"
        )
    if untyped := [column for column in columns if ":" not in column]:
        _refuse_untyped(columns, untyped, separator, there)
    found: dict[str, str] = {}
    for column in columns:
        name, _, kind = column.partition(":")
        if name != name.strip() or kind != kind.strip() or not name:
            raise AtomicFileError(
                f"{there}the column '{column}' has a blank or no name. Write name:type without blanks."
            )
        if kind not in TYPES:
            raise AtomicFileError(
                f"{there}the column '{column}' has the type '{kind}', which RecBole does not know; the types are "
                f"{', '.join(TYPES)}.{nearest(kind, TYPES)} Ids are token, numbers float."
            )
        if name in found:
            raise AtomicFileError(f"{there}two columns are called '{name}'. Rename or remove one of them.")
        found[name] = kind
    return found


def _write(file: Path) -> str:
    return f"frame.to_csv('{file}', sep='\\t', index=False) in pandas."


def _refuse_other_forms(first: bytes, file: Path, encoding: str) -> None:
    if not first.strip():
        raise AtomicFileError(
            f"{file} is empty. Needed are a first line such as 'user_id:token<tab>item_id:token' "
            "and a line for each row."
        )
    for magic, form in PACKED.items():
        if first.startswith(magic):
            raise AtomicFileError(f"{file} is {form}; RecBole reads plain text.")
    if other := sentence(first, str(file)):
        raise AtomicFileError(f"{other} An atomic file is text; `recbole-alibaba prep csv` makes one of a CSV file.")
    for mark, needed in MARKS.items():
        if first.startswith(mark):
            if encoding.lower().replace("_", "-").startswith(needed):
                return
            shown = "a byte order mark" if needed == "utf-8-sig" else f"the mark of {needed.upper()}"
            raise AtomicFileError(
                f"{file} begins with {shown} and is read as {encoding}. Add --encoding={needed}, or save it as UTF-8 "
                "without a byte order mark."
            )
    if b"\0" in first and "16" not in encoding and "32" not in encoding:
        sides = {"utf-16-le": first[1:64:2], "utf-16-be": first[0:64:2]}
        wide = next((name for name, side in sides.items() if not side.strip(b"\0")), None)
        remedy = f"Add --encoding={wide}, or save it as UTF-8." if wide else "Write the data as text in UTF-8."
        raise AtomicFileError(f"{file} has bytes that are zero, as {encoding} text has not. {remedy}")


def _first_line(first: bytes, file: Path, encoding: str) -> str:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(first)
    except LookupError:
        raise AtomicFileError(f"encoding: '{encoding}' is none that Python knows; utf-8 and gb18030 are.") from None
    except UnicodeError as error:
        raise wrong_encoding(file, encoding) from error
    return text.splitlines()[0] if text.strip() else ""


def wrong_encoding(file: Path, encoding: str) -> AtomicFileError:
    """The error that the file is not in this encoding, with the line and a way out."""
    text = file.read_bytes()
    where = str(file)
    try:
        text.decode(encoding)
    except UnicodeDecodeError as error:
        line = text.count(10, 0, error.start) + 1
        where = f"{file}, line {line}: the bytes {text[error.start : error.start + 4].hex(' ')}"
    except UnicodeError:
        pass
    try:
        text.decode("gb18030")
        remedy = "If it is Chinese text in GBK, add --encoding=gb18030; else save it as UTF-8."
    except UnicodeError:
        remedy = "Save it as UTF-8."
    return AtomicFileError(f"{where} cannot be read as {encoding}. {remedy}")


def _refuse_other_separator(line: str, separator: str, file: Path) -> None:
    there, shown = f"{file}, line 1: ", SEPARATORS.get(separator, repr(separator))
    for other, name in SEPARATORS.items():
        columns = line.split(other)
        if other == separator or len(columns) < 2:
            continue
        if all(re.fullmatch(r"[^\s:]+:[^\s:]+", column) for column in columns):
            setting = {"\t": '"\\t"', "\x01": '"\\x01"'}.get(other, f'"{other}"')
            raise AtomicFileError(
                f"{there}the columns are separated by {name}, and {shown} are expected. Put the line "
                f"`field_separator: {setting}` into {file.parent / file.name.split('.')[0]}.yaml, or write the file "
                f"with {shown}."
            )
        columns = [column for column in columns if column.strip()]
        if _is_row(columns):
            _refuse_row(line, there)
        raise AtomicFileError(
            f"{there}'{_short(line)}' is no header of RecBole: the columns are separated by {name}, and names with "
            f"types and {shown} between them are needed: '{_example(columns)}'. Write the whole file so: {_write(file)}"
        )


def _refuse_untyped(columns: list[str], untyped: list[str], separator: str, there: str) -> None:
    if not columns[-1]:
        raise AtomicFileError(f"{there}there is a separator after the last column. Remove it from every line.")
    if _is_row(columns):
        _refuse_row(separator.join(columns), there)
    raise AtomicFileError(
        f"{there}the column '{untyped[0]}' has no type; needed is name:type, as in '{_example(columns)}' "
        f"(types: {', '.join(TYPES)})."
    )


def _is_row(columns: list[str]) -> bool:
    """Whether these are values: a name is no number."""
    return any(_NUMERIC.fullmatch(column) for column in columns)


def _refuse_row(line: str, there: str) -> None:
    raise AtomicFileError(
        f"{there}'{_short(line)}' is a row, and a header is needed above it: a name and a type for each column "
        "with tabs between them, such as 'user_id:token<tab>item_id:token<tab>timestamp:float'."
    )


def _example(columns: list[str]) -> str:
    """The header that these names would make: ids are tokens, times and ratings floats."""
    names = [column.partition(":")[0].strip(' "') for column in columns]
    return "<tab>".join(f"{name}:{'float' if _FLOATS.search(name) else 'token'}" for name in names)


def _short(text: str) -> str:
    text = text.replace("\t", "<tab>")
    return text if len(text) <= 60 else f"{text[:57]}..."
