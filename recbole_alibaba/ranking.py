"""The best k items of many users, from vectors or from blocks of scores, in at most 32 MB of scores at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .lists import Lists

BUFFER_BYTES = 32 << 20
# A tile of scores, 128 users by 16,384 items, is 8 MB: written by the product, read again before it leaves the cache.
TILE_USERS, TILE_ITEMS, GROUP = 128, 16384, 64


def top_k(users: Tensor, items: Tensor, hidden: Lists, k: int) -> Tensor:
    """The k items of largest dot product for each user, best first: int64 (n, k), on the CPU.

    users (n, d), items (n_items, d): vectors on one device. Item 0, RecBole's padding, and the user's `hidden`
    items never come before another item. **Equal scores: the lower item id comes first.**

    Items are taken in tiles that stay in cache. Inside a tile the k best items lie in the k groups of 64 whose best
    item is largest, so only those 64 k scores are sorted, and k of them meet the best k of the tiles before.
    """
    best = torch.empty(len(users), k, dtype=torch.int64)
    for start in range(0, len(users), TILE_USERS):
        block = slice(start, min(start + TILE_USERS, len(users)))
        best[block] = _top_k_of_block(users[block], items, hidden[block], k).cpu()
    return best


def _top_k_of_block(users: Tensor, items: Tensor, hidden: Lists, k: int) -> Tensor:
    order = np.argsort(hidden.items, kind="stable")
    columns, rows = (torch.from_numpy(array[order]).to(users.device) for array in (hidden.items, hidden.rows))
    edges = np.searchsorted(hidden.items[order], range(0, len(items) + TILE_ITEMS, TILE_ITEMS))
    score = users.new_full((len(users), k), -torch.inf)
    # Where fewer than k items are left, the list ends in the padding item.
    item = torch.zeros(len(users), k, dtype=torch.int64, device=users.device)
    for tile, start in enumerate(range(0, len(items), TILE_ITEMS)):
        scores = users @ items[start : start + TILE_ITEMS].T
        mine = slice(edges[tile], edges[tile + 1])
        scores[rows[mine], columns[mine] - start] = -torch.inf
        if start == 0:
            scores[:, 0] = -torch.inf
        found_score, found = _best(scores, k)
        score, item = _merge((score, found_score), (item, found + start), k)
    return item


def _best(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of each row of a tile and where they are, the lower place first among equals."""
    # What is filled up is never chosen: the lists begin with k places of -inf, and those come first.
    scores = F.pad(scores, (0, -scores.shape[1] % GROUP), value=-torch.inf)
    n, width = scores.shape
    groups = width // GROUP
    if groups <= k:
        return _ordered(scores, torch.arange(width, device=scores.device).expand(n, -1), k)
    largest = scores.view(n, groups, GROUP).amax(2)
    # Ties between groups must not decide: take one group more, and see below whether it could matter.
    value, group = largest.topk(k + 1)
    places = (group[:, :k].sort(1).values[:, :, None] * GROUP + torch.arange(GROUP, device=scores.device)).flatten(1)
    score, place = _ordered(scores.gather(1, places), places, k)
    tied = (value[:, k] == score[:, -1]) & (value[:, k] > -torch.inf)
    if tied.any():
        every = torch.arange(width, device=scores.device).expand(int(tied.sum()), -1)
        score[tied], place[tied] = _ordered(scores[tied], every, k)
    return score, place


def _ordered(scores: Tensor, places: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of each row, places ascending among equals; `places` ascends in each row."""
    k = min(k, scores.shape[1])
    value, at = scores.topk(k)
    # topk promises no order among equals and may leave out a lower place at the cut; only then sort it all.
    cut = (scores == value[:, -1:]).sum(1) != (value == value[:, -1:]).sum(1)
    inside = (value[:, 1:] == value[:, :-1]).any(1)
    odd = (cut | inside) & (value[:, 0] > -torch.inf)
    if odd.any():
        value[odd], at[odd] = (part[:, :k] for part in scores[odd].sort(dim=1, descending=True, stable=True))
    return value, places.gather(1, at)


def _merge(scores: tuple[Tensor, Tensor], items: tuple[Tensor, Tensor], k: int) -> tuple[Tensor, Tensor]:
    """The best k of two lists that are in order, the first of lower item ids: a stable sort keeps the rule."""
    value, at = torch.cat(scores, 1).sort(dim=1, descending=True, stable=True)
    return value[:, :k], torch.cat(items, 1).gather(1, at[:, :k])


def rank_by_scores(
    score: Callable[[slice], Tensor], hidden: Lists, positives: Lists, k: int, n_items: int, *, mean_rank: bool
) -> tuple[Tensor, Tensor | None]:
    """The k best items of each user from whole rows of scores, at most 32 MB of them at a time.

    score: the scores (b, n_items) of a slice of the users. Equal scores stand as `torch.topk` leaves them on a whole
    row, which is how RecBole breaks ties. Returns int64 (n, k), and with `mean_rank` (n, 3) in the scores' dtype: the
    sum of the ranks of the positives (1 is best, equals share the mean of their ranks), the number of items that
    are not hidden, the number of positives. Both on the CPU.
    """
    best = torch.empty(len(hidden), k, dtype=torch.int64)
    ranks: list[Tensor] = []
    step = max(BUFFER_BYTES // (4 * n_items), 1)
    for start in range(0, len(hidden), step):
        block = slice(start, min(start + step, len(hidden)))
        scores = score(block)
        scores[:, 0] = -torch.inf
        mine = hidden[block]
        scores[mine.rows, mine.items] = -torch.inf
        best[block] = scores.topk(k).indices.cpu()
        if mean_rank:
            ranks.append(_mean_ranks(scores, positives[block]).cpu())
    return best, torch.cat(ranks) if mean_rank else None


def _mean_ranks(scores: Tensor, positives: Lists) -> Tensor:
    sums = []
    for row, start, stop in zip(scores, positives.start, positives.start[1:], strict=False):
        value = row[positives.items[start:stop]]
        # A few positives against one row: 4 MB of comparisons a million items, freed at once.
        above = torch.stack([(row > one).sum() for one in value]) if len(value) else value
        equal = torch.stack([(row == one).sum() for one in value]) if len(value) else value
        sums.append((above.double() + (equal + 1) / 2).sum())
    shown = (scores > -torch.inf).sum(1)
    lengths = torch.from_numpy(positives.lengths).to(scores.device)
    return torch.stack((torch.stack(sums), shown, lengths), 1).to(scores.dtype)
