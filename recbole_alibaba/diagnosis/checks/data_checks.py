"""Is there enough to learn from? Interactions, users, items, and how they are spread."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from recbole_alibaba.diagnosis.causes.evidence import explained
from recbole_alibaba.diagnosis.checks.interactions import Interactions, among
from recbole_alibaba.diagnosis.findings import Finding, Severity, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.readings import Settings

if TYPE_CHECKING:
    from dataset_prep.pairs.core import Enough

ONCE = 0.5  # share of the users
DOMINATES = 0.25  # share of the pairs
PARTS_OF = 20  # training pairs for one held-out row, as in the converter
STRANGERS = 0.5  # share of the users, or of the items


@cache
def enough() -> Enough:
    """The least pairs, users and items to learn from: the converter's defaults (1,000, 50 and 50)."""
    from dataset_prep.pairs.core import Enough

    return Enough()


def thin_data(pairs: int, severity: Severity) -> Finding:
    """The finding that there are too few distinct training pairs."""
    return Finding("thin-data", severity, pairs, enough().pairs, causes=("thin-data",))


def amounts(data: Interactions) -> list[Verdict]:
    """1: enough distinct training pairs after splitting, and held-out rows that training can predict."""
    # The converter counts the pairs before the split.
    held_keys = [data.keys(users, items) for _, users, items in data.held_out]
    count, least = len(np.unique(np.concatenate([data.positives, *held_keys]))), enough().pairs
    few = thin_data(count, "warning" if count >= least // 2 else "error")
    held = min((len(users) for _, users, _ in data.held_out), default=0)
    verdicts = [judge("interactions", few, count >= least), judge("interactions", nothing_held_out(held), held > 0)]
    if not held:
        return verdicts
    if data.labelled:
        return [*verdicts, not_examined("interactions", "held-out-unknown", "labelled")]
    share, known = 1 - enough().known, min(int(data.known(*part[1:]).sum()) for part in data.held_out)
    unknown = Finding("held-out-unknown", "warning", data.unknown, share, causes=("held-out-unknown",))
    small = Finding("held-out-few", "warning", known, least // PARTS_OF, causes=("held-out-few",))
    return [
        *verdicts,
        judge("interactions", unknown, data.unknown <= share),
        judge("interactions", small, known >= least // PARTS_OF),
    ]


def nothing_held_out(rows: int) -> Finding:
    """The finding that a held-out part is empty."""
    return Finding("nothing-held-out", "error", rows, 1, causes=("nothing-held-out",))


def population(data: Interactions) -> list[Verdict]:
    """2: enough users and items in training, not most users with one pair, no user with a quarter of the pairs."""
    users, items = data.positive_pairs
    user_degree, item_degree = np.bincount(users), np.bincount(items)
    n_users, n_items = int((user_degree > 0).sum()), int((item_degree > 0).sum())
    pairs, least = max(len(users), 1), enough()
    density = pairs / max(n_users * n_items, 1)
    once = float((user_degree == 1).sum()) / max(n_users, 1)
    item_once = float((item_degree == 1).sum()) / max(n_items, 1)
    largest = float(user_degree.max(initial=0)) / pairs
    few_users = Finding("few-users", "warning", n_users, least.users, causes=("thin-data",))
    few_items = Finding("few-items", "warning", n_items, least.items, causes=("thin-data",))
    seen_once = Finding("users-seen-once", "warning", once, ONCE, causes=("users-seen-once",))
    dominates = Finding("one-user-dominates", "warning", largest, DOMINATES, causes=("one-user-dominates",))
    return [
        judge("population", few_users, n_users >= least.users),
        judge("population", few_items, n_items >= least.items),
        Verdict("population", "density", density, 0.0),
        Verdict("population", "items-seen-once", item_once, 1.0),
        judge("population", seen_once, once <= ONCE),
        judge("population", dominates, largest <= DOMINATES or n_users < 2),
    ]


def swapped(users: set[str], items: set[str], described: set[str]) -> tuple[Finding, bool]:
    """Compare the log's ids with those of the item features (``described``).

    Returns:
        The finding that the user and item columns are swapped, and whether all is well.
    """
    share = len(users & described) / max(len(users), 1)
    finding = Finding("columns-swapped", "error", share, STRANGERS, causes=("columns-swapped",))
    return finding, share < STRANGERS or len(items & described) >= STRANGERS * len(items)


def leaks(data: Interactions, settings: Settings) -> list[Verdict]:
    """2: no held-out pair is in training too, unless ``repeatable`` is on."""
    if settings.get("repeatable"):
        return [not_examined("population", "repeats-leak", "repeats-are-the-task")]
    held = [data.keys(users, items) for _, users, items in data.held_out if len(users)]
    if not held:
        return []
    share = max(float(among(keys, data.positives).mean()) for keys in held)
    leak = Finding("repeats-leak", "error", share, 0.0, **explained(("repeats-leak",), settings))
    return [judge("population", leak, share == 0)]
