"""Other settings for a log that is too thin: each was tried on its data and leaves enough."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dataset_prep.pairs.core import Codes, Size, Thresholds
from dataset_prep.pairs.funnel import describe
from dataset_prep.pairs.table import Pairs
from dataset_prep.settings import Settings


@dataclass(frozen=True)
class Remedy:
    """Options to add to the command, and what they left."""

    options: dict[str, str | None]
    size: Size
    thresholds: Thresholds

    @property
    def command_line(self) -> str:
        """Ready to be added to the command that failed. Of an option given twice the last one counts."""
        words: list[str] = []
        for option, value in self.options.items():
            words += [option] if value is None else [option, shlex.quote(value)]
        return " ".join(words)

    def __str__(self) -> str:
        return f"{self.command_line}   leaves {describe(self.size)}"


def remedies(
    pairs: Pairs, settings: Settings, pairs_of: Callable[[Sequence[int], bool], tuple[Codes, Codes]]
) -> list[Remedy]:
    """The remedies, the smallest change first.

    Lower thresholds are tried first, then weaker behaviours added one by one, each also without the item subset. Each
    choice gets the strictest thresholds that leave enough.

    Args:
        pairs: of the whole log.
        pairs_of: (ranks, subset only) -> the pairs whose core counts.
    """
    values = [b.value for b in settings.source.behaviors]
    wider = [tuple(settings.ranks)]
    for rank in reversed(range(len(values))):
        if rank not in wider[-1]:
            wider.append(tuple(sorted((*wider[-1], rank))))
    found = []
    for ranks in wider:
        for all_items in (False, True) if settings.items else (False,):
            if ranks == wider[0] and not all_items and not settings.strict:
                continue  # the conversion itself has tried this
            core = pairs.strictest(pairs_of(ranks, not all_items), settings.asked, settings.enough)
            if core is not None:
                chosen = ",".join(values[rank] for rank in ranks) if ranks != wider[0] else None
                found.append(Remedy(_options(settings, chosen, all_items, core.thresholds), core.size, core.thresholds))
    return found


def _options(settings: Settings, behaviors: str | None, all_items: bool, used: Thresholds) -> dict[str, str | None]:
    options: dict[str, str | None] = {}
    if behaviors:
        options["--behaviors"] = behaviors
    if all_items:
        options["--all-items"] = None
    if used.user != settings.min_user:
        options["--min-user"] = str(used.user)
    if used.item != settings.min_item:
        options["--min-item"] = str(used.item)
    return options
