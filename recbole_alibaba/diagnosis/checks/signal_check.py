"""Do held-out items fit their users? They should co-occur with a user's history more than other users' items do."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from recbole_alibaba.diagnosis.checks.interactions import Interactions, among
from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined

SAMPLE = 1000  # users
LEAST = 200  # held-out pairs, and held-out pairs that co-occur with their user's history
DRAWS = 10  # items that each held-out item is compared with
BEYOND_CHANCE = 0.55  # real logs show 0.59 to 0.71, shuffled ones 0.48 to 0.54


class CoOccurrence(NamedTuple):
    """AUC over the comparisons, number of held-out pairs, and how many of them co-occur with their user's history."""

    auc: float
    pairs: int
    supported: int


def signal(data: Interactions) -> list[Verdict]:
    """2: users' held-out items co-occur with their history more than other users' held-out items do.

    The measure is an AUC of item-item cosine similarity, summed over the history. The items to compare with are other
    users' held-out items: they are equally popular, so popularity does not count. Shuffled labels show 0.5. In a log
    whose items are mostly seen once there are hardly any co-occurrences; then the check gives no judgement.
    """
    held = [part for part in data.held_out if len(part[1])]
    if not held:
        return []
    if data.labelled:
        return [not_examined("population", "no-signal", "labelled")]
    users = np.concatenate([part[1] for part in held])
    items = np.concatenate([part[2] for part in held])
    found = co_occurrence(data, users, items)
    if found.pairs < LEAST:
        return [not_examined("population", "no-signal", "too-few-held-out")]
    if found.supported < LEAST:
        seen = among(items.astype(np.int64), np.unique(data.positive_pairs[1]))
        values = {"pairs": found.pairs, "unseen": 1 - float(seen.mean())}
        few = Finding("signal-unknown", "advice", found.supported, LEAST, values, causes=("signal-unknown",))
        return [judge("population", few, False)]
    finding = Finding("no-signal", "warning", found.auc, BEYOND_CHANCE, causes=("no-signal",))
    return [judge("population", finding, found.auc >= BEYOND_CHANCE)]


def co_occurrence(data: Interactions, users: np.ndarray, items: np.ndarray, draws: int = DRAWS) -> CoOccurrence:
    """Compare held-out pairs (users and items, each (m,)) of up to 1,000 users with items drawn from the same pairs.

    A comparison is left out if neither item co-occurs with the user's history.
    """
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.permutation(np.unique(users))[:SAMPLE])
    kept = np.isin(users, chosen)
    users, items = users[kept], items[kept]
    rows, columns = data.positive_pairs
    ones = np.ones(len(rows))
    history = sp.csr_matrix((ones, (rows, columns)), shape=(data.n_users, data.n_items))
    degree = np.asarray(history.sum(0)).ravel()
    scaled = (history @ sp.diags(1 / np.sqrt(np.maximum(degree, 1)))).tocsr()
    # The cosine of items i and j is scaled_i . scaled_j (columns). Users come first: no items x items matrix is built.
    scores = (history[chosen] @ scaled.T @ scaled).tocsr()
    at = np.searchsorted(chosen, users)
    own_scores = np.asarray(scores[at, items]).ravel()
    own = np.union1d(data.positives, data.keys(users, items))
    wins, compared = 0.0, 0
    for _ in range(draws):
        others = rng.permutation(items)
        other_scores = np.asarray(scores[at, others]).ravel()
        comparable = ~among(data.keys(users, others), own) & ((own_scores > 0) | (other_scores > 0))
        ours, theirs = own_scores[comparable], other_scores[comparable]
        tied = np.isclose(ours, theirs, rtol=1e-9, atol=0)  # items with the same users, up to rounding
        wins += float(((ours > theirs) & ~tied).sum() + 0.5 * tied.sum())
        compared += len(theirs)
    return CoOccurrence(wins / compared if compared else 0.5, len(items), int((own_scores > 0).sum()))
