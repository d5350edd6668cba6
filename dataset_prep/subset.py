"""The item subset: the file that lists which items count, and where each is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dataset_prep.guards import InputError, TooManyRejectsError
from dataset_prep.inputs import BOM, look_over
from dataset_prep.scan import CANONICAL, Grammar, Rejects
from dataset_prep.settings import Settings

HEADERS = frozenset({"item_id"})
GEOHASH = 1
"""Column of the item's geohash in Tianchi's item file."""


@dataclass
class Subset:
    """items: id -> its first geohash that is not blank, or ''. Ids are exact texts."""

    items: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    rejected: int = 0
    digests: list[str] = field(default_factory=list)

    def ids(self, integers: bool) -> np.ndarray:
        """What the engine compares with; where the log's ids are integers, other ids cannot occur in it."""
        if integers:
            return np.array([int(item) for item in self.items if re.fullmatch(CANONICAL, item)], dtype=np.int64)
        return np.array(list(self.items), dtype=object)


def read_subset(paths: Sequence[str], settings: Settings, workdir: Path, rejects: Rejects) -> Subset:
    """The first column of the files. Raises InputError where they hold no item, TooManyRejectsError."""
    subset, reasons = Subset(), list[str]()
    for path in paths:
        for part in look_over(Path(path), workdir, HEADERS):
            subset.digests.append(part.digest)
            grammar = Grammar(settings.source, part.delimiter)
            lines = Path(part.path).read_bytes().removeprefix(BOM).split(b"\n")
            for number, line in enumerate(lines, 1):
                line = line.removesuffix(b"\r")
                if not line.strip() or (number == 1 and part.header):
                    continue
                subset.rows += 1
                reason, item, geohash = _row(grammar, line)
                if reason is None:
                    subset.items[item] = subset.items.get(item) or geohash
                    continue
                subset.rejected += 1
                rejects.add(part.name, number, reason)
                reasons.append(f"{part.name}, line {number:,}: {reason}")
    shown = "".join(f"\n  {reason}" for reason in reasons[:10])
    if not subset.items:
        raise InputError(f"--items: {', '.join(map(str, paths))} lists no item{shown}")
    if subset.rejected > settings.max_bad * subset.rows:
        raise TooManyRejectsError(
            f"--items: {subset.rejected:,} of {subset.rows:,} rows do not parse, more than --max-bad "
            f"{settings.max_bad:g} allows. The first of them:{shown}"
        )
    return subset


def _row(grammar: Grammar, line: bytes) -> tuple[str | None, str, str]:
    """(why the line does not parse, or None; item; geohash)"""
    try:
        fields = grammar.fields(line.decode("utf-8"))
    except UnicodeDecodeError:
        return "broken UTF-8", "", ""
    if fields is None:
        return "stray quote", "", ""
    reason = grammar.id_reason("item_id", fields[0])
    geohash = fields[GEOHASH] if len(fields) > GEOHASH else ""
    return reason, fields[0], geohash if grammar.is_plain(geohash) else ""
