"""Do held-out items go with their users at all: better than items of other users, by co-occurrence alone."""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp

from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.subject import Subject, among

SAMPLE = 300  # users
LEAST = 100  # held-out pairs
SIGMAS = 3.0


def signal(subject: Subject) -> list[Verdict]:
    """2: users' held-out items co-occur with their history more than other users' held-out items do.

    The measure is an AUC against items that are as popular (other users' held-out items), so popularity does
    not count; shuffled labels show 0.5. Item-item cosine similarity, summed over the history.
    """
    held = [part for part in subject.held_out if len(part[1])]
    if not held:
        return []
    users = np.concatenate([part[1] for part in held])
    items = np.concatenate([part[2] for part in held])
    auc, count = co_occurrence_auc(subject, users, items)
    if count < LEAST:
        return [not_examined("population", "no-signal", "too-few-held-out")]
    least = 0.5 + SIGMAS * 0.5 / math.sqrt(count)
    return [judge("population", Finding("no-signal", "warning", auc, least, causes=("no-signal",)), auc >= least)]


def co_occurrence_auc(subject: Subject, users: np.ndarray, items: np.ndarray) -> tuple[float, int]:
    """AUC of held-out pairs over popularity-matched ones, and how many pairs were compared."""
    draw = np.random.default_rng(0)
    chosen = draw.permutation(np.unique(users))[:SAMPLE]
    kept = np.isin(users, chosen)
    users, items = users[kept], items[kept]
    others = items[draw.permutation(len(items))]
    positive = np.union1d(subject.positives, subject.keys(users, items))
    fair = ~among(subject.keys(users, others), positive)
    users, items, others = users[fair], items[fair], others[fair]
    if not len(users):
        return 0.5, 0
    rows, columns = np.divmod(subject.positives, subject.n_items)
    ones = np.ones(len(rows), np.float32)
    history = sp.csr_matrix((ones, (rows, columns)), shape=(subject.n_users, subject.n_items))
    degree = np.asarray(history.sum(0)).ravel()
    scaled = (history @ sp.diags(1 / np.sqrt(np.maximum(degree, 1)))).tocsr()
    # sum over j in the history of cos(i, j) = (scaled scaled_u)_i . scaled_i; only the chosen users' rows.
    index = np.searchsorted(np.sort(chosen), users)
    alike = (scaled[np.sort(chosen)] @ scaled.T).tocsr()
    scores = (alike @ scaled).tocsr()
    mine, theirs = (np.asarray(scores[index, which]).ravel() for which in (items, others))
    return float((mine > theirs).mean() + 0.5 * (mine == theirs).mean()), len(users)
