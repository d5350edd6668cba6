"""Ten users with what they had and what the model recommends, from the tables that the run has saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dataset_prep.pages.numbers import count
from dataset_prep.pages.parts import Section, Text, table
from recbole_alibaba.run_page.record import Run

USERS, LATEST, LENGTH = 10, 10, 10
HIT = "✓"


def ten_users(run: Run) -> Section | None:
    """Their histories, held-out items and lists; None where the run has no tables.

    The lists are those of the test: they leave out what a user had before it, and a held-out item in them is a hit.

    Raises:
        BadInput: a file of the folder is missing or damaged.
    """
    if "model.safetensors" not in (run.record.get("files") or {}):
        return None
    from recbole_alibaba.recommending.load import load  # it needs torch

    model = load(run.folder)
    pairs = model.history.interactions
    chosen = _chosen(pairs)
    tokens = [str(model.users.texts[user]) for user in chosen]
    lists = model.recommend(tokens, k=min(LENGTH, len(model.items) - 1), history="train").groupby("user")["item"]
    best = {str(user): [str(item) for item in items] for user, items in lists}
    test = pairs["part"].astype(str) == "test"
    rows = []
    for user, token in zip(chosen, tokens, strict=True):
        own = pairs["user"] == user
        had, tested = (_items(model, pairs, some) for some in (own & ~test, own & test))
        shown = [f"{item} {HIT}" if item in set(tested) else item for item in best.get(token, [])]
        rows.append((token, _last(had), _last(tested), ", ".join(shown)))
    last = f"number, and the last {LATEST}"
    head = ("user", f"items before the test: {last}", f"test items: {last}", f"recommended ({HIT}: a test item)")
    explained = (
        "Chosen evenly from the users with test items, from the one with the most interactions to the one with the "
        "fewest. The lists are those of the test."
    )
    listed = table(f"{USERS} users", head, rows, words=range(len(head)))
    return Section(f"Ten users of {run.name}", [Text(explained, "soft"), listed])


def _last(items: list[str]) -> str:
    return f"{count(len(items))}: {', '.join(items[-LATEST:])}"


def _chosen(pairs: Mapping[str, Any]) -> list[int]:
    """Internal ids of users, evenly spaced in the order of their number of interactions."""
    tested = np.unique(pairs["user"][pairs["part"].astype(str) == "test"])
    users = tested if len(tested) else np.unique(pairs["user"])
    degree = np.bincount(pairs["user"], minlength=int(users.max()) + 1)[users]
    order = users[np.lexsort((users, -degree))]
    return [int(order[at]) for at in np.unique(np.linspace(0, len(order) - 1, USERS).round().astype(int))]


def _items(model: Any, pairs: Mapping[str, Any], rows: Any) -> list[str]:
    """Tokens of the items, the oldest first where the data have times."""
    items = pairs["item"][rows]
    if "time" in pairs:
        items = items[np.argsort(pairs["time"][rows], kind="stable")]
    return [str(token) for token in model.items.texts[items]]
