"""A published list of pairs: how its lines are cut, and whether they are lists of items or pairs with a value."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dataset_prep.errors import InputError
from dataset_prep.files.layout import rows_of
from dataset_prep.reading.careful import Rejects
from dataset_prep.reading.lists import BadLineError, ListFile, decoded_line
from dataset_prep.sources.base import ITEM, MISSING, USER
from dataset_prep.sources.columns import csv_command
from dataset_prep.sources.names import NUMBER, ROLES, is_header, plain

TOKEN = re.compile(r'[^\s"\x00-\x1f\x7f]+')
SEPARATORS = ("::", ",", ";", "|")
NEARLY_ALL = 0.9
MOST_FIELDS = 6
"""Fields of a line of 'user item weight rating time ...'."""
log = logging.getLogger("dataset_prep")

FORMS = ("auto", "lists", "pairs", "triples")


@dataclass
class PairsFile:
    """The lines of one part, cut into tokens. separator: '' for blanks and tabs. header: its names, if it has one."""

    option: str
    listed: ListFile
    lines: list[list[str]] = field(default_factory=list)
    separator: str = ""
    header: list[str] = field(default_factory=list)
    beginning: list[str] = field(default_factory=list)

    @property
    def widths(self) -> set[int]:
        return {len(tokens) for tokens in self.lines if len(tokens) > 1}

    @property
    def width(self) -> int:
        """How many fields nearly every line has; 0 where the lines differ."""
        counts = Counter(len(tokens) for tokens in self.lines if tokens)
        width, lines = counts.most_common(1)[0]
        return width if lines >= NEARLY_ALL * counts.total() else 0

    @property
    def constant(self) -> int:
        """How many fields every line has; 0 where one differs."""
        widths = {len(tokens) for tokens in self.lines if tokens}
        return widths.pop() if len(widths) == 1 else 0

    @property
    def like_triples(self) -> bool:
        """Whether lines look as 'user item weight': the same few fields in each, and users that head several."""
        return 3 <= self.width <= MOST_FIELDS and (self.repeats_users or bool(self.label))

    @property
    def repeats_users(self) -> bool:
        """Whether a user heads several lines."""
        heads = [tokens[0] for tokens in self.lines if len(tokens) > 1]
        return len(set(heads)) < len(heads)

    @property
    def label(self) -> str:
        """The last field where it is the same in every line; else ''."""
        last = {tokens[-1] for tokens in self.lines if len(tokens) > 2}
        many = len(self.lines) > 2 and all(len(tokens) > 2 for tokens in self.lines if tokens)
        return last.pop() if many and len(last) == 1 else ""

    def pairs(self, form: str) -> list[list[str]]:
        """The lines as [user, item, item, ...]."""
        if form == "lists":
            return self.lines
        user, item = self._places()
        return [[tokens[user], tokens[item]] for tokens in self.lines if len(tokens) > 1]

    def _places(self) -> tuple[int, int]:
        roles = [ROLES.get(plain(name)) for name in self.header]
        user = roles.index(USER) if roles.count(USER) == 1 else None
        item = roles.index(ITEM) if roles.count(ITEM) == 1 else None
        if user is None and item is None:
            return 0, 1
        if user is None:
            user = 0 if item != 0 else 1
        if item is None:
            item = 1 if user == 0 else 0
        return user, item


def read_pairs(option: str, paths: Sequence[Path], rejects: Rejects, max_bad: float) -> PairsFile:
    """The lines of a part. Raises InputError, TooManyRejectsError."""
    found = PairsFile(option, ListFile(option, rejects))

    def place(lines: list[str], name: str) -> tuple[bool, list[int]]:
        found.separator, found.beginning = _separator(lines), lines
        rows = [_cut(line, found.separator) for line in lines]
        header = len(rows) > 1 and len(rows[0]) > 1 and is_header(rows)
        found.header = rows[0] if header else []
        return header, [0]

    found.listed.place = place
    found.listed.read(paths, lambda line, _: found.lines.append(_tokens(decoded_line(line), found.separator)))
    names = ", ".join(map(str, paths))
    quoted = sum('"' in line for line in found.beginning) * 2 > len(found.beginning)
    table = f"Its lines hold quotes, so it is a table and no split. Try: {csv_command(names, rows_of(found.beginning))}"
    if not any(len(tokens) > 1 for tokens in found.lines):
        shown = f"\n{table}" if quoted else found.listed.shown()
        raise InputError(f"{option}: {names} holds no line 'user item item ...'.{shown}")
    found.listed.judge(max_bad, "lines", " A line is 'user item item ...'." + f" {table}." * quoted)
    return found


def form_of(files: Sequence[PairsFile], asked: str) -> tuple[str, str]:
    """(lists, pairs or triples; why). Raises InputError where the files do not say."""
    if asked != "auto":
        for file in files:
            least = {"lists": 1, "pairs": 2, "triples": 3}[asked]
            width = file.constant
            if asked != "lists" and width < least:
                raise InputError(
                    f"{file.option}: its lines have {', '.join(map(str, sorted(file.widths)[:5]))} fields; "
                    f"--form {asked} needs the same number in each, {least} or more. Leave --form out."
                )
        return asked, "as asked"
    # Training decides: it has the most lines.
    first = files[0]
    if not first.like_triples:
        return _lists(files)
    for file in files:
        if file.constant != first.width:
            odd = f"the lines of {file.option} do not all have {first.width} fields"
            raise InputError(
                f"{first.option}: nearly every line has {first.width} fields and users head several lines, as in "
                f"'user item weight', but {odd}. Remove the others (awk 'NF == {first.width}'), or add --form "
                f"lists if all "
                "but the first field are items."
            )
    values = {tokens[2] for file in files for tokens in file.lines if len(tokens) > 2}
    if values <= {"0", "1", "0.0", "1.0"} and values & {"0", "0.0"}:
        raise InputError(
            "The third field is 0 or 1, a label: lines with 0 are no interactions. Remove them (awk '$3 != 0'), or add "
            "--form triples to take every line."
        )
    width = first.width
    return "triples", f"each line is 'user item' and {width - 2} more, which {'is' if width == 3 else 'are'} left out"


def _lists(files: Sequence[PairsFile]) -> tuple[str, str]:
    for file in files:
        if file.label and not NUMBER.fullmatch(file.label):
            raise InputError(
                f"{file.option}: every line ends with {file.label!r}, which is a label and no item. Remove it, or add "
                "--form lists if it is an item."
            )
        if file.constant > MOST_FIELDS and file.repeats_users and file is files[0]:
            raise InputError(
                f"{file.option}: every line has {file.constant} fields and users head several lines. Add --form lists "
                "if all but the first field are items, or --form triples if only the second is one."
            )
    for file in files:
        if file.like_triples:
            log.warning(
                f"{file.option}: every line has {file.width} fields and users head several lines; read as "
                "'user item item ...' as in training. If they are 'user item weight', this is wrong."
            )
    known = all(file.constant == 2 for file in files)
    return ("pairs", "each line is 'user item'") if known else ("lists", "each line is 'user item item ...'")


def _separator(lines: Sequence[str]) -> str:
    for separator in SEPARATORS:
        if sum(separator in line for line in lines) * 2 > len(lines):
            return separator
    return ""


def _cut(line: str, separator: str) -> list[str]:
    """The tokens of a line; '' for one that is blank between two separators."""
    if not separator:
        return line.split()
    pieces = line.strip().removesuffix(separator).split(separator)
    return [token.strip('"') for piece in pieces for token in (piece.split() or [""])]


def _tokens(line: str, separator: str) -> list[str]:
    tokens = _cut(line, separator)
    for token in tokens:
        if separator and not token:
            raise BadLineError("a blank field")
        if not TOKEN.fullmatch(token):
            raise BadLineError(f"{token[:40]!r} holds a quote or a control character")
        if "," in token:
            raise BadLineError(f"{token[:40]!r}: ids are separated by blanks, not commas")
        if token in MISSING:
            raise BadLineError(f"{token!r} would be read as a missing value")
    return tokens
