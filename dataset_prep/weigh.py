"""What any choice of behaviours, item subset and thresholds would leave, from one table of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dataset_prep.core import Codes, Core, Enough, Thresholds, core_of, strictest_core
from dataset_prep.guards import Remedy
from dataset_prep.pipeline import INSIDE, UNDATED
from dataset_prep.settings import Settings


@dataclass(frozen=True)
class Pairs:
    """Every distinct pair of the log: codes and, as bits, the slots (see ``pipeline``) it occurs in."""

    users: Codes
    items: Codes
    mask: Codes
    n_users: int
    n_items: int

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], n_users: int, n_items: int) -> Pairs:
        return cls(arrays["u"], arrays["i"], arrays["mask"], n_users, n_items)

    def select(self, bits: int) -> tuple[Codes, Codes]:
        chosen = (self.mask & bits) != 0
        return self.users[chosen], self.items[chosen]

    def core(self, bits: int, thresholds: Thresholds) -> Core:
        return core_of(*self.select(bits), thresholds, self.n_users, self.n_items)

    def strictest(self, bits: int, asked: Thresholds, enough: Enough) -> Core | None:
        return strictest_core(*self.select(bits), asked, enough, self.n_users, self.n_items)


def dated_bits() -> int:
    return (1 << UNDATED) - 1


def bits_of(ranks: Sequence[int], subset_only: bool) -> int:
    inside = sum(1 << (rank + INSIDE) for rank in ranks)
    return inside if subset_only else inside | sum(1 << rank for rank in ranks)


def remedies(pairs: Pairs, settings: Settings) -> list[Remedy]:
    """Other settings that were tried on the pairs and leave enough; the smallest change first.

    Tried: lower thresholds, then weaker behaviours added one by one, each also without the item subset. Every one
    is relaxed to the strictest thresholds that leave enough.
    """
    values = [b.value for b in settings.source.behaviors]
    wider = [tuple(settings.ranks)]
    for rank in reversed(range(len(values))):
        if rank not in wider[-1]:
            wider.append(tuple(sorted((*wider[-1], rank))))
    found = []
    for ranks in wider:
        for drop_subset in (False, True) if settings.items else (False,):
            unchanged = ranks == wider[0] and not drop_subset
            if unchanged and not settings.strict:
                continue
            core = pairs.strictest(bits_of(ranks, not drop_subset), settings.asked, settings.enough)
            if core is None:
                continue
            options: dict[str, str | None] = {}
            if ranks != wider[0]:
                options["--behaviors"] = ",".join(values[rank] for rank in ranks)
            if drop_subset:
                options["--all-items"] = None
            user, item = core.thresholds
            if user != settings.min_user:
                options["--min-user"] = str(user)
            if item != settings.min_item:
                options["--min-item"] = str(item)
            found.append(Remedy(options, core.size, core.thresholds))
    return found
