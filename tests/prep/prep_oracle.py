"""The converter's slow and obvious definition, in plain Python, for the mobile format."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

Row = tuple[str, str, int, str, int]
"""user, item, behaviour, category, Unix seconds"""


@dataclass
class Expected:
    rows: int = 0
    rejected: list[int] = field(default_factory=list)
    other_behavior: int = 0
    not_in_subset: int = 0
    outside: int = 0
    repeats: int = 0
    weak: int = 0
    kept: list[tuple[str, str, int, int]] = field(default_factory=list)


def floats(users: list[str]) -> bool:
    """Whether pandas wrote the ids as floats: more than half are like 1.0, and the others are whole numbers."""
    found = [user for user in users if re.fullmatch(r"[0-9]+\.0+", user)]
    return len(found) * 2 > len(users) and all(user.isdigit() for user in users if user not in found)


def parse(line: bytes, unfloat: bool = False) -> Row | None:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    fields = re.split(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", text)
    fields = [f[1:-1].replace('""', '"') if len(f) > 1 and f[0] == f[-1] == '"' else f for f in fields]
    if len(fields) != 6 or any('"' in f or re.search(r"[\x00-\x1f\x7f]", f) for f in fields):
        return None
    user, item, behavior, _, category, time = fields
    user = user.removesuffix(".0") if unfloat else user
    if not (re.fullmatch("[0-9]+", user) and re.fullmatch("[0-9]+", item) and behavior in ("1", "2", "3", "4")):
        return None
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2} \d{2}", time, re.ASCII):
        return None
    try:
        moment = dt.datetime.strptime(time, "%Y-%m-%d %H")
    except ValueError:
        return None
    if not 1900 <= moment.year < 2100:
        return None
    return user, item, int(behavior), category, beijing(moment)


def beijing(moment: dt.datetime) -> int:
    """Unix seconds of a moment on a clock in Beijing."""
    return int((moment - dt.datetime(1970, 1, 1)).total_seconds()) - 8 * 3600


def convert(
    content: bytes,
    behaviors: set[int],
    subset: set[str] | None,
    thresholds: tuple[int, int],
    protocol: str,
    bounds: tuple[int, int] | None = None,
) -> Expected:
    found, events = Expected(), []
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    rows = {
        number: raw.removesuffix(b"\r")
        for number, raw in enumerate(lines, 1)
        if raw.strip(b" \r") and not (number == 1 and raw.lstrip(b'"').lower().startswith(b"user_id"))
    }
    whole = [line for line in rows.values() if line.count(b",") == 5]
    users = [line.split(b",")[0].strip(b' "').decode("utf-8", "replace") for line in whole]
    unfloat = floats([user for user in users if user])
    for number, line in rows.items():
        found.rows += 1
        row = parse(line, unfloat)
        if row is None:
            found.rejected.append(number)
        elif bounds and not bounds[0] <= row[4] <= bounds[1]:
            found.outside += 1
        elif row[2] not in behaviors:
            found.other_behavior += 1
        elif subset is not None and row[1] not in subset:
            found.not_in_subset += 1
        else:
            events.append((row[0], row[1], row[4], row[2]))
    if protocol == "novel":
        first: dict[tuple[str, str], tuple[str, str, int, int]] = {}
        for event in sorted(events, key=lambda e: (e[2], -e[3])):
            first.setdefault(event[:2], event)
        found.repeats = len(events) - len(first)
        events = list(first.values())
    core = peel({event[:2] for event in events}, *thresholds)
    found.kept = [event for event in events if event[:2] in core]
    found.weak = len(events) - len(found.kept)
    return found


def peel(pairs: set[tuple[str, str]], user: int, item: int) -> set[tuple[str, str]]:
    while True:
        users, items = [u for u, _ in pairs], [i for _, i in pairs]
        left = {(u, i) for u, i in pairs if users.count(u) >= user and items.count(i) >= item}
        if left == pairs:
            return pairs
        pairs = left


def in_order(rows: list[tuple[str, str, int, int]]) -> list[tuple[str, str, int, int]]:
    """As .inter has them: users and items by length, then characters."""
    return sorted(rows, key=lambda r: (len(r[0]), r[0], r[2], len(r[1]), r[1], r[3]))


def read_inter(text: str) -> list[tuple[str, str, int, int]]:
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    return [(u, i, int(t), int(b)) for u, i, t, b in rows]
