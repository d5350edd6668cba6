"""Are sampled negatives negative, and spread over the items."""

from __future__ import annotations

from typing import Any

import numpy as np

from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.subject import Subject, among, batches

OWNS = 0.9
NARROW = 0.5  # of the distinct items that a uniform draw would show
BATCHES = 10


def negatives(subject: Subject, count: int = BATCHES) -> list[Verdict]:
    """3: no sampled negative is a training positive; their spread; users who own nearly everything."""
    users, items = sampled(subject, count)
    held = [subject.keys(held_users, held_items) for _, held_users, held_items in subject.held_out]
    everything = np.unique(np.concatenate([subject.positives, *held]))
    owned = np.bincount(everything // subject.n_items, minlength=subject.n_users).max(initial=0)
    share = float(owned) / max(subject.n_items - 1, 1)
    owns = judge(
        "negatives",
        Finding("owns-everything", "error" if share >= 1 else "warning", share, OWNS, causes=("owns-everything",)),
        share < OWNS,
    )
    if not len(users):
        return [owns, not_examined("negatives", "sampler-hits-positives", "no-negatives")]
    hits = float(among(subject.keys(users, items), subject.positives).mean())
    n_items = max(subject.n_items - 1, 1)
    expected = n_items * -np.expm1(len(items) * np.log1p(-1 / n_items)) if n_items > 1 else 1.0
    spread = len(np.unique(items)) / expected
    by_popularity = "popularity" in str(subject.settings.get("train_neg_sample_args"))
    return [
        owns,
        judge(
            "negatives",
            Finding("sampler-hits-positives", "error", hits, 0.0, causes=("sampler-hits-positives",)),
            hits == 0,
        ),
        judge(
            "negatives",
            Finding("narrow-negatives", "warning", spread, NARROW, causes=("narrow-negatives",)),
            spread >= NARROW or by_popularity,
        ),
    ]


def sampled(subject: Subject, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Users and their negatives out of the first ``count`` batches."""
    names: Any = subject.model
    users, items = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for batch in batches(subject, count):
        user = batch[names.USER_ID].cpu().numpy()
        if getattr(names, "NEG_ITEM_ID", None) in batch:
            negative = batch[names.NEG_ITEM_ID].cpu().numpy().reshape(len(user), -1)
            users.append(np.repeat(user, negative.shape[1]))
            items.append(negative.ravel())
        elif getattr(names, "LABEL", None) in batch:
            wrong = batch[names.LABEL].cpu().numpy() == 0
            users.append(user[wrong])
            items.append(batch[names.ITEM_ID].cpu().numpy()[wrong])
    return np.concatenate(users), np.concatenate(items)
