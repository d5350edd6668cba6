"""Small files beside the log: the item subset and the features of users."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dataset_prep.errors import InputError, TooManyRejectsError
from dataset_prep.files.layout import NATIVE, Begun, Layout, Rewritten, decoded, quoted_fields, rows_of, separator
from dataset_prep.files.streams import FIRST, Block, Stream, blocks, reading, streams
from dataset_prep.files.survey import PIECE, checksums
from dataset_prep.pairs.sorting import Narrow, distinct
from dataset_prep.reading.careful import FIRST_REASONS, Found, Rejects
from dataset_prep.reading.fields import NUMBER, SKIP, GiveUpError, compiled, read_lines
from dataset_prep.reading.grammar import CANONICAL, Grammar
from dataset_prep.settings import Settings
from dataset_prep.sources.base import ITEM, USER
from dataset_prep.sources.names import ROLES, SYNONYMS, is_header, plain

USER_FEATURES = ("user_id", "age_range", "gender")
UNKNOWN_AGE, UNKNOWN_GENDER = "0", "2"
"""The words of user_info_format1.csv for "unknown"; a blank field means the same."""


class BadLineError(ValueError):
    """A line that does not parse; the message says why."""


@dataclass
class ListFile:
    """The lines of one list, read one file after the other.

    option: of the command line. rejects: where bad lines go; None to stop at the first one.
    place: from a file's first lines and its name: whether the first is a header, and the columns that count.
    numbers: the first of these in each line where it is a plain number, where *plain* asks for these at the speed of C.
    at: the columns of the file that is read.
    """

    option: str
    rejects: Rejects | None = None
    place: Callable[[list[str], str], tuple[bool, list[int]]] = lambda lines, name: (False, [0])
    plain: bool = False
    found: Found = field(default_factory=Found)
    digests: list[str] = field(default_factory=list)
    numbers: Narrow = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    at: list[int] = field(default_factory=list)

    def read(self, paths: Sequence[Path], take: Callable[[bytes, str], None]) -> None:
        """Give each line and its delimiter to *take*, which may raise BadLineError. Blank lines are skipped.

        Raises:
            InputError: a file cannot be read or is empty; or a line is bad and there is no place for rejects.
        """
        for path in paths:
            before = len(self.digests)
            with reading(path):
                for name, stream, _ in streams(path):
                    self._stream(name, stream, take)
            if len(self.digests) == before:
                raise InputError(f"{path}: the file is empty")

    def _stream(self, name: str, stream: Stream, take: Callable[[bytes, str], None]) -> None:
        first = stream.read(FIRST)
        if not first:
            return
        digest, before = hashlib.sha256(), 0
        beginning, encoding = decoded(first)
        header, self.at = self.place(beginning, name)
        begun: Stream = Begun(first, stream)
        delimiter = separator(beginning)
        if encoding != "utf-8" or delimiter not in (*NATIVE, " "):
            shape = Layout(encoding, delimiter, header, ())
            begun, delimiter = Rewritten(begun, shape), shape.read_as
        for block in blocks(begun, PIECE):
            digest.update(checksums(block.raw))
            lines, count = self._lines(block, delimiter, beginning[0].count(delimiter) + 1)
            for number, line in lines:
                if not line.strip() or (header and before + number == 0):
                    continue
                self.found.rows += 1
                try:
                    take(line, delimiter)
                except BadLineError as reason:
                    if self.rejects is None:
                        raise InputError(f"{name}, line {before + number + 1:,}: {reason}") from reason
                    self.found.reject(self.rejects, name, before + number + 1, str(reason))
            before += count
        self.digests.append(digest.hexdigest())

    def _lines(self, block: Block, delimiter: str, n_fields: int) -> tuple[Iterator[tuple[int, bytes]], int]:
        """(the lines for *take* with their numbers from 0, the number of all lines)"""
        if self.plain and compiled() is not None:
            with suppress(GiveUpError):
                lines = read_lines(block, delimiter, [NUMBER if n == self.at[0] else SKIP for n in range(n_fields)])
                values = lines.values[self.at[0]]
                self.numbers = distinct(np.concatenate([self.numbers, values]))
                self.found.rows += len(values)
                return iter(lines.odd), lines.count
        split = block.lines.split(b"\n")[:-1]
        return enumerate(line.removesuffix(b"\r") for line in split), len(split)

    def shown(self) -> str:
        return "".join(f"\n  {reason}" for reason in self.found.first_reasons[:FIRST_REASONS])

    def judge(self, max_bad: float, what: str, form: str = "") -> None:
        """Raises TooManyRejectsError; what: "rows" or "lines"."""
        found = self.found
        if found.rejected > max_bad * found.rows:
            raise TooManyRejectsError(
                f"{self.option}: {found.rejected:,} of {found.rows:,} {what} do not parse, more than --max-bad "
                f"{max_bad:g} allows.{form} The first of them:{self.shown()}"
            )


@dataclass
class Subset:
    """The items to keep.

    items: id -> its first geohash that is not blank, or ''. numbers: further ids, distinct and sorted.
    """

    numbers: Narrow = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    items: dict[str, str] = field(default_factory=dict)
    rejected: int = 0
    digests: list[str] = field(default_factory=list)

    def ids(self, integers: bool) -> np.ndarray:
        """The ids to compare with. Where the log's ids are integers, other ids cannot occur in it."""
        if integers:
            known = [int(item) for item in self.items if re.fullmatch(CANONICAL, item)]
            return distinct(np.concatenate([self.numbers, np.array(known, dtype=np.int64)]))
        return np.array(list(dict.fromkeys([*map(str, self.numbers.tolist()), *self.items])), dtype=object)


def read_subset(paths: Sequence[Path], settings: Settings, rejects: Rejects) -> Subset:
    """The items that the files list, in the column of that name or in the first.

    Raises InputError where they hold no item, TooManyRejectsError.
    """
    plain_ids = settings.source.digits and not settings.item_geohash
    own = dict(settings.source.asked).get(ITEM)
    listed = ListFile("--items", rejects, lambda lines, name: _item_columns(lines, name, own), plain_ids)
    items: dict[str, str] = {}

    def take(line: bytes, delimiter: str) -> None:
        grammar = Grammar(settings.source, delimiter)
        fields = quoted_fields(decoded_line(line), delimiter)
        if fields is None:
            raise BadLineError("stray quote")
        values = [fields[place] if place < len(fields) else "" for place in listed.at]
        item = re.sub(r"^([0-9]+)\.0+$", r"\1", values[0])
        if reason := grammar.id_reason("item_id", item):
            raise BadLineError(reason)
        geohash = values[1] if len(values) > 1 and grammar.is_plain(values[1]) else ""
        items[item] = items.get(item) or geohash

    listed.read(paths, take)
    if not items and not len(listed.numbers):
        raise InputError(f"--items: {', '.join(map(str, paths))} lists no item{listed.shown()}")
    listed.judge(settings.max_bad, "rows")
    return Subset(listed.numbers, items, listed.found.rejected, listed.digests)


def _item_columns(lines: list[str], name: str, own: str | None) -> tuple[bool, list[int]]:
    """(whether the first row is a header, the columns of the item and its geohash). Raises InputError."""
    rows = rows_of(lines)
    names = [plain(field) for field in rows[0]]
    header = is_header(rows) or names[0] in SYNONYMS[ITEM] or (own is not None and plain(own) in names)
    if not header:
        return False, [0, 1]
    wanted = {plain(own)} if own is not None and plain(own) in names else SYNONYMS[ITEM]
    places = [place for place, field in enumerate(names) if field in wanted]
    if len(places) != 1 and any(field in ROLES for field in names):
        what = "several columns" if places else "no column"
        raise InputError(
            f"--items: {name}: the header {','.join(rows[0])} has {what} for item_id. Rename the column to item_id."
        )
    geohash = [
        place for place, field in enumerate(names) if field in SYNONYMS["user_geohash"] or field == "itemgeohash"
    ]
    return True, [places[0] if places else 0, *(geohash or ([1] if not places else []))]


def _user_columns(lines: list[str], name: str) -> tuple[bool, list[int]]:
    """(whether the first row is a header, the places of ``USER_FEATURES``). Raises InputError."""
    rows = rows_of(lines)
    names = [plain(field) for field in rows[0]]
    wanted = (SYNONYMS[USER], {"agerange", "age", "年龄"}, {"gender", "sex", "性别"})
    if not set(names) & (wanted[0] | wanted[1] | wanted[2]):
        return False, [0, 1, 2]
    places = [[place for place, field in enumerate(names) if field in known] for known in wanted]
    if any(len(found) != 1 for found in places):
        raise InputError(
            f"--user-info: {name}: the header is {','.join(rows[0])}; needed are {','.join(USER_FEATURES)}."
        )
    return True, [found[0] for found in places]


def read_user_features(paths: Sequence[Path], integers: bool) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """(user -> (age range, gender), digests) of user_info_format1.csv. Raises InputError."""
    listed = ListFile("--user-info", place=_user_columns)
    known: dict[str, tuple[str, str]] = {}

    def take(line: bytes, delimiter: str) -> None:
        text = line.decode("utf-8", "replace")
        found = [value.strip().strip('"') for value in text.split(delimiter)]
        fields = [re.sub(r"^([0-9]+)\.0+$", r"\1", found[place]) for place in listed.at if place < len(found)]
        if len(fields) != 3 or not all(re.fullmatch(r"[0-9]*", f) for f in fields) or not fields[0]:
            raise BadLineError(f"{text[:60]!r} is not {','.join(USER_FEATURES)}, whole numbers.")
        known[fields[0]] = (fields[1] or UNKNOWN_AGE, fields[2] or UNKNOWN_GENDER)

    listed.read(paths, take)
    if not any(not integers or re.fullmatch(CANONICAL, user) for user in known):
        raise InputError(f"--user-info: {', '.join(map(str, paths))} lists no user")
    return known, listed.digests


def decoded_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadLineError("broken UTF-8") from error
