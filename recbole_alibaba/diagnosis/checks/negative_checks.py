"""Are the sampled negatives negative, and spread over the items?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recbole_alibaba.diagnosis.checks.interactions import Interactions, among
from recbole_alibaba.diagnosis.checks.model_access import first_batches
from recbole_alibaba.diagnosis.findings import Finding, Severity, Verdict, judge, not_examined

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

OWNS = 0.9  # share of the items
NARROW = 0.5  # of the distinct items that a uniform draw shows
BATCHES = 10


def negatives(experiment: Experiment, data: Interactions, count: int = BATCHES) -> list[Verdict]:
    """3: no sampled negative is a training positive, negatives are spread, and no user owns nearly all items."""
    users, items = sampled(experiment, count)
    held = [data.keys(held_users, held_items) for _, held_users, held_items in data.held_out]
    everything = np.unique(np.concatenate([data.positives, *held]))
    n_items = max(data.n_items - 1, 1)
    owned = np.bincount(everything // data.n_items, minlength=data.n_users).max(initial=0)
    share = float(owned) / n_items
    severity: Severity = "error" if share >= 1 else "warning"
    owner = Finding("owns-everything", severity, share, OWNS, causes=("owns-everything",))
    owns = judge("negatives", owner, share < OWNS)
    if not len(users):
        return [owns, not_examined("negatives", "sampler-hits-positives", "no-negatives")]
    hits = float(among(data.keys(users, items), data.positives).mean())
    expected = n_items * -np.expm1(len(items) * np.log1p(-1 / n_items)) if n_items > 1 else 1.0
    spread = len(np.unique(items)) / expected
    by_popularity = "popularity" in str(experiment.settings.get("train_neg_sample_args"))
    positive = Finding("sampler-hits-positives", "error", hits, 0.0, causes=("sampler-hits-positives",))
    narrow = Finding("narrow-negatives", "warning", spread, NARROW, causes=("narrow-negatives",))
    return [
        owns,
        judge("negatives", positive, hits == 0),
        judge("negatives", narrow, spread >= NARROW or by_popularity),
    ]


def sampled(experiment: Experiment, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Users and their sampled negatives in the first ``count`` batches; empty where none are sampled."""
    users, items = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    user, item = experiment.dataset.uid_field, experiment.dataset.iid_field
    negative, label = (getattr(experiment.model, name, None) for name in ("NEG_ITEM_ID", "LABEL"))
    asked = experiment.settings.get("train_neg_sample_args") or {}
    draws = asked.get("distribution") != "none"  # where none are drawn, label 0 stands in the log
    for batch in first_batches(experiment, count) if draws else ():
        if user in batch and negative in batch:
            owner = batch[user].cpu().numpy()
            drawn = batch[negative].cpu().numpy().reshape(len(owner), -1)
            users.append(np.repeat(owner, drawn.shape[1]))
            items.append(drawn.ravel())
        elif user in batch and item in batch and label in batch:
            wrong = batch[label].cpu().numpy() == 0
            users.append(batch[user].cpu().numpy()[wrong])
            items.append(batch[item].cpu().numpy()[wrong])
    return np.concatenate(users), np.concatenate(items)
