"""The item subset: the file that lists which items count, and where each is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dataset_prep.guards import InputError, TooManyRejectsError
from dataset_prep.inputs import BOM, Part, first_fields, head, look_over
from dataset_prep.order import Narrow, distinct
from dataset_prep.scan import CANONICAL, Grammar, Rejects
from dataset_prep.settings import Settings
from dataset_prep.swift.blocks import Blocks
from dataset_prep.swift.lines import NUMBER, SKIP, GiveUpError, Ints, compiled, read_lines

HEADERS = frozenset({"item_id"})
GEOHASH = 1
"""Column of the item's geohash in Tianchi's item file."""


@dataclass
class Subset:
    """items: id -> its first geohash that is not blank, or ''. Ids are exact texts.

    numbers: distinct ids found by the swift reader, in their order; these have no geohash, since none was asked for.
    """

    numbers: Narrow = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    items: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    rejected: int = 0
    digests: list[str] = field(default_factory=list)

    def ids(self, integers: bool) -> np.ndarray:
        """What the engine compares with; where the log's ids are integers, other ids cannot occur in it."""
        if integers:
            known = [int(item) for item in self.items if re.fullmatch(CANONICAL, item)]
            return distinct(np.concatenate([self.numbers, np.array(known, dtype=np.int64)]))
        return np.array(list(dict.fromkeys([*map(str, self.numbers.tolist()), *self.items])), dtype=object)


def read_subset(paths: Sequence[Path], settings: Settings, workdir: Path, rejects: Rejects) -> Subset:
    """The first column of the files. Raises InputError where they hold no item, TooManyRejectsError."""
    subset, reasons = Subset(), list[str]()
    for path in paths:
        for part in look_over(path, workdir, HEADERS):
            subset.digests.append(part.digest)
            grammar = Grammar(settings.source, part.delimiter)
            plain, lines = _lines(part, settings)
            subset.rows += len(plain)
            subset.numbers = distinct(np.concatenate([subset.numbers, plain]))
            for number, line in lines:
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
    if not subset.items and not len(subset.numbers):
        raise InputError(f"--items: {', '.join(map(str, paths))} lists no item{shown}")
    if subset.rejected > settings.max_bad * subset.rows:
        raise TooManyRejectsError(
            f"--items: {subset.rejected:,} of {subset.rows:,} rows do not parse, more than --max-bad "
            f"{settings.max_bad:g} allows. The first of them:{shown}"
        )
    return subset


def _lines(part: Part, settings: Settings) -> tuple[Ints, list[tuple[int, bytes]]]:
    """(ids of the lines that begin with a plain number, the other lines with their numbers from 1).

    Where the places are asked for, ids may be texts, or there is no swift reader, all lines are others.
    """
    if compiled() is not None and settings.source.digits and not settings.item_geohash:
        with suppress(GiveUpError):
            return _swift(part)
    split = Path(part.path).read_bytes().removeprefix(BOM).split(b"\n")
    return np.zeros(0, dtype=np.int64), [(n, line.removesuffix(b"\r")) for n, line in enumerate(split, 1)]


def _swift(part: Part) -> tuple[Ints, list[tuple[int, bytes]]]:
    ids, odd, before = [np.zeros(0, dtype=np.int64)], list[tuple[int, bytes]](), 0
    fields = [NUMBER, *[SKIP] * (len(first_fields(head(Path(part.path)))[0]) - 1)]
    with Path(part.path).open("rb") as stream:
        blocks = Blocks(stream)
        while (block := blocks.next()) is not None:
            lines = read_lines(block.buffer, block.lines, part.delimiter, fields)
            ids.append(lines.values[0])
            odd += [(before + n + 1, text) for n, text in lines.odd]
            before += lines.count
            blocks.give_back(block)
    return np.concatenate(ids), odd


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
