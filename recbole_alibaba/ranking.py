"""The best k items of many users, from vectors or from blocks of scores, in at most 32 MB of scores at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .lists import Lists
from .order import stable_order

BUFFER_BYTES = 32 << 20
# What is looked through at once: with more of it in turn, writing scores is what takes the time.
SPAN_BYTES = 8 << 20
# Scores are made in tiles of 256 users by 2,048 items, 2 MB, and looked through before they leave the cache.
USERS, TILE, GROUP = 256, 2048, 64


def top_k(users: Tensor, items: Tensor, hidden: Lists, k: int) -> Tensor:
    """The k items of largest dot product for each user, best first: int64 (n, k), on the CPU.

    users (n, d), items (n_items, d): vectors on one device. Item 0, RecBole's padding, and the user's `hidden`
    items never come before another item. **Equal scores: the lower item id comes first.**

    Items are taken in spans of a few tiles. While a tile is in cache, the largest score of each
    64 is noted; that shows which few groups can hold one of a user's k best, and only these are read again.
    """
    best = torch.empty(len(users), k, dtype=torch.int64)
    tiles = max(SPAN_BYTES // (4 * USERS * TILE), 1)
    buffer = users.new_empty(min(tiles, -(-len(items) // TILE)), min(USERS, len(users)), TILE)
    for start in range(0, len(users), USERS):
        block = slice(start, min(start + USERS, len(users)))
        best[block] = _top_k_of_block(users[block], items, hidden[block], k, buffer).cpu()
    return best


def _top_k_of_block(users: Tensor, items: Tensor, hidden: Lists, k: int, buffer: Tensor) -> Tensor:
    n, span = len(users), len(buffer) * TILE
    scores = buffer.view(-1)[: n * span].view(-1, n, TILE)
    largest = scores.new_empty(n, len(scores), TILE // GROUP)
    hide = _Hidden(hidden, len(items), users.device)
    score = users.new_full((n, k), -torch.inf)
    # Where fewer than k items are left, the list ends in the padding item.
    item = torch.zeros(n, k, dtype=torch.int64, device=users.device)
    for first in range(0, len(items), span):
        starts = range(first, min(first + span, len(items)), TILE)
        for tile, start in zip(scores, starts, strict=False):
            some = items[start : start + TILE]
            tile[:, len(some) :] = -torch.inf
            torch.mm(users, some.T, out=tile[:, : len(some)])
            hide(tile, start)
            torch.amax(tile.view(n, -1, GROUP), 2, out=largest[:, (start - first) // TILE])
        found = largest[:, : len(starts)]
        floor = score[:, -1] if first else _floor(found.flatten(1), k)
        row, found_item, found_score = _above(scores, found, floor)
        score, item = _merge(score, item, row, found_item + first, found_score)
    return item


class _Hidden:
    """Writes minus infinity over what a user must not be shown, a tile at a time."""

    def __init__(self, hidden: Lists, n_items: int, device: torch.device) -> None:
        order = stable_order(hidden.items)
        items = hidden.items[order]
        self.edges = np.searchsorted(items, range(0, n_items + TILE, TILE))
        self.places = torch.from_numpy(hidden.rows[order] * TILE + items % TILE).to(device)

    def __call__(self, scores: Tensor, start: int) -> None:
        number = start // TILE
        scores.view(-1)[self.places[self.edges[number] : self.edges[number + 1]]] = -torch.inf
        if start == 0:
            scores[:, 0] = -torch.inf


def _floor(largest: Tensor, k: int) -> Tensor:
    """What the k best of each row exceed, (n,): the number below the k-th of `largest`, of distinct items."""
    if largest.shape[1] < k:
        return largest.new_full((len(largest),), -torch.inf)
    kth = largest.topk(k).values[:, -1]
    return torch.nextafter(kth, kth.new_tensor(-torch.inf))


def _above(scores: Tensor, largest: Tensor, floor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Row, place in the span, and score of everything above its row's floor; in a row, places ascend.

    scores (tiles, n, width), largest (n, tiles, groups), floor (n,).
    """
    _, n, width = scores.shape
    row, tile, group = (largest > floor[:, None, None]).nonzero(as_tuple=True)
    some = scores.view(-1, GROUP)[(tile * n + row) * (width // GROUP) + group]
    at, place = (some > floor[row, None]).nonzero(as_tuple=True)
    return row[at], (tile * width + group * GROUP)[at] + place, some[at, place]


def _merge(score: Tensor, item: Tensor, row: Tensor, new_item: Tensor, new_score: Tensor) -> tuple[Tensor, Tensor]:
    """The best k of (n, k) and of new items of higher ids; rows ascend, and in a row the ids."""
    n, k = score.shape
    count = torch.bincount(row, minlength=n)
    place = k + torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
    width = int(count.max())
    scores, items = F.pad(score, (0, width), value=-torch.inf), F.pad(item, (0, width))
    scores[row, place], items[row, place] = new_score, new_item
    best, at = _ordered(scores, k)
    return best, items.gather(1, at)


def _ordered(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of each row and where they are, the first place first among equals."""
    value, at = scores.topk(k)
    # topk promises no order among equals and may leave out the first of them at the cut; only then sort it all.
    cut = (scores == value[:, -1:]).sum(1) != (value == value[:, -1:]).sum(1)
    inside = (value[:, 1:] == value[:, :-1]).any(1)
    odd = (cut | inside) & (value[:, 0] > -torch.inf)
    if odd.any():
        value[odd], at[odd] = (part[:, :k] for part in scores[odd].sort(dim=1, descending=True, stable=True))
    return value, at


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
