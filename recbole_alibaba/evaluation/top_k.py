"""The best k items of many users, from vectors or from blocks of scores, without one large table of scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from recbole_alibaba.data.sorting import stable_argsort
from recbole_alibaba.data.user_lists import UserLists

BUFFER_BYTES = 32 << 20
"""Size of the largest table of float32 scores that `rank_by_scores` asks for."""


@dataclass(frozen=True)
class Tiling:
    """How `top_k` divides the scores.

    Args:
        users, items: the size of a tile. The default, 2 MB, is read again while it is still in the CPU's cache.
        group: the largest score of each `group` neighbouring items is kept.
        span_bytes: tiles of this size together are made before their scores are searched. With larger spans,
            writing the scores takes most of the time.
    """

    users: int = 256
    items: int = 2048
    group: int = 64
    span_bytes: int = 8 << 20


def top_k(users: Tensor, items: Tensor, hidden: UserLists, k: int, *, tiling: Tiling = Tiling()) -> Tensor:
    """The k items of largest dot product for each user, best first: int64 (n, k), on the CPU.

    Item 0 is RecBole's padding. It and the user's `hidden` items never come before another item. Of items with equal
    scores **the lower id comes first**.

    Scores are made tile by tile, and the largest score of each group of items is noted while the tile is in the
    cache. These show which few groups can hold one of a user's k best, and only those groups are read again.

    Args:
        users, items: vectors (n, d) and (n_items, d), on one device.
    """
    best = torch.empty(len(users), k, dtype=torch.int64)
    tiles = max(tiling.span_bytes // (4 * tiling.users * tiling.items), 1)
    shape = min(tiles, -(-len(items) // tiling.items)), min(tiling.users, len(users)), tiling.items
    buffer = users.new_empty(shape)
    for start in range(0, len(users), tiling.users):
        block = slice(start, min(start + tiling.users, len(users)))
        best[block] = _top_k_of_block(users[block], items, hidden[block], k, buffer, tiling.group).cpu()
    return best


def _top_k_of_block(users: Tensor, items: Tensor, hidden: UserLists, k: int, buffer: Tensor, group: int) -> Tensor:
    """`top_k` of the users of one tile; buffer (tiles, users, tile) holds the scores of a span."""
    n, width = len(users), buffer.shape[2]
    span = len(buffer) * width
    scores = buffer.view(-1)[: n * span].view(-1, n, width)
    largest = scores.new_empty(n, len(scores), width // group)
    hide = _Hidden(hidden, len(items), width, users.device)
    score = users.new_full((n, k), -torch.inf)
    # A list of fewer than k items ends in the padding item.
    item = torch.zeros(n, k, dtype=torch.int64, device=users.device)
    for first in range(0, len(items), span):
        starts = range(first, min(first + span, len(items)), width)
        for tile, start in zip(scores, starts, strict=False):
            some = items[start : start + width]
            tile[:, len(some) :] = -torch.inf
            torch.mm(users, some.T, out=tile[:, : len(some)])
            hide(tile, start)
            torch.amax(tile.view(n, -1, group), 2, out=largest[:, (start - first) // width])
        found = largest[:, : len(starts)]
        floor = score[:, -1] if first else _floor(found.flatten(1), k)
        row, found_item, found_score = _above(scores, found, floor, group)
        score, item = _merge(score, item, row, found_item + first, found_score)
    return item


class _Hidden:
    """Sets the scores of hidden items to minus infinity, tile by tile."""

    def __init__(self, hidden: UserLists, n_items: int, width: int, device: torch.device) -> None:
        order = stable_argsort(hidden.items)
        items = hidden.items[order]
        self.width = width
        self.edges = np.searchsorted(items, range(0, n_items + width, width))
        self.places = torch.from_numpy(hidden.rows[order] * width + items % width).to(device)

    def __call__(self, scores: Tensor, start: int) -> None:
        number = start // self.width
        scores.view(-1)[self.places[self.edges[number] : self.edges[number + 1]]] = -torch.inf
        if start == 0:
            scores[:, 0] = -torch.inf


def _floor(largest: Tensor, k: int) -> Tensor:
    """A bound that the k best scores of each row exceed, (n,): just below the k-th of `largest`, of distinct items."""
    if largest.shape[1] < k:
        return largest.new_full((len(largest),), -torch.inf)
    kth = largest.topk(k).values[:, -1]
    return torch.nextafter(kth, kth.new_tensor(-torch.inf))


def _above(scores: Tensor, largest: Tensor, floor: Tensor, group: int) -> tuple[Tensor, Tensor, Tensor]:
    """Row, position in the span, and score of every score above the floor of its row; positions in a row ascend.

    scores (tiles, n, width), largest (n, tiles, groups), floor (n,).
    """
    _, n, width = scores.shape
    row, tile, number = (largest > floor[:, None, None]).nonzero(as_tuple=True)
    some = scores.view(-1, group)[(tile * n + row) * (width // group) + number]
    at, place = (some > floor[row, None]).nonzero(as_tuple=True)
    return row[at], (tile * width + number * group)[at] + place, some[at, place]


def _merge(score: Tensor, item: Tensor, row: Tensor, new_item: Tensor, new_score: Tensor) -> tuple[Tensor, Tensor]:
    """The best k of (n, k) and of new items with higher ids; `row` ascends, and so do the ids of a row."""
    n, k = score.shape
    count = torch.bincount(row, minlength=n)
    place = k + torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
    width = int(count.max())
    scores, items = F.pad(score, (0, width), value=-torch.inf), F.pad(item, (0, width))
    scores[row, place], items[row, place] = new_score, new_item
    best, at = largest(scores, k)
    return best, items.gather(1, at)


def largest(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of each row and their positions; of equal scores the first position comes first."""
    value, at = scores.topk(k)
    # topk promises no order among equal scores, and may leave out the first of them at the cut. Then the row is sorted.
    cut = (scores == value[:, -1:]).sum(1) != (value == value[:, -1:]).sum(1)
    inside = (value[:, 1:] == value[:, :-1]).any(1)
    tied = (cut | inside) & (value[:, 0] > -torch.inf)
    if tied.any():
        value[tied], at[tied] = (part[:, :k] for part in scores[tied].sort(dim=1, descending=True, stable=True))
    return value, at


def rank_by_scores(
    score: Callable[[slice], Tensor],
    hidden: UserLists,
    positives: UserLists,
    k: int,
    n_items: int,
    *,
    mean_rank: bool,
    buffer_bytes: int = BUFFER_BYTES,
) -> tuple[Tensor, Tensor | None]:
    """The k best items of each user from whole rows of scores.

    Equal scores are in the order in which `torch.topk` leaves them on a whole row, as in RecBole.

    Args:
        score: returns the scores (b, n_items) of a slice of the users.
        mean_rank: whether the ranks of the positives are needed.
        buffer_bytes: the size of a block of float32 scores; a block has at least one user.

    Returns:
        The items, int64 (n, k), on the CPU. With `mean_rank` also (n, 3), in the dtype of the scores: the sum of the
        ranks of the positives (1 is best, equal scores share the mean of their ranks), the number of items that are
        not hidden, the number of positives.
    """
    best = torch.empty(len(hidden), k, dtype=torch.int64)
    ranks: list[Tensor] = []
    step = max(buffer_bytes // (4 * n_items), 1)
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


def _mean_ranks(scores: Tensor, positives: UserLists) -> Tensor:
    sums = []
    for row, start, stop in zip(scores, positives.start, positives.start[1:], strict=False):
        value = row[positives.items[start:stop]]
        # One positive at a time: a million items need 1 MB of comparisons, freed at once.
        above = torch.stack([(row > one).sum() for one in value]) if len(value) else value
        equal = torch.stack([(row == one).sum() for one in value]) if len(value) else value
        sums.append((above.double() + (equal + 1) / 2).sum())
    shown = (scores > -torch.inf).sum(1)
    lengths = torch.from_numpy(positives.lengths).to(scores.device)
    return torch.stack((torch.stack(sums), shown, lengths), 1).to(scores.dtype)
