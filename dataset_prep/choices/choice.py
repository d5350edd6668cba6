"""Which core of these rows is enough to learn from?"""

from __future__ import annotations

from typing import NamedTuple

from dataset_prep.choices.heldout import HeldOut, held_out
from dataset_prep.pairs.core import Codes, Core, Enough, Thresholds
from dataset_prep.pairs.kept import Rows, in_order
from dataset_prep.pairs.split import TRAIN, PartOf
from dataset_prep.pairs.table import Pairs
from dataset_prep.settings import Settings


class Judged(NamedTuple):
    """A core, its rows in order, the part of each row where a split was asked for, and what is held out."""

    core: Core
    rows: Rows
    part: PartOf | None
    held: HeldOut


def judge(settings: Settings, core: Core, rows: Rows, whole_parts: PartOf | None = None) -> Judged:
    """What a core leaves of the rows that the filters left.

    Args:
        whole_parts: the part of each row, if the core is that of training; validation and test then stay whole.
    """
    timed = settings.source.timed
    if whole_parts is not None:
        stays = rows.inside(core) | (whole_parts != TRAIN)
        kept, part = rows.where(stays), whole_parts[stays]
        return Judged(core, kept, part, held_out(kept, timed, settings.cut, part))
    kept = in_order(rows.where(rows.inside(core)))
    part = settings.cut.part_of(kept) if settings.cut else None
    return Judged(core, kept, part, held_out(kept, timed, settings.cut))


def strictest(
    settings: Settings,
    space: Pairs,
    pairs: tuple[Codes, Codes],
    rows: Rows,
    asked: Thresholds,
    whole_parts: PartOf | None = None,
    enough: Enough | None = None,
) -> Judged | None:
    """The core of the strictest thresholds, from *asked* down to (1, 1), that is enough; None where none is.

    Args:
        enough: None for what the settings call so.
    """
    enough = enough or settings.enough
    found: list[Judged] = []

    def accept(core: Core) -> bool:
        found[:] = [judge(settings, core, rows, whole_parts)]
        return not found[0].held.lacks(enough)

    return found[0] if space.strictest(pairs, asked, enough, accept) is not None else None
