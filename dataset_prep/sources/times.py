"""Time as the logs write it, and as Unix seconds. Alibaba's logs are in Beijing time (UTC+8, no summer time)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from dataset_prep.errors import UsageError

BEIJING_OFFSET = 8 * 3600
DAY = 86_400
FIRST_YEAR, END_YEAR = 1900, 2100
"""Years outside [FIRST_YEAR, END_YEAR) are refused as typing errors."""

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
            return int(text) if re.fullmatch(r"-?[0-9]{1,11}", text) and str(int(text)) == text else None
        text = self.prefix + text
        try:
            parsed = dt.datetime.strptime(text, self.strptime)
        except ValueError:
            return None
        if parsed.strftime(self.strptime) != text or not FIRST_YEAR <= parsed.year < END_YEAR:
            return None
        return int(parsed.replace(tzinfo=dt.UTC).timestamp()) - BEIJING_OFFSET


EARLIEST, LATEST = (
    int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp()) - BEIJING_OFFSET for year in (FIRST_YEAR, END_YEAR)
)
"""Unix seconds at the beginning of these years."""

_DATE = f"{_YEAR}-{_MONTH_AND_DAY.format(sep='-')}"
_SHORT_DAY = _MONTH_AND_DAY.format(sep="")

FORMATS: dict[str, TimeFormat] = {
    f.name: f
    for f in (
        TimeFormat("unix", None, None, r"(?:0|-?[1-9][0-9]{0,10})"),
        TimeFormat("hour", "%Y-%m-%d %H", "yyyy-MM-dd HH", f"{_DATE} {_HOUR}", 3600),
        TimeFormat("datetime", "%Y-%m-%d %H:%M:%S", "yyyy-MM-dd HH:mm:ss", f"{_DATE} {_HOUR}:[0-5][0-9]:[0-5][0-9]"),
        TimeFormat("date", "%Y-%m-%d", "yyyy-MM-dd", _DATE, DAY),
        TimeFormat("yyyymmdd", "%Y%m%d", "yyyyMMdd", f"{_YEAR}{_SHORT_DAY}", DAY),
        TimeFormat("mmdd", "%Y%m%d", "yyyyMMdd", _SHORT_DAY, DAY, prefix="2014"),
    )
}


def timestamp(text: str, option: str, end: bool = False) -> int:
    """A day or time of the command line (Beijing time) as Unix seconds; *end*: a day means its last second."""
    for name in ("date", "hour", "datetime"):
        seconds = FORMATS[name].parse(text.strip().replace("T", " "))
        if seconds is not None:
            return seconds + (DAY - 1 if end and name == "date" else 0)
    raise UsageError(f"{option}: {text!r} is no moment; write 2014-12-18 or '2014-12-18 20:00:00' (Beijing time).")


def day_of(seconds: int) -> str:
    """The Beijing day of a timestamp, as in 2014-12-18."""
    return (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds + BEIJING_OFFSET)).strftime("%Y-%m-%d")
