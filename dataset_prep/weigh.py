"""What any choice of behaviours, item subset and thresholds would leave, tried without reading the log again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dataset_prep.core import Codes, Core, Enough, Thresholds, core_of, frontier, strictest_core
from dataset_prep.guards import Remedy
from dataset_prep.peel import count
from dataset_prep.pipeline import INSIDE, UNDATED
from dataset_prep.settings import Settings

DATED = (1 << UNDATED) - 1
EVERYTHING = (1 << (UNDATED + 1)) - 1


@dataclass(frozen=True)
class Pairs:
    """Distinct pairs: codes and, as bits, the slots (see ``pipeline``) each occurs in; n rows of it are to be kept."""

    users: Codes
    items: Codes
    mask: Codes
    n: Codes

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Pairs:
        return cls(arrays["u"], arrays["i"], arrays["mask"], arrays["n"])

    def select(self, bits: int) -> tuple[Codes, Codes]:
        if bits == EVERYTHING:
            return self.users, self.items
        chosen = (self.mask & bits) != 0
        if chosen.all():
            return self.users, self.items
        return self.users[chosen], self.items[chosen]

    def rows_in(self, core: Core) -> int:
        inside = core.users[self.users] & core.items[self.items]
        return int(self.n[inside].sum())


@dataclass(frozen=True)
class Space:
    """Finds cores within one coding of users and items."""

    n_users: int
    n_items: int

    def degrees(self, pairs: tuple[Codes, Codes]) -> tuple[Codes, Codes]:
        """How many partners each user and each item has."""
        return count(pairs[0], self.n_users), count(pairs[1], self.n_items)

    def core(self, pairs: tuple[Codes, Codes], thresholds: Thresholds) -> Core:
        return core_of(*pairs, thresholds, self.n_users, self.n_items)

    def frontier(self, pairs: tuple[Codes, Codes], asked: Thresholds, enough: Enough) -> Iterator[Core]:
        return frontier(*pairs, asked, enough, self.n_users, self.n_items)

    def strictest(self, pairs: tuple[Codes, Codes], asked: Thresholds, enough: Enough) -> Core | None:
        return strictest_core(*pairs, asked, enough, self.n_users, self.n_items)


def slots_of(ranks: Sequence[int], subset_only: bool) -> list[int]:
    return [rank + INSIDE for rank in ranks] + ([] if subset_only else list(ranks))


def bits_of(ranks: Sequence[int], subset_only: bool) -> int:
    return sum(1 << slot for slot in slots_of(ranks, subset_only))


def remedies(
    space: Space, settings: Settings, pairs_of: Callable[[Sequence[int], bool], tuple[Codes, Codes]]
) -> list[Remedy]:
    """Other settings that were tried and leave enough; the smallest change first.

    Tried: lower thresholds, then weaker behaviours added one by one, each also without the item subset; and each
    relaxed to the strictest thresholds that leave enough. pairs_of: (ranks, subset only) -> the pairs the core counts.
    """
    values = [b.value for b in settings.source.behaviors]
    wider = [tuple(settings.ranks)]
    for rank in reversed(range(len(values))):
        if rank not in wider[-1]:
            wider.append(tuple(sorted((*wider[-1], rank))))
    found = []
    for ranks in wider:
        for drop_subset in (False, True) if settings.items else (False,):
            if ranks == wider[0] and not drop_subset and not settings.strict:
                continue  # the conversion itself has just tried this
            core = space.strictest(pairs_of(ranks, not drop_subset), settings.asked, settings.enough)
            if core is not None:
                chosen = ",".join(values[rank] for rank in ranks) if ranks != wider[0] else None
                found.append(
                    Remedy(_options(settings, chosen, drop_subset, core.thresholds), core.size, core.thresholds)
                )
    return found


def _options(settings: Settings, behaviors: str | None, drop_subset: bool, used: Thresholds) -> dict[str, str | None]:
    options: dict[str, str | None] = {}
    if behaviors:
        options["--behaviors"] = behaviors
    if drop_subset:
        options["--all-items"] = None
    if used.user != settings.min_user:
        options["--min-user"] = str(used.user)
    if used.item != settings.min_item:
        options["--min-item"] = str(used.item)
    return options
