"""Is there enough to learn from: interactions, users, items, and how they are spread."""

from __future__ import annotations

import numpy as np

from recbole_alibaba.diagnosis.causes import explained
from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.subject import Subject, among

INTERACTIONS, USERS, ITEMS = 1000, 50, 50
ONCE = 0.5
DOMINATES = 0.25
STRANGERS = 0.5


def interactions(subject: Subject) -> list[Verdict]:
    """1: at least 1,000 distinct training pairs after splitting, and something held out to validate on."""
    count = len(subject.positives)
    few = Finding(
        "thin-data", "warning" if count >= INTERACTIONS // 2 else "error", count, INTERACTIONS, causes=("thin-data",)
    )
    held = min((len(users) for _, users, _ in subject.held_out), default=0)
    nothing = Finding("nothing-held-out", "error", held, 1, causes=("nothing-held-out",))
    return [judge("interactions", few, count >= INTERACTIONS), judge("interactions", nothing, held > 0)]


def population(subject: Subject) -> list[Verdict]:
    """2: at least 50 users and items that occur in training, not all seen once, none with a quarter of the rows."""
    users, items = np.divmod(subject.positives, subject.n_items)
    user_degree, item_degree = np.bincount(users), np.bincount(items)
    n_users, n_items = int((user_degree > 0).sum()), int((item_degree > 0).sum())
    pairs = max(len(users), 1)
    density = pairs / max(n_users * n_items, 1)
    once = float((user_degree == 1).sum()) / max(n_users, 1)
    item_once = float((item_degree == 1).sum()) / max(n_items, 1)
    largest = float(user_degree.max(initial=0)) / pairs
    return [
        judge("population", Finding("few-users", "warning", n_users, USERS, causes=("thin-data",)), n_users >= USERS),
        judge("population", Finding("few-items", "warning", n_items, ITEMS, causes=("thin-data",)), n_items >= ITEMS),
        Verdict("population", "density", density, 0.0),
        Verdict("population", "items-seen-once", item_once, 1.0),
        judge(
            "population",
            Finding("users-seen-once", "warning", once, ONCE, causes=("users-seen-once", "thin-data")),
            once <= ONCE,
        ),
        judge(
            "population",
            Finding("one-user-dominates", "warning", largest, DOMINATES, causes=("one-user-dominates",)),
            largest <= DOMINATES or n_users < 2,
        ),
    ]


def swapped(users: set[str], items: set[str], described: set[str]) -> tuple[Finding, bool]:
    """Whether the ids of the item features are the log's users and not its items, and the finding if so."""
    share = len(users & described) / max(len(users), 1)
    finding = Finding("columns-swapped", "error", share, STRANGERS, causes=("columns-swapped",))
    return finding, share < STRANGERS or len(items & described) >= STRANGERS * len(items)


def leaks(subject: Subject) -> list[Verdict]:
    """2: no (user, item) pair stands both in training and in what is held out, unless repeats are the task."""
    if subject.settings.get("repeatable"):
        return [not_examined("population", "repeats-leak", "repeats-are-the-task")]
    held = [subject.keys(users, items) for _, users, items in subject.held_out if len(users)]
    if not held:
        return []
    shares = [float(among(keys, subject.positives).mean()) for keys in held]
    leak = Finding("repeats-leak", "error", max(shares), 0.0, **explained(("repeats-leak",), subject.settings))
    return [judge("population", leak, max(shares) == 0)]
