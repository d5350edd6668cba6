"""Time as the logs write it, and as Unix seconds: every Alibaba log is in Beijing time, UTC+8, without summer time."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from dataset_prep.guards import UsageError

BEIJING_OFFSET = 8 * 3600
FIRST_YEAR, END_YEAR = 1900, 2100
"""What is earlier, or not before the end, is a slip of the pen."""

_MONTH_AND_DAY = (
    r"(?:(?:0[13578]|1[02]){sep}(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11){sep}(?:0[1-9]|[12][0-9]|30)"
    r"|02{sep}(?:0[1-9]|1[0-9]|2[0-8]))"
)
_YEAR = r"(?:19|20)[0-9]{2}"
_HOUR = r"(?:[01][0-9]|2[0-3])"


@dataclass(frozen=True)
class TimeFormat:
    """One way to write a moment.

    strptime: its directives, None for Unix seconds; java: the same for Spark.
    regular: a regular expression that only valid moments match. It may miss a few (29 February), never the reverse.
    prefix: put before the text to make it complete (the year, where the log leaves it out).
    """

    name: str
    strptime: str | None
    java: str | None
    regular: str
    prefix: str = ""

    def parse(self, text: str) -> int | None:
        """Unix seconds, or None where *text* is no moment in exactly this format."""
        if self.strptime is None:
            return int(text) if re.fullmatch(r"-?[0-9]{1,11}", text) and str(int(text)) == text else None
        text = self.prefix + text
        try:
            moment = dt.datetime.strptime(text, self.strptime)
        except ValueError:
            return None
        if moment.strftime(self.strptime) != text or not FIRST_YEAR <= moment.year < END_YEAR:
            return None
        return int(moment.replace(tzinfo=dt.UTC).timestamp()) - BEIJING_OFFSET


EARLIEST, LATEST = (
    int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp()) - BEIJING_OFFSET for year in (FIRST_YEAR, END_YEAR)
)
"""Unix seconds at the beginning of these years."""

UNITS = {"hour": 3600, "date": 86400, "yyyymmdd": 86400, "mmdd": 86400, "datetime": 1, "unix": 1}
"""Seconds between two neighbouring moments a format can tell apart."""

FORMATS: dict[str, TimeFormat] = {
    f.name: f
    for f in (
        TimeFormat("unix", None, None, r"(?:0|-?[1-9][0-9]{0,10})"),
        TimeFormat("hour", "%Y-%m-%d %H", "yyyy-MM-dd HH", f"{_YEAR}-{_MONTH_AND_DAY.format(sep='-')} {_HOUR}"),
        TimeFormat(
            "datetime",
            "%Y-%m-%d %H:%M:%S",
            "yyyy-MM-dd HH:mm:ss",
            f"{_YEAR}-{_MONTH_AND_DAY.format(sep='-')} {_HOUR}:[0-5][0-9]:[0-5][0-9]",
        ),
        TimeFormat("date", "%Y-%m-%d", "yyyy-MM-dd", f"{_YEAR}-{_MONTH_AND_DAY.format(sep='-')}"),
        TimeFormat("yyyymmdd", "%Y%m%d", "yyyyMMdd", f"{_YEAR}{_MONTH_AND_DAY.format(sep='')}"),
        TimeFormat("mmdd", "%Y%m%d", "yyyyMMdd", _MONTH_AND_DAY.format(sep=""), prefix="2014"),
    )
}


def moment(text: str, option: str, end: bool = False) -> int:
    """A day or moment, Beijing time, from the command line -> Unix seconds; *end*: a day means its last second."""
    for name in ("date", "hour", "datetime"):
        seconds = FORMATS[name].parse(text.strip().replace("T", " "))
        if seconds is not None:
            return seconds + (86399 if end and name == "date" else 0)
    raise UsageError(f"{option}: {text!r} is no moment; write 2014-12-18 or '2014-12-18 20:00:00' (Beijing time).")


def day_of(seconds: int) -> str:
    """The Beijing day of a moment: 2014-12-18"""
    return (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds + BEIJING_OFFSET)).strftime("%Y-%m-%d")
