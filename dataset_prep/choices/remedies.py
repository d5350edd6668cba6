"""Other settings for a log that is too thin: each was tried on its data and leaves enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dataset_prep.choices.choice import Judged, strictest
from dataset_prep.pairs.core import Size, Thresholds
from dataset_prep.pairs.funnel import describe
from dataset_prep.pairs.kept import choice_rows, in_order
from dataset_prep.pairs.split import PARTS, TRAIN, cold_rows
from dataset_prep.pairs.table import Table
from dataset_prep.settings import Settings

STRICTEST = Thresholds(5, 5)
"""Thresholds above those asked for are tried, too: of 80/10/10 a user needs four rows to keep two for training."""
Options = dict[str, str | int | None]


@dataclass(frozen=True)
class Remedy:
    """Options of ``convert`` to change (None: to leave out), what they leave, and the whole command."""

    options: Options
    size: Size
    thresholds: Thresholds
    command: str

    def __str__(self) -> str:
        return f"{self.command}   leaves {describe(self.size)}"


def remedies(whole: Table, settings: Settings, already: Options | None = None) -> list[Remedy]:
    """The remedies, the smallest change first.

    Other thresholds are tried first, then weaker behaviours added one by one, each also without the item subset. Each
    choice gets the strictest thresholds that leave enough, not above those asked for if lower ones do.

    Args:
        whole: the log with the rows of every behaviour.
        already: what was changed already to read it so.
    """
    found = []
    for ranks, changes in _choices(settings):
        judged = try_choice(whole, settings, ranks, "items" not in changes)
        if judged is not None:
            changes = (already or {}) | changes | _thresholds(settings, judged.core.thresholds)
            command = settings.command_line(changes)
            found.append(Remedy(changes, judged.core.size, judged.core.thresholds, command))
    return found


def _choices(settings: Settings) -> Iterator[tuple[list[int], Options]]:
    values = [b.value for b in settings.source.behaviors]
    ranks = settings.ranks
    while True:
        chosen: Options = {"behaviors": ",".join(values[r] for r in ranks)} if ranks != settings.ranks else {}
        yield ranks, chosen
        if settings.items and not settings.item_geohash:
            yield ranks, chosen | {"items": None}
        missing = [rank for rank in range(len(values)) if rank not in ranks]
        if not missing:
            return
        ranks = sorted([*ranks, missing[-1]])


def try_choice(whole: Table, settings: Settings, ranks: Sequence[int], subset_only: bool) -> Judged | None:
    """The best core of another choice of behaviours and items; None where none is enough."""
    rows = choice_rows(whole, ranks, subset_only, settings.protocol)
    part, counted = None, rows
    if settings.core_on == "train" and settings.cut is not None:
        rows = in_order(rows)
        part = settings.cut.part_of(rows)
        counted = rows.where(part == TRAIN)
    pairs, above = counted.pairs(), Thresholds(*(max(two) for two in zip(settings.asked, STRICTEST, strict=True)))
    for asked in (settings.asked, above):
        judged = strictest(settings, whole.pairs, pairs, rows, asked, part)
        if judged is not None and not _has_empty_part(judged, settings):
            return judged
    return None


def _has_empty_part(judged: Judged, settings: Settings) -> bool:
    """Whether the conversion would refuse the split that was asked for."""
    if judged.part is None:
        return False
    stays = ~cold_rows(judged.rows, judged.part).either if settings.cold == "drop" else np.ones(len(judged.part), bool)
    return len(np.unique(judged.part[stays])) < len(PARTS)


def _thresholds(settings: Settings, used: Thresholds) -> Options:
    pairs = (("min_user", used.user, settings.min_user), ("min_item", used.item, settings.min_item))
    return {option: value for option, value, asked in pairs if value != asked}
