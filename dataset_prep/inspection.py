"""A look at a raw file before any choice: which log it is, what it holds, and which command to run."""

from __future__ import annotations

import logging
import shlex
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from dataset_prep.choices.choice import strictest
from dataset_prep.errors import InputError
from dataset_prep.files.layout import adapted, decoded, first_rows, layout_of, naming_members, sample_lines, separator
from dataset_prep.files.parquet import is_parquet, parquet_to_csv
from dataset_prep.files.streams import find
from dataset_prep.pairs.core import Enough, Size, Thresholds
from dataset_prep.pairs.filters import FilteredLog
from dataset_prep.pairs.funnel import Funnel, describe, share
from dataset_prep.pairs.kept import choice_rows
from dataset_prep.pairs.statistics import Statistics, degrees, density
from dataset_prep.pairs.table import Table, bits_of
from dataset_prep.reading.grammar import Grammar
from dataset_prep.reading.log import read_log
from dataset_prep.reading.remote import beginning
from dataset_prep.settings import Settings
from dataset_prep.sources import SOURCES, Source
from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, TIME, USER
from dataset_prep.sources.columns import Columns, csv_command, named_by_header
from dataset_prep.sources.names import ROLES, is_header, plain
from dataset_prep.writing.report import page
from dataset_prep.writing.whole_file import written

log = logging.getLogger("dataset_prep")

STRICTEST = Thresholds(5, 5)
# Enough to learn from, rather than just enough to convert.
HEALTHY = Enough(5_000, 100, 100)
LOST = {
    "did not parse, see rejects.csv": "do not parse",
    "outside the dates": "are outside the dates of this data set; --from '' --to '' keeps them",
}
SHOWN = (STRICTEST, Thresholds(3, 3), Thresholds(2, 2))


class Reached(NamedTuple):
    """Thresholds and the size of their core, without its degrees: those need memory for every user and item."""

    thresholds: Thresholds
    size: Size


@dataclass(frozen=True)
class Choice:
    """One set of behaviours: its pairs and some of its cores.

    healthy, enough: the strictest core that is ``HEALTHY``; the one that ``convert`` would take. None where none is.
    """

    behaviors: tuple[str, ...]
    subset: bool
    pairs: int
    cores: tuple[Reached, ...]
    healthy: Reached | None
    enough: Reached | None
    level: str = "item"


@dataclass
class Inspection:
    """What a log holds.

    command: the recommended conversion; None where nothing leaves enough. why: why it leaves out the item subset, or
    how to name the behaviours.
    """

    source: Source
    size: Size
    rows: int
    funnel: Funnel
    statistics: Statistics
    choices: list[Choice] = field(default_factory=list)
    command: str | None = None
    why: str = ""

    def lines(self) -> list[str]:
        days = sorted({day for counts in self.statistics.days.values() for day in counts})
        named = ["No known log has these columns; they are read by the names of the header."]
        lost = {reason: n for reason, n in self.funnel.dropped().items() if n and reason in LOST}
        lines = [
            *(named if self.source.name == "csv" else []),
            f"{self.source.title}: {self.rows:,} rows, {describe(self.size)}",
            f"days {days[0]} to {days[-1]}, Beijing time" if days and self.source.timed else "no time",
            f"density {density(self.size):.4%}; repeats of a pair: {share(self.rows - self.size.pairs, self.rows)}",
        ]
        lines += [f"not counted: {n:,} rows that {LOST[reason]}" for reason, n in lost.items()]
        for behavior, counts in self.statistics.days.items():
            lines.append(
                f"  {self.statistics.labels.get(behavior, behavior):12s} {share(sum(counts.values()), self.rows)}"
            )
        for who, histogram in zip(("a user", "an item"), self.statistics.before, strict=True):
            lines.append(f"partners of {who}: {_quantiles(histogram)}")
        lines += ["", "behaviours, items: pairs; what the cores leave (pairs, users, items)"]
        for choice in self.choices:
            where = ",".join(choice.behaviors) or "all"
            cores = "; ".join(f"{c.thresholds}: {', '.join(f'{n:,}' for n in c.size)}" for c in choice.cores)
            where += ", subset" * choice.subset + ", by category" * (choice.level == "category")
            lines.append(f"  {where}: {choice.pairs:,}; {cores}")
        lines.append("")
        if self.command is None:
            return [*lines, "Too thin to learn from, whatever is chosen, --level category included."]
        return [*lines, *([self.why] if self.why else []), f"Recommended: {self.command}"]


def _quantiles(histogram: dict[int, int]) -> str:
    total, seen, parts = sum(histogram.values()), 0, []
    marks = {"half have at most": 0.5, "nine in ten at most": 0.9, "the most": 1.0}
    for degree in sorted(histogram):
        seen += histogram[degree]
        while marks and seen >= next(iter(marks.values())) * total:
            parts.append(f"{next(iter(marks))} {degree:,}")
            marks.pop(next(iter(marks)))
    return ", ".join(parts)


def recognise(first: bytes, name: str = "the file") -> Source | None:
    """The source whose columns and grammar fit most lines of a file's beginning; None where none fits half of them."""
    fits: dict[Source, tuple[float, bool]] = {}  # of two that fit, the one that needs no change
    for source in SOURCES.values():
        with suppress(InputError):
            fitted = adapted(source, first, name)
            layout = layout_of(first, name, fitted)
            lines = sample_lines(first, layout)
            grammar = Grammar(fitted, layout.read_as, own=layout.columns)
            if lines:
                share_of_lines = sum(grammar.examine(line)[0] is None for line in lines) / len(lines)
                fits[fitted] = share_of_lines, fitted is source
    best = max(fits, key=lambda source: fits[source], default=None)
    return best if best is not None and fits[best][0] >= 0.5 else None


def inspect(
    files: Sequence[str | Path],
    items: Sequence[str | Path] = (),
    source: Source | None = None,
    html: Path | None = None,
    engine: str = "duckdb",
    spark_url: str = "local[2]",
) -> Inspection:
    """Read a whole log and count what every choice of behaviours, items and thresholds would leave.

    Args:
        files: the log.
        items: the item subset; each choice is then counted with it and without it.
        source: None to recognise it by the first lines; a log of no known source is read by the names of its header.
        html: write the report page here.
        engine, spark_url: as in ``convert``.

    Raises:
        InputError: no source fits, or a file cannot be read.
    """
    logs, subset = tuple(map(str, files)), tuple(map(str, items))
    path = find(logs, "FILE")[0]
    if is_parquet(find(logs, "FILE")):
        return _of_parquet(logs, subset, source, html)
    named, why = dict[str, str](), ""
    if source is None:
        first = beginning(path, engine=engine, spark_url=spark_url)
        source = recognise(first, path)
        if source is None:
            rows = first_rows(first)
            named = named_by_header(rows)
            if not {"user_column", "item_column"} <= named.keys() or "PATTERN" in named.values() or len(rows) < 2:
                with naming_members(Path(path)):
                    raise InputError(_unknown(path, first))
            of_time = named.get("time_column"), None, named.get("category_column"), named.get("time_format", "unix")
            source = Columns(named["user_column"], named["item_column"], *of_time).source(rows)
            for name in (name for name in rows[0] if ROLES.get(plain(name)) == BEHAVIOR):
                why = f"To tell behaviours apart add --behavior-column {name} --behavior-values LIST, weakest first."
    everything = ",".join(b.value for b in source.behaviors) or None
    settings = Settings(
        source,
        logs,
        Path(),
        "inspected",
        subset,
        behaviors=everything,
        max_bad=1.0,
        engine=engine,
        spark_url=spark_url,
        given=named,
    )
    with tempfile.TemporaryDirectory(prefix="dataset_prep-") as workdir:
        read = read_log(settings, Path(workdir), whole=True)
    pairs, filtered = read.table.pairs, FilteredLog(settings, read.table, read.rejected)
    counted = next(stage for stage in filtered.funnel.stages if stage.size is not None)
    assert counted.size is not None
    found = Inspection(source, counted.size, counted.rows, filtered.funnel, filtered.statistics, why=why)
    found.statistics.before = degrees((pairs.u, pairs.i))
    found.choices = _choices(settings, read.table)
    _recommend(found, settings)
    if found.command is None and CATEGORY in source.columns:
        by_category = replace(settings, level="category")
        with tempfile.TemporaryDirectory(prefix="dataset_prep-") as workdir:
            choices = _choices(by_category, read_log(by_category, Path(workdir), whole=True).table)
        found.choices += [replace(choice, level="category") for choice in choices]
        _recommend(found, settings)
    if html:
        _write_page(found, Path(path).name, html)
    return found


def _write_page(found: Inspection, name: str, html: Path) -> None:
    title, command = f"{name}: {found.source.title}", found.command or ""
    shown = page(title, found.funnel, found.statistics, Thresholds(2, 2), None, found.size, found.rows, command)
    with written(html) as part:
        part.write_text(shown, encoding="utf-8")


def _of_parquet(files: Sequence[str], items: Sequence[str], source: Source | None, html: Path | None) -> Inspection:
    """The same for Parquet files, through a copy as CSV."""
    with tempfile.TemporaryDirectory(prefix="dataset_prep-") as workdir:
        copy = parquet_to_csv(find(files, "FILE"), Path(workdir))
        try:
            found = inspect([copy], items, source)
        except InputError as error:
            raise InputError(str(error).replace(copy, files[0])) from error
    if found.command:
        named = " --log ".join(map(shlex.quote, files))
        found.command = found.command.replace(shlex.quote(copy), named)
    if html:
        _write_page(found, Path(files[0]).name, html)
    return found


def _choices(settings: Settings, table: Table) -> list[Choice]:
    """The strongest behaviour, then one weaker added at a time; each with and without the subset, if there is one."""
    values, pairs = [b.value for b in settings.source.behaviors], table.pairs
    choices = []
    for weakest in reversed(range(max(len(values), 1))):
        ranks = list(range(weakest, max(len(values), 1)))
        for subset in (True, False) if settings.items else (False,):
            chosen = pairs.select(bits_of(ranks, subset))
            cores = tuple(Reached(thresholds, pairs.core(chosen, thresholds).size) for thresholds in SHOWN)
            rows = choice_rows(table, ranks, subset, settings.protocol)

            tries = ((STRICTEST, HEALTHY), (settings.asked, Enough()), (STRICTEST, Enough()))
            found = (strictest(settings, pairs, chosen, rows, asked, enough=least) for asked, least in tries)
            healthy, enough, higher = (judged and Reached(judged.core.thresholds, judged.core.size) for judged in found)
            enough = healthy or enough or higher
            choices.append(Choice(tuple(values[weakest:]), subset, len(chosen[0]), cores, healthy, enough))
    return choices


def _recommend(found: Inspection, settings: Settings) -> None:
    """The strongest behaviours that leave enough to learn from; failing that, enough to convert.

    The item subset was given, so a choice inside it goes first.
    """
    inside = [choice for choice in found.choices if choice.subset] if settings.items else found.choices
    for choices in (inside, found.choices):
        reached = [(c, c.healthy) for c in choices if c.healthy] or [(c, c.enough) for c in choices if c.enough]
        if reached:
            break
    else:
        return
    chosen, core = reached[0]
    if settings.items and not chosen.subset:
        found.why = "Without --items: no choice of behaviours leaves enough to learn from inside the item subset."
    name = "log" if found.source.name == "csv" else found.source.name.partition("-")[0]
    options: dict[str, Any] = {"users": settings.users}
    if chosen.subset:
        options["items"] = settings.items
    if chosen.behaviors:
        options["behaviors"] = ",".join(chosen.behaviors)
    if chosen.level != "item":
        options["level"] = chosen.level
    if settings.engine == "spark":
        options |= {"engine": "spark", "spark_url": settings.spark_url}
    user, item = core.thresholds
    found.command = settings.command_line({**options, "min_user": user, "min_item": item, "name": f"my-{name}"})


def _unknown(path: str, first: bytes) -> str:
    """Why a file is none of the known logs, and the command that reads it."""
    rows = first_rows(first)
    file = shlex.quote(path)
    if not first:
        return f"{path}: the file is empty"
    known = {ROLES.get(plain(field)) for field in rows[0]}
    if len(rows) == 1 and USER in known:
        return f"{path}: the file holds no rows, only the header {','.join(rows[0])}"
    if is_header(rows) and ITEM in known and not known & {USER, TIME, BEHAVIOR}:
        return (
            f"{path}: this is a list of items ({','.join(rows[0])}), no log: it has no users. Give it beside the log: "
            f"python -m dataset_prep inspect LOG --items {file}"
        )
    if (
        not is_header(rows)
        and " " not in ",".join(rows[0])
        and separator(decoded(first)[0]) != ","
        and len(rows[0]) > 1
    ):
        lists = len({len(row) for row in rows}) > 1 or len(rows[0]) == 2
    else:
        lists = len(rows[0]) == 1 and len(rows[0][0].split()) > 1
    if lists and all(token.isdigit() for row in rows[:20] for field in row for token in field.split()):
        return (
            f"{path}: this looks like a published split, 'user item item ...' a line. Try: python -m dataset_prep "
            f"split --train {file} --test FILE --name my-split"
        )
    shapes = "\n".join(f"  {source.name}: {','.join(source.names or source.columns)}" for source in SOURCES.values())
    numbered = ", ".join(f"{n} {field[:20]!r}" for n, field in enumerate(rows[0], 1))
    return (
        f"{path}: no known log has such rows. The known ones are\n{shapes}\nThis file's first line has {numbered}. "
        f"If it is a log all the same, name its columns: {csv_command(path, rows)}"
    )
