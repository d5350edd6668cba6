"""Time as the logs write it, and as Unix seconds. Alibaba's logs are in Beijing time (UTC+8, no summer time)."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dataset_prep.errors import UsageError

BEIJING_OFFSET = 8 * 3600
DAY = 86_400
FIRST_YEAR, END_YEAR = 1900, 2100
"""Years outside [FIRST_YEAR, END_YEAR) are refused as typing errors."""
SECONDS_DIGITS = 11
"""Of Unix seconds, at most."""
_SECONDS = re.compile(rf"-?[0-9]{{1,{SECONDS_DIGITS}}}")

_MONTH_AND_DAY = (
    r"(?:(?:0[13578]|1[02]){sep}(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11){sep}(?:0[1-9]|[12][0-9]|30)"
    r"|02{sep}(?:0[1-9]|1[0-9]|2[0-8]))"
)
_YEAR = r"(?:19|20)[0-9]{2}"
_HOUR = r"(?:[01][0-9]|2[0-3])"


@dataclass(frozen=True)
class TimeFormat:
    """One way to write a timestamp.

    strptime: its directives; None for Unix seconds. java: the same for Spark.
    regular: a regular expression. It matches valid timestamps only, but may miss a few (29 February).
    unit: seconds between two neighbouring timestamps.
    prefix: text to put in front (the year, where the log leaves it out).
    """

    name: str
    strptime: str | None
    java: str | None
    regular: str
    unit: int = 1
    prefix: str = ""

    def parse(self, text: str) -> int | None:
        """Unix seconds; None where *text* is not exactly in this format."""
        if self.strptime is None:
            return int(text) if _SECONDS.fullmatch(text) and str(int(text)) == text else None
        text = self.prefix + text
        try:
            parsed = dt.datetime.strptime(text, self.strptime)
        except ValueError:
            return None
        if parsed.strftime(self.strptime) != text or not FIRST_YEAR <= parsed.year < END_YEAR:
            return None
        return int(parsed.replace(tzinfo=dt.timezone.utc).timestamp()) - BEIJING_OFFSET


FIRST_SECOND = (dt.datetime.min - dt.datetime(1970, 1, 1)).days * DAY
"""From 1970 to the first day of Python's calendar, in the year 1."""
EARLIEST, LATEST = (
    int(dt.datetime(year, 1, 1, tzinfo=dt.timezone.utc).timestamp()) - BEIJING_OFFSET for year in (FIRST_YEAR, END_YEAR)
)
"""Unix seconds at the beginning of these years."""

_DATE = f"{_YEAR}-{_MONTH_AND_DAY.format(sep='-')}"
_SHORT_DAY = _MONTH_AND_DAY.format(sep="")

FORMATS: dict[str, TimeFormat] = {
    f.name: f
    for f in (
        TimeFormat("unix", None, None, rf"(?:0|-?[1-9][0-9]{{0,{SECONDS_DIGITS - 1}}})"),
        TimeFormat("hour", "%Y-%m-%d %H", "yyyy-MM-dd HH", f"{_DATE} {_HOUR}", 3600),
        TimeFormat("datetime", "%Y-%m-%d %H:%M:%S", "yyyy-MM-dd HH:mm:ss", f"{_DATE} {_HOUR}:[0-5][0-9]:[0-5][0-9]"),
        TimeFormat("date", "%Y-%m-%d", "yyyy-MM-dd", _DATE, DAY),
        TimeFormat("yyyymmdd", "%Y%m%d", "yyyyMMdd", f"{_YEAR}{_SHORT_DAY}", DAY),
        TimeFormat("mmdd", "%Y%m%d", "yyyyMMdd", _SHORT_DAY, DAY, prefix="2014"),
    )
}


_DAY_AND_TIME = re.compile(
    r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})"
    r"(?:[ T]([0-9]{1,2})(?::([0-9]{1,2})(?::([0-9]{1,2})(?:[.,][0-9]+)?)?)?)? ?(Z|UTC|[-+][0-9]{2}:?[0-9]{2})?"
)
_MONTH_DAY = re.compile(r"([0-9]{1,2})(?:[-/.]|月)([0-9]{1,2})日?")
LOOSE: dict[str, str] = {
    "iso": "a day, with or without a time: 2014-12-02T07:00:00Z, 2014/12/2 7:00",
    "ms": "Unix milliseconds",
    "us": "Unix microseconds",
    "order": "any whole number that orders",
    "month-day": "month and day of 2014: 6-4",
    "monthday": "month and day of 2014, the zero lost: 829",
}
"""Forms beside ``FORMATS``. Times in them are turned into Unix seconds before the log is read."""
LEAST_DIGITS = 9
"""Of Unix seconds: from 1973 on."""
Parse = Callable[[str], "int | None"]


def form(name: str, zone: str = "") -> Parse:
    """The function from a text to Unix seconds, or None, of a format, a loose form or a strptime pattern.

    Args:
        zone: of times that state none, as in Europe/Berlin; '' for Beijing.

    Raises:
        UsageError: there is no such form or zone.
    """
    local = _zone(zone)
    if name in ("ms", "us"):
        scale, least = (1_000, 10) if name == "ms" else (1_000_000, 13)
        return lambda text: int(text) // scale if re.fullmatch(rf"[0-9]{{{least},18}}", text) else None
    if name in FORMATS:
        strict = FORMATS[name]
        if strict.strptime is None or local is None:
            return strict.parse
        return lambda text: _moved(strict.parse(text), local)
    if name == "order":
        return FORMATS["unix"].parse
    if name in LOOSE:
        return lambda text: _loose(name, text, local)
    if "%" in name:
        return lambda text: _by_pattern(text, name, local)
    known = ", ".join([*FORMATS, *LOOSE])
    raise UsageError(f"--time-format: {name!r} is not one of {known}, nor a pattern such as '%d/%m/%Y %H:%M'.")


def _zone(name: str) -> dt.tzinfo | None:
    if not name:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise UsageError(f"--timezone: {name!r} is no time zone; write UTC, Asia/Shanghai or Europe/Berlin.") from error


def _moved(seconds: int | None, local: dt.tzinfo) -> int | None:
    if seconds is None:
        return None
    return _seconds(dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds + BEIJING_OFFSET), local)


def _seconds(moment: dt.datetime, local: dt.tzinfo | None) -> int | None:
    if not FIRST_YEAR <= moment.year < END_YEAR:
        return None
    if moment.tzinfo is None and local is None:
        return int(moment.replace(tzinfo=dt.timezone.utc).timestamp()) - BEIJING_OFFSET
    return int((moment if moment.tzinfo else moment.replace(tzinfo=local)).timestamp())


def _loose(name: str, text: str, local: dt.tzinfo | None) -> int | None:
    text = text.strip()
    try:
        if name == "iso" and (found := _DAY_AND_TIME.fullmatch(text)):
            year, _, month, day, *clock, zone = found.groups()
            hour, minute, second = (int(part or 0) for part in clock)
            moment = dt.datetime(int(year), int(month), int(day), hour, minute, second)
            if zone:
                stated = dt.datetime.strptime(zone.replace("UTC", "Z"), "%z")
                moment = moment.replace(tzinfo=stated.tzinfo)
            return _seconds(moment, local)
        if name == "month-day" and (found := _MONTH_DAY.fullmatch(text)):
            return _seconds(dt.datetime(2014, int(found[1]), int(found[2])), local)
        if name == "monthday" and re.fullmatch("[0-9]{3,4}", text):
            return _seconds(dt.datetime(2014, int(text[:-2]), int(text[-2:])), local)
    except ValueError:
        return None
    return None


def _by_pattern(text: str, pattern: str, local: dt.tzinfo | None) -> int | None:
    try:
        return _seconds(dt.datetime.strptime(text, pattern), local)
    except ValueError:
        return None


def recognised(texts: Sequence[str], expected: str) -> str | None:
    """The form of most of these times; *expected* where it fits. None: no form fits, or several do."""
    texts = [text for text in texts if text]
    if not texts or (_fits(FORMATS[expected].parse, texts) and not _a_day_or_no_seconds(texts, expected)):
        return expected
    for name in ("datetime", "hour", "date", "yyyymmdd", "unix"):
        enough = name != "unix" or all(len(text) >= LEAST_DIGITS for text in texts)
        if enough and _fits(FORMATS[name].parse, texts) and not _a_day_or_no_seconds(texts, name):
            return name
    digits = {len(text) for text in texts if text.isdigit()}
    if len([text for text in texts if text.isdigit()]) * 2 > len(texts):
        return next(
            (n for n, sizes in (("ms", {12, 13}), ("us", {15, 16}), ("monthday", {3, 4})) if digits <= sizes), None
        )
    dated = [text for text in texts if _DAY_AND_TIME.fullmatch(text.strip())]
    if len(dated) * 2 > len(texts) and _fits(form("iso"), texts):
        return "iso"
    return "month-day" if _fits(form("month-day"), texts) else None


def _fits(parse: Parse, texts: Sequence[str]) -> bool:
    return sum(parse(text) is not None for text in texts) * 2 > len(texts)


def _a_day_or_no_seconds(texts: Sequence[str], name: str) -> bool:
    """Whether Unix seconds are in truth days (20141202) or months and days."""
    if name != "unix":
        return False
    days = _fits(FORMATS["yyyymmdd"].parse, texts)
    return days or all(re.fullmatch("[0-9]{12,}", text) for text in texts)


def timestamp(text: str, option: str, end: bool = False) -> int:
    """A day or time of the command line (Beijing time) as Unix seconds; *end*: a day means its last second."""
    for name in ("date", "hour", "datetime"):
        seconds = FORMATS[name].parse(text.strip().replace("T", " "))
        if seconds is not None:
            return seconds + (DAY - 1 if end and name == "date" else 0)
    raise UsageError(f"{option}: {text!r} is no moment; write 2014-12-18 or '2014-12-18 20:00:00' (Beijing time).")


def day_of(seconds: int) -> str:
    """The Beijing day of a timestamp, as in 2014-12-18; the first one of Python's calendar for what is before it."""
    since = dt.timedelta(seconds=max(seconds + BEIJING_OFFSET, FIRST_SECOND))
    return (dt.datetime(1970, 1, 1) + since).strftime("%Y-%m-%d")
