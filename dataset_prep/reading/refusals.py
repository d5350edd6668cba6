"""Which log is refused after it was read, and which option reads what does not parse?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dataset_prep.errors import InputError, TooManyRejectsError
from dataset_prep.pairs.table import Table
from dataset_prep.reading.careful import Found
from dataset_prep.settings import Settings
from dataset_prep.sources.base import BRAND, CATEGORY, ESSENTIAL, SELLER
from dataset_prep.sources.part import Part
from dataset_prep.sources.times import FORMATS, LOOSE, recognised, timestamp

UNFLOAT = (
    "Ids such as {!r} are whole numbers that were written as floats. Write them as whole numbers: "
    r"sed -E 's/([0-9])\.0+([^0-9]|$)/\1\2/g' LOG > whole.csv"
)
MANY = 0.01
"""A share of bad rows that has one cause: of these the cause is said, even where more are allowed."""
FIRST_DAY, END_DAY = "1990-01-01", "2100-01-01"
"""Days between which the times of a log must lie, one at least."""


def check_orders(parts: Sequence[Part], usual: tuple[str, ...]) -> None:
    """Raises InputError where a file without header could have any of several orders of columns."""
    bare = [part for part in parts if not part.header]
    for part in parts:
        if bare and part.header and _order(part.columns) != _order(usual):
            raise InputError(
                f"{bare[0].name} has no header, and {part.name} has its columns in an order of its own "
                f"({','.join(column or '?' for column in part.columns)}). Give {bare[0].name} a header line, too."
            )


def _order(columns: Sequence[str]) -> list[str]:
    """The columns without what is not needed at their end."""
    known = [column if column in (*ESSENTIAL, CATEGORY, SELLER, BRAND) else "" for column in columns]
    while known and not known[-1]:
        known.pop()
    return known


def check_years(settings: Settings, table: Table) -> None:
    """Raises InputError where all times lie outside the years in which logs were written."""
    source = settings.source
    days = {day for counts in table.counts.days.values() for day in counts}
    if not source.timed or source.written == "order" or not days:
        return
    if any(FIRST_DAY <= day < END_DAY for day in days):
        return
    first, last = min(days), max(days)
    cause = f"all times lie between {first} and {last}"
    if source.time == "unix" and last < FIRST_DAY:
        if all(re.fullmatch("(?:19|20)[0-9]{6}", str(timestamp(day, ""))) for day in (first, last)):
            cause += ": these are days such as 20141202, no Unix seconds. Add --time-format yyyymmdd"
        else:
            cause += (
                ": these are no Unix seconds. Say how the times are written (--time-format), leave out --time-column, "
                "or add --time-format order where the numbers only give the order"
            )
    else:
        cause += ". Say how the times are written: --time-format"
    raise InputError(f"{source.name}: {cause}.")


def judge(settings: Settings, found: Found) -> None:
    """Raises InputError or TooManyRejectsError where nothing, or too little, of the files parses."""
    names = ", ".join(dict.fromkeys(part.name for part in found.parts))
    advice = advice_for(settings, found)
    if not found.rows:
        raise InputError(f"{names}: the file holds no rows")
    reasons = "".join(f"\n  {reason}" for reason in found.first_reasons)
    columns = ",".join(settings.source.columns)
    if found.rejected == found.rows:
        raise InputError(
            f"{names}: none of the {found.rows:,} rows is a row of a {settings.source.name} log ({columns}):{reasons}\n"
            + (advice or "Which log is it? Try: python -m dataset_prep inspect FILE")
        )
    share = found.rejected / found.rows
    if share > settings.max_bad:
        raise TooManyRejectsError(
            f"{names}: {found.rejected:,} of {found.rows:,} rows ({share:.1%}) do not parse, more than --max-bad "
            f"{settings.max_bad:g} allows. A row is {columns}. The first of them:{reasons}"
            + (f"\n{advice}" if advice else "")
        )


def advice_for(settings: Settings, found: Found) -> str:
    """The option that reads what does not parse; '' where none is known."""
    reasons = "\n".join(found.first_reasons)
    times = re.findall(r"impossible time '([^']*)'", reasons)
    source = settings.source
    if times and source.name == "csv":
        name = recognised(times, source.time)
        if name not in (None, source.written):
            return f"Times such as {times[0]!r} are read with --time-format {name}."
        day_first = re.fullmatch(
            r"([0-9]{1,2})([-/.])[0-9]{1,2}[-/.]([0-9]{4})(?: [0-9]{1,2}(:[0-9]{2})?(:[0-9]{2})?)?", times[0]
        )
        if day_first:
            sep = day_first[2]
            clock = " %H" + ":%M" * bool(day_first[4]) + ":%S" * bool(day_first[5]) if " " in times[0] else ""
            one, other = (f"'%{a}{sep}%{b}{sep}%Y{clock}'" for a, b in ("dm", "md"))
            return f"Times such as {times[0]!r} are read with --time-format {one} where the day is first, or {other}."
        return (
            f"Times such as {times[0]!r} are not {source.written}. --time-format takes "
            f"{', '.join([*FORMATS, *LOOSE])}, or a pattern such as '%d/%m/%Y %H:%M'."
        )
    if reasons.count("broken UTF-8") * 2 > len(found.first_reasons):
        return "The file is not UTF-8. Name its encoding: --encoding gb18030 for Chinese files (GBK, GB2312)."
    floats = re.findall(r"_id '([0-9]+\.0+)' is no whole number", reasons)
    if len(floats) * 2 > len(found.first_reasons):
        return UNFLOAT.format(floats[0])
    return ""


def check_ids(table: Table) -> None:
    """Raises InputError where one id is written in two ways, as 5 and as 5.0."""
    for column in (table.pairs.users, table.pairs.items):
        floats = [word for word in column.words or () if word.endswith(".0")]
        both = set(column.words or ()) & {word.removesuffix(".0") for word in floats} if floats else set()
        if both:
            raise InputError(
                f"The id {min(both)!r} is written as {min(both) + '.0'!r}, too. {UNFLOAT.format(floats[0])}"
            )
