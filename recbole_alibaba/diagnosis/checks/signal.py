"""Do held-out items go with their users at all: better than items of other users, by co-occurrence alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.subject import Subject, among

SAMPLE = 1000  # users
LEAST = 200  # held-out pairs, and of these the ones with something to count
AGAINST = 10  # draws of items to compare each with
BEYOND_CHANCE = 0.55  # real logs show 0.59 to 0.71, shuffled ones 0.48 to 0.54


class CoOccurrence(NamedTuple):
    """AUC over the comparisons that can be told; held-out pairs, and how many co-occur with their user's history."""

    auc: float
    pairs: int
    supported: int


def signal(subject: Subject) -> list[Verdict]:
    """2: users' held-out items co-occur with their history more than other users' held-out items do.

    The measure is an AUC against items that are as popular (other users' held-out items), so popularity does
    not count; shuffled labels show 0.5. Item-item cosine similarity, summed over the history. In a log whose items
    are mostly seen once there is next to nothing to count; then nothing is said about the labels.
    """
    held = [part for part in subject.held_out if len(part[1])]
    if not held:
        return []
    users = np.concatenate([part[1] for part in held])
    items = np.concatenate([part[2] for part in held])
    found = co_occurrence(subject, users, items)
    if found.pairs < LEAST:
        return [not_examined("population", "no-signal", "too-few-held-out")]
    if found.supported < LEAST:
        seen = among(items.astype(np.int64), np.unique(subject.positives % subject.n_items))
        values = {"pairs": found.pairs, "unseen": 1 - float(seen.mean())}
        few = Finding("signal-unknown", "advice", found.supported, LEAST, values, causes=("signal-unknown",))
        return [judge("population", few, False)]
    finding = Finding("no-signal", "warning", found.auc, BEYOND_CHANCE, causes=("no-signal",))
    return [judge("population", finding, found.auc >= BEYOND_CHANCE)]


def co_occurrence(subject: Subject, users: np.ndarray, items: np.ndarray) -> CoOccurrence:
    """Held-out pairs (users and items, each (m,)) against popularity-matched ones, of up to 1,000 users.

    Two items of which neither co-occurs with the user's history tell nothing: such a comparison is left out.
    """
    draw = np.random.default_rng(0)
    chosen = np.sort(draw.permutation(np.unique(users))[:SAMPLE])
    kept = np.isin(users, chosen)
    users, items = users[kept], items[kept]
    if len(items) < LEAST:
        return CoOccurrence(0.5, len(items), 0)
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
        theirs = np.asarray(scores[at, others]).ravel()
        told = ~among(subject.keys(users, others), own) & ((mine > 0) | (theirs > 0))
        ours, theirs = mine[told], theirs[told]
        tied = np.isclose(ours, theirs, rtol=1e-9, atol=0)  # items with the same users, up to rounding
        wins += float(((ours > theirs) & ~tied).sum() + 0.5 * tied.sum())
        compared += len(theirs)
    return CoOccurrence(wins / compared if compared else 0.5, len(items), int((mine > 0).sum()))
