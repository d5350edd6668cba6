"""Do held-out items go with their users at all: better than items of other users, by co-occurrence alone."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.subject import Subject, among

SAMPLE = 1000  # users
LEAST = 200  # held-out pairs
AGAINST = 10  # draws of items to compare each with
BEYOND_CHANCE = 0.53  # real logs show 0.56 to 0.60, shuffled ones 0.50 to 0.52


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
    finding = Finding("no-signal", "warning", auc, BEYOND_CHANCE, causes=("no-signal",))
    return [judge("population", finding, auc >= BEYOND_CHANCE)]


def co_occurrence_auc(subject: Subject, users: np.ndarray, items: np.ndarray) -> tuple[float, int]:
    """AUC of held-out pairs over popularity-matched ones, and how many pairs were compared."""
    draw = np.random.default_rng(0)
    chosen = np.sort(draw.permutation(np.unique(users))[:SAMPLE])
    kept = np.isin(users, chosen)
    users, items = users[kept], items[kept]
    if len(items) < LEAST:
        return 0.5, len(items)
    rows, columns = np.divmod(subject.positives, subject.n_items)
    ones = np.ones(len(rows))
    history = sp.csr_matrix((ones, (rows, columns)), shape=(subject.n_users, subject.n_items))
    degree = np.asarray(history.sum(0)).ravel()
    scaled = (history @ sp.diags(1 / np.sqrt(np.maximum(degree, 1)))).tocsr()
    # The cosine of items i and j is scaled_i . scaled_j (columns); users first, so that no items x items is built.
    scores = (history[chosen] @ scaled.T @ scaled).tocsr()
    at = np.searchsorted(chosen, users)
    mine = np.asarray(scores[at, items]).ravel()
    own = np.union1d(subject.positives, subject.keys(users, items))
    wins, compared = 0.0, 0
    for _ in range(AGAINST):
        others = draw.permutation(items)
        fair = ~among(subject.keys(users, others), own)
        theirs = np.asarray(scores[at[fair], others[fair]]).ravel()
        tied = np.isclose(mine[fair], theirs, rtol=1e-9, atol=0)  # items with the same users, up to rounding
        wins += float(((mine[fair] > theirs) & ~tied).sum() + 0.5 * tied.sum())
        compared += len(theirs)
    return (wins / compared if compared else 0.5), len(items)
