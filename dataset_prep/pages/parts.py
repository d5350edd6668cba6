"""What is a page made of? Plain data; page.html gives each kind its HTML."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from dataset_prep.pages.bars import Bars
from dataset_prep.pages.chart import Chart
from dataset_prep.pages.ranges import Ranges


@dataclass(frozen=True)
class Text:
    """A paragraph. tone here and below: "", "soft", "well", "warning" or "error"."""

    kind: ClassVar[str] = "text"
    text: str
    tone: str = ""


@dataclass(frozen=True)
class Note:
    """A sentence in a frame, which nobody overlooks."""

    kind: ClassVar[str] = "note"
    text: str
    tone: str = "warning"


@dataclass(frozen=True)
class Code:
    """A command or a file."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Lines:
    """A numbered list."""

    kind: ClassVar[str] = "list"
    lines: Sequence[str]


class Toned(NamedTuple):
    """A cell in the colour of a tone."""

    text: str
    tone: str


Cell = str | Toned


@dataclass(frozen=True)
class Group:
    """Rows of a table under one heading."""

    name: str
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Table:
    """Rows or groups of rows. It scrolls inside its own box. title: for screen readers; shown if `caption`.

    words: numbers of the columns that hold words; the others hold numbers, aligned to the right.
    sorted_by: the column by which the rows come sorted, ascending; the reader may then sort them by any column.
    """

    kind: ClassVar[str] = "table"
    title: str
    head: Sequence[str]
    groups: Sequence[Group]
    words: Collection[int] = (0,)
    caption: bool = False
    sorted_by: int | None = None

    @property
    def width(self) -> int:
        """Number of columns."""
        return max([len(self.head), *(len(row) for group in self.groups for row in group.rows)])


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], words: Collection[int] = (0,)) -> Table:
    """A table without headings among its rows."""
    return Table(title, head, [Group("", rows)], words)


@dataclass(frozen=True)
class Charts:
    """Charts beside each other where there is room. pairs: two in a row, to be compared. small: four in a row."""

    kind: ClassVar[str] = "charts"
    charts: Sequence[Chart | Bars | Ranges]
    pairs: bool = False
    small: bool = False


@dataclass(frozen=True)
class Remark:
    """A finding: a word for its severity, its id, what was seen, what to do."""

    kind: ClassVar[str] = "finding"
    word: str
    name: str
    says: str
    advice: str
    tone: str


@dataclass(frozen=True)
class Folded:
    """Parts that are shown on a click, and in print. open: shown already."""

    kind: ClassVar[str] = "folded"
    title: str
    parts: Sequence[Part]
    open: bool = False


Part = Text | Note | Code | Lines | Table | Charts | Remark | Folded


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Page:
    """A whole page: the verdict in one sentence, then the numbers, then the rest.

    tone: of the verdict. title: of the window, and a line under the verdict. figures: (name, value).
    """

    title: str
    verdict: str
    tone: str
    figures: Sequence[tuple[str, str]] = ()
    sections: Sequence[Section] = field(default_factory=tuple)
    lang: str = "en"

    @property
    def sortable(self) -> bool:
        """Whether the page needs the script that sorts."""
        return any(_sortable(part) for section in self.sections for part in section.parts)


def _sortable(part: Part) -> bool:
    if isinstance(part, Folded):
        return any(map(_sortable, part.parts))
    return isinstance(part, Table) and part.sorted_by is not None
