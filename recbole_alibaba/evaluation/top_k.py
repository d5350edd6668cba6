"""The best k items of many users, from vectors or from blocks of scores, without one large table of scores."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dataset_prep.machine import address, library
from recbole_alibaba.data.sorting import stable_argsort
from recbole_alibaba.data.user_lists import UserLists

BUFFER_BYTES = 32 << 20
"""Size of the largest table of float32 scores that `rank_by_scores` asks for."""
GPU_SCORES = 1 << 26
"""Scores in a tile on a GPU: 256 MB, and twice that as sorted keys."""
FEWEST_USERS = 32
"""Fewer users are not divided between threads: then torch divides the items of a product."""
SOURCE = str(Path(__file__).with_suffix(".c"))


@dataclass(frozen=True)
class Tiling:
    """How `top_k` divides the scores.

    Args:
        users, items: of a tile. The default, 1.5 MB, is still in the cache of the CPU that made it.
        group: torch looks for the largest score of each `group` neighbouring items first.
    """

    users: int = 512
    items: int = 768
    group: int = 64


def top_k(
    users: Tensor, items: Tensor, hidden: UserLists, k: int, *, tiling: Tiling = Tiling()
) -> tuple[Tensor, Tensor]:
    """The k items of largest dot product for each user, best first, and these products.

    Item 0 is RecBole's padding. It, the user's `hidden` items and products that are NaN never come. A list of fewer
    than k items ends in item 0 with minus infinity. Of items with equal scores **the lower id comes first**.

    Scores are made tile by tile, and each tile is searched while it is in the cache: by top_k.c, or by torch for other
    types than float32 and where no compiler was present at installation. Each of torch's threads makes and searches
    tiles of its own users, so no thread waits for another. A GPU has larger tiles and never waits for the CPU before
    the end.

    Args:
        users, items: vectors (n, d) and (n_items, d), on one device; float32 on a GPU.
        k: at least 1.

    Returns:
        Items, int64 (n, k), and scores (n, k), both on the CPU.
    """
    if users.device.type != "cpu":
        return top_k_by_keys(users, items, hidden, k)
    functions = library(SOURCE) if users.dtype == torch.float32 else None
    best, score = torch.empty(len(users), k, dtype=torch.int64), torch.empty(len(users), k, dtype=users.dtype)
    threads = torch.get_num_threads()
    step = min(tiling.users, max(-(-len(users) // threads), FEWEST_USERS))
    starts = iter(range(0, len(users), step))

    def search() -> None:
        """Take blocks of users until none is left."""
        with torch.inference_mode():  # the caller's mode is not the thread's
            buffer = users.new_empty(step * min(tiling.items, len(items)))
            for start in starts:
                block = slice(start, min(start + step, len(users)))
                mine, lists = users[block], hidden[block]
                found = _Scan(functions, lists, k) if functions else _Search(mine, lists, k, tiling)
                for first in range(0, len(items), tiling.items):
                    some = items[first : first + tiling.items]
                    tile = buffer[: len(mine) * len(some)].view(len(mine), len(some))
                    torch.mm(mine, some.T, out=tile)
                    found.add(tile, first)
                best[block], score[block] = found.result()

    if len(users) <= step or threads == 1:
        search()
    else:
        _in_threads(search, threads, starts)
    return best, score


def _in_threads(search: Callable[[], None], threads: int, starts: Iterator[int]) -> None:
    """Run `search` in so many threads, each with a single thread of torch's. What one raises is raised."""
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            try:
                for one in as_completed([pool.submit(search) for _ in range(threads)]):
                    one.result()
            finally:
                deque(starts, maxlen=0)  # after an error, or Ctrl-C, no thread takes another block
    finally:
        torch.set_num_threads(threads)  # the pool's threads have set what new threads get


def top_k_by_keys(
    users: Tensor, items: Tensor, hidden: UserLists, k: int, *, scores: int = GPU_SCORES
) -> tuple[Tensor, Tensor]:
    """`top_k` of float32 for a GPU. `scores` products are made at once, at least one user's with up to that many items.

    Score and item become one integer. So no two are equal, and the search depends on no value that the CPU would have
    to wait for.
    """
    width = min(len(items), scores)
    step = max(scores // width, 1)
    starts = range(0, len(users), step)
    blocks = [best_keys(users[at : at + step], items, hidden[at : at + step], k, width) for at in starts]
    keys = torch.cat(blocks).cpu() if blocks else torch.empty(0, k, dtype=torch.int64)
    score = _sortable((keys >> 32).int()).view(torch.float32)
    return torch.where(score == -torch.inf, 0, LAST_ITEM - (keys & LAST_ITEM)), score


LAST_ITEM = (1 << 32) - 1
NO_ITEM = -0x7F800001 << 32
"""The key of minus infinity."""


def best_keys(users: Tensor, items: Tensor, hidden: UserLists, k: int, width: int) -> Tensor:
    """The k largest keys of each user, int64 (n, k), on the device."""
    order = stable_argsort(hidden.items)
    item = hidden.items[order]
    rows, columns = (torch.from_numpy(part).to(users.device, non_blocking=True) for part in (hidden.rows[order], item))
    best = torch.full((len(users), k), NO_ITEM, device=users.device)
    for first in range(0, len(items), width):
        tile = users @ items[first : first + width].T
        tile.nan_to_num_(-torch.inf, torch.inf, -torch.inf)
        part = slice(*np.searchsorted(item, (first, first + tile.shape[1])))
        # A number in place of the tensor would be copied from the CPU, and the CPU would wait.
        tile.index_put_((rows[part], columns[part] - first), tile.new_full((), -torch.inf))
        if first == 0:
            tile[:, 0] = -torch.inf
        keys = _keys(tile, first)
        best = torch.cat((best, keys.topk(min(k, keys.shape[1])).values), 1).topk(k).values
    return best


def _keys(scores: Tensor, first: int) -> Tensor:
    """Integers that sort as the scores do; of equal scores the lower item has the larger one."""
    bits = _sortable((scores + 0.0).view(torch.int32))  # adding zero turns -0.0 into 0.0
    item = torch.arange(first, first + scores.shape[1], device=scores.device)
    return (bits.long() << 32) | (LAST_ITEM - item)


def _sortable(bits: Tensor) -> Tensor:
    """The bits of floats as integers that sort as the floats do; and back."""
    return torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)


class _Scan:
    """The best k of some users so far, by top_k.c."""

    def __init__(self, functions: ctypes.CDLL, hidden: UserLists, k: int) -> None:
        self.functions = functions
        self.hidden, self.ends = (np.ascontiguousarray(part, np.int64) for part in (hidden.items, hidden.start[1:]))
        self.heaps, self.next = np.empty((len(hidden), k), np.int64), hidden.start[:-1].astype(np.int64)

    def add(self, tile: Tensor, first: int) -> None:
        """Look at the scores (n, width) of the items from `first` on."""
        n, k = self.heaps.shape
        sizes = (ctypes.c_int64(size) for size in (n, tile.shape[1], first))
        lists = (address(part) for part in (self.hidden, self.next, self.ends))
        self.functions.scan(ctypes.c_void_p(tile.data_ptr()), *sizes, address(self.heaps), ctypes.c_int64(k), *lists)

    def result(self) -> tuple[Tensor, Tensor]:
        """Items and scores, (n, k)."""
        n, k = self.heaps.shape
        items, scores = np.empty((n, k), np.int64), np.empty((n, k), np.float32)
        self.functions.sort(address(self.heaps), ctypes.c_int64(n), ctypes.c_int64(k), address(items), address(scores))
        return torch.from_numpy(items), torch.from_numpy(scores)


class _Search:
    """The best k of some users so far, by torch."""

    def __init__(self, users: Tensor, hidden: UserLists, k: int, tiling: Tiling) -> None:
        order = stable_argsort(hidden.items)
        self.hidden, self.tiling = hidden.items[order], tiling
        self.places = tuple(map(torch.from_numpy, (hidden.rows[order], self.hidden)))
        self.score = users.new_full((len(users), k), -torch.inf)
        self.item = torch.zeros(len(users), k, dtype=torch.int64)

    def add(self, tile: Tensor, first: int) -> None:
        """Look at the scores (n, width) of the items from `first` on. Hidden ones become minus infinity."""
        part = slice(*np.searchsorted(self.hidden, (first, first + tile.shape[1])))
        rows, items = (place[part] for place in self.places)
        tile[rows, items - first] = -torch.inf
        if first == 0:
            self._start(tile)
            return
        group = self.tiling.group
        tile = _padded(tile, -(-tile.shape[1] // group) * group)
        groups, floor = tile.view(len(tile), -1, group), self.score[:, -1:]
        # The largest of a group with NaN is NaN.
        row, number = (groups.amax(2) <= floor).logical_not_().nonzero(as_tuple=True)
        some = groups[row, number]
        at, place = (some > floor[row]).nonzero(as_tuple=True)
        new_item = first + number[at] * group + place
        self.score, self.item = _merge(self.score, self.item, row[at], new_item, some[at, place])

    def _start(self, tile: Tensor) -> None:
        tile[:, 0] = -torch.inf
        tile.nan_to_num_(-torch.inf, torch.inf, -torch.inf)
        self.score, self.item = largest(_padded(tile, self.score.shape[1]), self.score.shape[1])
        self.item[self.score == -torch.inf] = 0

    def result(self) -> tuple[Tensor, Tensor]:
        """Items and scores, (n, k)."""
        return self.item, self.score


def _padded(scores: Tensor, width: int) -> Tensor:
    """At least that many columns; what is added is minus infinity."""
    more = width - scores.shape[1]
    return F.pad(scores, (0, more), value=-torch.inf) if more > 0 else scores


def _merge(score: Tensor, item: Tensor, row: Tensor, new_item: Tensor, new_score: Tensor) -> tuple[Tensor, Tensor]:
    """The best k of (n, k) and of new items with higher ids; `row` ascends, and so do the ids of a row."""
    n, k = score.shape
    count = torch.bincount(row, minlength=n)
    place = k + torch.arange(len(row)) - (count.cumsum(0) - count)[row]
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
        scores[
            torch.from_numpy(mine.rows).to(scores.device), torch.from_numpy(mine.items).to(scores.device)
        ] = -torch.inf
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
