"""How one file writes a log: its encoding, its separator, its columns, and what must be rewritten before it is read."""

from __future__ import annotations

import codecs
import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dataset_prep.errors import InputError, UsageError
from dataset_prep.files.streams import BOM, FIRST, Stream, members_of, streams
from dataset_prep.sources.base import CATEGORY, DAY, ITEM, MONTH, TIME, USER, Source
from dataset_prep.sources.columns import places
from dataset_prep.sources.names import ROLES, is_header, plain, roles_of
from dataset_prep.sources.times import BEIJING_OFFSET, FORMATS, TimeFormat, form, recognised

SEPARATORS = {",": "','", "\t": "a tab", ";": "';'", "|": "'|'", "\x01": r"'\x01'", " ": "blanks"}
NATIVE = (",", "\t")
LOOKED_AT = 200
"""Lines at the beginning of a file that decide its form."""
SHEET = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+[0-9]+")
Fix = Callable[[list[str]], None]


def encoding_of(first: bytes) -> str:
    """utf-8, or what else a file's beginning is written in: utf-16, or gb18030, of which GBK and GB2312 are parts."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\0" in first:
        return "utf-16"
    low, high = first[:400:2], first[1:400:2]
    for zeros, others, name in ((high, low, "utf-16-le"), (low, high, "utf-16-be")):
        if zeros.count(0) * 10 > len(zeros) * 9 and not others.count(0):
            return name
    lines = first.removeprefix(BOM).split(b"\n")
    lines = lines[:-1] if len(lines) > 1 else lines
    odd = [line for line in lines if not line.isascii()]
    if not odd or any(decodes(line) for line in odd):
        return "utf-8"
    # A damaged line now and then is no sign of another encoding; a header or many lines in Chinese are.
    chinese = [line for line in odd if decodes(line, "gb18030") and _chinese(line.decode("gb18030"))]
    many = chinese and (chinese[0] is lines[0] or len(chinese) * 30 > len(lines))
    return "gb18030" if many and len(chinese) == len(odd) else "utf-8"


def decodes(line: bytes, encoding: str = "utf-8") -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _chinese(text: str) -> bool:
    return all(c.isascii() or "\u2e80" <= c <= "\u9fff" or "\uff00" <= c <= "\uffef" for c in text)


def decoded(first: bytes, encoding: str | None = None) -> tuple[list[str], str]:
    """(the first lines of a file that are not blank, without their ends; the encoding)"""
    encoding = encoding or encoding_of(first)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(first).removeprefix("\ufeff")
    lines = text.split("\n")
    whole = lines[:-1] if len(lines) > 1 and (len(first) >= FIRST or not lines[-1]) else lines
    return [line.rstrip("\r") for line in whole[: 2 * LOOKED_AT] if line.strip(" \r")][:LOOKED_AT], encoding


def separator(lines: Sequence[str]) -> str:
    """The separator of these lines: the most frequent of the first line, blanks where there is no other."""
    first = lines[0] if lines else ""
    counts = {s: first.count(s) for s in SEPARATORS if s != " "}
    best = max(counts, key=lambda s: counts[s])
    if counts[best]:
        return best
    return " " if len(first.split()) > 1 and len({len(fields(line, " ")) for line in lines[1:]}) <= 1 else ","


def fields(line: str, delimiter: str) -> list[str]:
    """The fields of a line, quotes taken off where they enclose a field."""
    if delimiter == " ":
        return [a or b for a, b in re.findall(r'"([^"]*)"|([^\s"]+)', line)]
    found = quoted_fields(line, delimiter)
    return line.split(delimiter) if found is None else found


def quoted_fields(line: str, delimiter: str) -> list[str] | None:
    """The fields of a line without quotes; None where a quote does not enclose exactly one field."""
    if '"' not in line:
        return line.split(delimiter)
    d = re.escape(delimiter)
    one = re.compile(rf'(?:"((?:[^"]|"")*)"|([^"{d}]*))({d}|$)')
    found, at = list[str](), 0
    while match := one.match(line, at):
        found.append(match[2] if match[1] is None else match[1].replace('""', '"'))
        at = match.end()
        if not match[3]:
            return found
    return None


def first_rows(first: bytes, encoding: str | None = None, delimiter: str | None = None) -> list[list[str]]:
    """The fields of a file's first lines, blanks around them taken off; one empty row for an empty file."""
    return rows_of(decoded(first, encoding)[0], delimiter)


def rows_of(lines: Sequence[str], delimiter: str | None = None) -> list[list[str]]:
    """The fields of lines; one empty row where there are none."""
    used = delimiter or separator(lines)
    return [[field.strip() for field in fields(line, used)] for line in lines] or [[""]]


@dataclass(frozen=True)
class Layout:
    """The form of one file.

    delimiter: as the file writes it. columns: the role of each field; '' for one that is not needed.
    notes: what the user should know. fixes: what is rewritten in the fields of each line.
    """

    encoding: str
    delimiter: str
    header: bool
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()

    @property
    def rewritten(self) -> bool:
        """Whether lines are rewritten, tab-separated in UTF-8, before they are read."""
        return self.encoding != "utf-8" or self.by_line

    @property
    def by_line(self) -> bool:
        """Whether each line changes, and not only its encoding."""
        return self.delimiter not in NATIVE or bool(self.fixes)

    @property
    def read_as(self) -> str:
        """The delimiter that the readers see."""
        return "\t" if self.by_line else self.delimiter


def layout_of(
    first: bytes, name: str, source: Source, encoding: str | None = None, delimiter: str | None = None
) -> Layout:
    """The form of a file that begins with these bytes.

    Args:
        name: of the file, for messages.
        encoding, delimiter: as the user names them; None to recognise them.

    Raises:
        InputError, UsageError: the form cannot be read; the message says why.
    """
    lines, used = decoded(first, encoding)
    sep = delimiter or separator(lines)
    rows = _aligned(rows_of(lines, sep))
    header, columns = _columns(rows, source, name)
    body = rows[1:] if header else rows
    if _ends_blank(body, len(columns)):
        columns = (*columns, "")
    notes = [f"read as {used}"] if used != "utf-8" else []
    notes += [f"separated by {SEPARATORS.get(sep, repr(sep))}"] if sep not in NATIVE else []
    whole = [row for row in body if len(row) == len(columns)]
    found = [
        _id_fix(role, columns.index(role), whole, source, name)
        for role in (USER, ITEM, CATEGORY, *source.item_features)
        if role in columns
    ]
    if source.timed and TIME in columns:
        found.append(_time_fix(columns.index(TIME), rows[0] if header else [], whole, source))
    fixes = [one for one in found if one is not None]
    notes = [f"{name}: {note}" for note in dict.fromkeys([*notes, *(note for _, note in fixes)])]
    return Layout(used, sep, header, columns, tuple(notes), tuple(fix for fix, _ in fixes))


def _columns(rows: list[list[str]], source: Source, name: str) -> tuple[bool, tuple[str, ...]]:
    """(whether the first row is a header, the role of each field)"""
    first = rows[0]
    if source.name != "csv":
        header = is_header(rows)
        return header, roles_of(first, source, name) if header else source.columns
    by_name = {role: word for role, word in source.asked if not word.replace(",", "").isdigit()}
    lower = {field.lower() for field in first}
    words = {part.strip().lower() for word in by_name.values() for part in (word, *word.split(","))}
    if not words & lower and not ((source.headers or by_name) and is_header(rows)):
        return False, source.columns
    columns = [f"column_{n}" for n in range(1, len(first) + 1)]
    for role, place in places(dict(source.asked), first, True, name).items():
        columns[place] = role
    return True, tuple(columns)


def _ends_blank(body: list[list[str]], width: int) -> bool:
    """Whether most lines end in a separator, behind *width* fields."""
    wide = [row for row in body if len(row) == width + 1]
    return len(wide) * 2 > len(body) and not any(row[-1] for row in wide)


def _aligned(rows: list[list[str]]) -> list[list[str]]:
    """The rows; the header gets a blank name in front where R wrote row names under no name."""
    first, body = rows[0], rows[1:]
    wide = [row[0] for row in body if len(row) == len(first) + 1 and row[-1]]
    if len(wide) * 2 <= len(body) or not is_header(rows) or not all(a.isdigit() for a in wide):
        return rows
    return [["", *first], *body] if len(set(wide)) == len(wide) else rows


def _id_fix(role: str, place: int, rows: list[list[str]], source: Source, name: str) -> tuple[Fix, str] | None:
    """(what makes whole numbers of ids that pandas wrote as floats, the note); None where there are none.

    Raises InputError for ids such as 1.0E+08, of which a spreadsheet lost the end.
    """
    values = [row[place] for row in rows if row[place]]
    lost = [value for value in values if SHEET.fullmatch(value)] if role in (USER, ITEM) else []
    if len(lost) > 2 or len(lost) * 2 > len(values):
        raise InputError(
            f"{name}: {role} {lost[0]!r} was written by a spreadsheet, which keeps the first digits of a long number "
            "only. The ids cannot be recovered from this file; take the original."
        )
    floats = [value for value in values if re.fullmatch(r"[0-9]+\.0+", value)]
    others = len(values) - len(floats) - sum(value.isdigit() for value in values)
    if not floats or others or (source.digits and len(floats) * 2 <= len(values)):
        return None

    def fix(row: list[str]) -> None:
        number, _, rest = row[place].partition(".")
        if rest and not rest.strip("0") and number.isdigit():
            row[place] = number

    return fix, f"{role} as in {floats[0]} is read as a whole number"


def _time_fix(place: int, header: list[str], rows: list[list[str]], source: Source) -> tuple[Fix, str] | None:
    """(what writes times as the source does, the note); None where they are so already."""
    target = FORMATS[source.time]
    day = _day_beside(header, place, dict(source.asked).get(TIME)) if header else None
    if day is None:
        values = [row[place] for row in rows]
        written = source.written or recognised(values, source.time) or source.time
        if written in (source.time, "order") and not source.zone:
            return None
        first = next(filter(None, values), "")
        parse, note = form(written, source.zone), f"time as in {first!r} is read as {written!r}"
    else:
        parse, note = form("mmdd"), "time from the columns month and day, in the year 2014"

    def fix(row: list[str]) -> None:
        if day is not None and row[place].isdigit() and row[day].isdigit():
            row[place] = f"{row[place]:0>2}{row[day]:0>2}"
        seconds = parse(row[place])
        if seconds is not None:
            row[place] = _written(seconds, target) or row[place]

    return fix, note


def _day_beside(first: list[str], place: int, asked: str | None) -> int | None:
    """The column of the day where the time's own column is a month."""
    if asked is not None:
        if "," not in asked or asked in first:
            return None
        return places({DAY: asked.split(",")[1].strip()}, first, True)[DAY]
    if ROLES.get(plain(first[place])) != MONTH:
        return None
    days = [n for n, field in enumerate(first) if ROLES.get(plain(field)) == DAY]
    return days[0] if len(days) == 1 else None


def _written(seconds: int, target: TimeFormat) -> str | None:
    """Unix seconds in this format; None where it cannot hold them."""
    if target.strptime is None:
        return str(seconds)
    moment = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds + BEIJING_OFFSET)
    text = moment.strftime(target.strptime).removeprefix(target.prefix)
    return text if target.parse(text) == seconds else None


def adapted(
    source: Source, first: bytes, name: str, encoding: str | None = None, delimiter: str | None = None
) -> Source:
    """The source with the columns and the time of this file: a feature that it lacks is left out.

    Raises InputError.
    """
    if source.name == "csv" or not first:
        return source
    with naming_members(Path(name)):
        return _adapted(source, _aligned(first_rows(first, encoding, delimiter)), name)


def _adapted(source: Source, rows: list[list[str]], name: str) -> Source:
    columns = source.columns
    if is_header(rows):
        known = {ROLES.get(plain(field)) for field in rows[0]} | {plain(field) for field in rows[0]}
        lacking = {f for f in source.item_features if f not in known and plain(f) not in known}
        kept = [place for place, role in enumerate(columns) if role not in lacking]
        names = tuple(source.names[place] for place in kept) if source.names else ()
        if lacking:
            source = replace(source, columns=tuple(columns[place] for place in kept), names=names)
        columns = roles_of(rows[0], source, name)
    if not source.timed:
        return source
    place = columns.index(TIME)
    if is_header(rows) and _day_beside(rows[0], place, None) is not None:  # a day, which every format holds
        return source
    found = recognised([row[place] for row in rows[is_header(rows) :] if len(row) > place], source.time)
    if found is None or found == source.time:
        return source
    if found == "monthday" and source.time == "mmdd":
        return source
    return replace(source, time=found if found in FORMATS else "unix")


def sample_lines(first: bytes, layout: Layout) -> list[bytes]:
    """The first lines behind the header, as the readers see them."""
    lines, _ = decoded(first, layout.encoding)
    shown = (_rewritten(line, layout) if layout.by_line else line for line in lines[layout.header :])
    return [line.encode("utf-8", "surrogateescape") for line in shown]


class Begun:
    """A stream whose beginning has been read already."""

    def __init__(self, first: bytes, stream: Stream) -> None:
        self._first, self._stream = first, stream

    def read(self, size: int) -> bytes:
        """At most *size* bytes; fewer at the end only."""
        begun, self._first = self._first[:size], self._first[size:]
        return begun + self._stream.read(size - len(begun)) if len(begun) < size else begun


@dataclass(frozen=True)
class Opened:
    """One file, ready to be read: its bytes in UTF-8 with a comma or tab. copied: they are not the file's own."""

    name: str
    stream: Stream
    copied: bool
    layout: Layout | None


@contextmanager
def naming_members(path: Path) -> Iterator[None]:
    """An InputError about an archive with several members becomes a list of them: the cause may be another member."""
    try:
        yield
    except InputError as error:
        others = members_of(path)
        if not others:
            raise
        named = ", ".join(f"{path}/{member}" for member in others[:10])
        several = f"{path} holds several files that are not one log. Name the one that is the log: {named}."
        raise InputError(several) from error


def opened(path: Path, source: Source, encoding: str | None = None, delimiter: str | None = None) -> Iterator[Opened]:
    """A file, or every member of an archive. layout: None for an empty one. Raises InputError, UsageError."""
    for name, stream, packed in streams(path):
        first = stream.read(FIRST)
        begun = Begun(first, stream)
        if not first:
            yield Opened(name, begun, packed, None)
            continue
        with naming_members(path):
            layout = layout_of(first, name, source, encoding, delimiter)
        if layout.rewritten:
            yield Opened(name, Rewritten(begun, layout), True, layout)
        else:
            yield Opened(name, begun, packed, layout)


class Rewritten:
    """A file's lines, decoded and rewritten as its layout says, as a stream of bytes."""

    def __init__(self, stream: Stream, layout: Layout) -> None:
        self._lines, self._rest = _chunks(stream, layout), bytearray()

    def read(self, size: int) -> bytes:
        while len(self._rest) < size:
            chunk = next(self._lines, b"")
            if not chunk:
                break
            self._rest += chunk
        found = bytes(self._rest[:size])
        del self._rest[:size]
        return found


def _chunks(stream: Stream, layout: Layout) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(layout.encoding)(
        "surrogateescape" if "16" not in layout.encoding else "replace"
    )
    rest, first = "", True
    while True:
        raw = stream.read(1 << 20)
        text = decoder.decode(raw, not raw)
        if first:
            text, first = text.removeprefix("\ufeff"), False
        if not layout.by_line:
            whole, rest = text, ""
        else:
            lines = (rest + text).split("\n")
            rest = "" if not raw else lines.pop()
            if not raw and lines and not lines[-1]:
                lines.pop()
            whole = "".join(f"{_rewritten(line, layout)}\n" for line in lines)
        if whole:
            yield whole.encode("utf-8", "surrogateescape")
        if not raw:
            return


def _rewritten(line: str, layout: Layout) -> str:
    line = line.removesuffix("\r")
    if not line.strip(" "):
        return ""
    row = fields(line, layout.delimiter)
    if len(row) == len(layout.columns):
        for fix in layout.fixes:
            fix(row)
    return "\t".join(
        f'"{field.replace(chr(34), chr(34) * 2)}"' if '"' in field or "\t" in field else field for field in row
    )


def check_option(encoding: str | None, delimiter: str | None) -> None:
    """Raises UsageError for an encoding or a separator that does not exist."""
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError as error:
            raise UsageError(f"--encoding: {encoding!r} is unknown; write gb18030, utf-8 or utf-16.") from error
    if delimiter is not None and (len(delimiter) != 1 or delimiter in "\"'\n\r0123456789"):
        raise UsageError(f"--delimiter: {delimiter!r} is not one character; write ';', '|', ' ' or tab.")
