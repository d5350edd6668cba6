"""The best k items, tile by tile, against sorting all scores."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.overrides import TorchFunctionMode

from recbole_alibaba.data.user_lists import UserLists
from recbole_alibaba.evaluation.top_k import Tiling, rank_by_scores, top_k, top_k_by_keys


def lists(hidden: list[list[int]], n_items: int) -> UserLists:
    rows = [row for row, items in enumerate(hidden) for _ in items]
    items = [item for per_row in hidden for item in per_row]
    return UserLists.from_pairs(np.array(rows, int), np.array(items, int), len(hidden), n_items)


def by_sorting(scores: torch.Tensor, hidden: list[list[int]], k: int) -> list[list[int]]:
    """Best first, the lower id first among equals, padding where nothing is left."""
    out = []
    for row, mine in zip(scores.tolist(), hidden, strict=True):
        left = sorted(set(range(1, len(row))).difference(mine))
        out.append((sorted(left, key=lambda item: (-row[item], item)) + [0] * k)[:k])
    return out


SMALL = Tiling(users=2, items=12, group=5)
"""So small that a few items fill several tiles, several groups, and a last group that is not whole."""
TYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
"""Products of float32 are searched by C where it was compiled, others by torch."""


def check(users, items, hidden, k, tiling):
    """Lists and scores are those of sorting, by tiles and by a GPU's keys."""
    found, scores = top_k(users, items, lists(hidden, len(items)), k, tiling=tiling)
    products = users @ items.T
    assert found.tolist() == by_sorting(products, hidden, k)
    assert torch.equal(scores, products.gather(1, found).where(found > 0, -torch.inf))
    if users.dtype == torch.float32:  # a GPU's way is ordinary torch, so it runs here; a row may be 12 scores or more
        by_keys = top_k_by_keys(users, items, lists(hidden, len(items)), k, scores=12)
        assert torch.equal(by_keys[0], found) and torch.equal(by_keys[1], scores)


@TYPES
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_top_k_is_the_sorted_list_with_ties_by_lower_id(dtype, data):
    n_users, n_items, k = data.draw(st.integers(1, 5)), data.draw(st.integers(2, 40)), data.draw(st.integers(1, 6))
    # Small whole numbers: many exact ties, inside groups, between groups and between tiles.
    number = st.integers(-2, 2)
    draw = lambda n: torch.tensor(data.draw(st.lists(number, min_size=n * 2, max_size=n * 2))).view(n, 2).to(dtype)  # noqa: E731
    users, items = draw(n_users), draw(n_items)
    hidden = data.draw(st.lists(st.lists(st.integers(1, n_items - 1), max_size=8), min_size=n_users, max_size=n_users))
    check(users, items, hidden, k, SMALL)


@pytest.fixture(params=[1, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@TYPES
@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("most", [1, 1000])  # nearly all products are equal, or few
@pytest.mark.parametrize("k", [1, 20, 300])
def test_top_k_of_wide_tiles(dtype, most, k):
    rng = np.random.default_rng(k)
    n_users, n_items = 9, 700
    users, items = (torch.from_numpy(rng.integers(-most, most + 1, (n, 2))).to(dtype) for n in (n_users, n_items))
    hidden = [
        rng.choice(np.arange(1, n_items), n, replace=False).tolist() for n in (0, 1, 5, 30, 300, 500, 690, 699, 2)
    ]
    check(users, items, hidden, k, Tiling(users=4, items=150, group=7))


@pytest.mark.parametrize("n_users", [1, 33, 700])
def test_numbers_do_not_depend_on_threads_nor_on_the_mode_of_the_caller(n_users):
    before, found = torch.get_num_threads(), []
    tables = [torch.randn(n, 64, generator=torch.Generator().manual_seed(n)).requires_grad_() for n in (n_users, 5_000)]
    hidden = lists([[1 + user % 7, 4_000] for user in range(n_users)], 5_000)
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            for mode in (torch.no_grad, torch.inference_mode):
                with mode():
                    found.append(top_k(*tables, hidden, 20))
            assert torch.get_num_threads() == threads
            with ThreadPoolExecutor(1) as pool:  # a thread that is new has as many, too
                assert pool.submit(torch.get_num_threads).result() == threads
    finally:
        torch.set_num_threads(before)
    items, scores = found[0]
    for other_items, other_scores in found[1:]:
        assert torch.equal(items, other_items)
        torch.testing.assert_close(scores, other_scores)


def test_what_goes_wrong_in_a_thread_is_raised():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
            top_k(torch.ones(300, 3), torch.ones(40, 2), lists([[]] * 300, 40), 1)
        assert torch.get_num_threads() == 2
        taken = []

        class FailsOnce(UserLists):
            def __getitem__(self, part):
                taken.append(part.start)
                if len(taken) == 1:
                    raise ZeroDivisionError
                time.sleep(0.01)
                return super().__getitem__(part)

        n = 100 * Tiling().users
        hidden = FailsOnce(np.zeros(n + 1, np.int64), np.zeros(0, np.int64))
        with pytest.raises(ZeroDivisionError):
            top_k(torch.ones(n, 3), torch.ones(40, 3), hidden, 1)
        assert len(taken) < 50, "the other thread ranked on after the error"
    finally:
        torch.set_num_threads(before)


@TYPES
def test_nan_and_infinite_products(dtype):
    """NaN never comes, nor does minus infinity; items beside them do. Zeros of both signs are equal."""
    items = torch.tensor([9, 1, torch.nan, 3, -torch.inf, torch.inf, 2, 3] + [-0.0, 0.0] * 20, dtype=dtype)[:, None]
    users = torch.tensor([1, torch.nan], dtype=dtype)[:, None]
    found, scores = top_k(users, items, lists([[6], [1]], 48), 7, tiling=Tiling(users=2, items=40, group=8))
    assert found.tolist() == [[5, 3, 7, 1, 8, 9, 10], [0] * 7]
    assert scores.tolist() == [[torch.inf, 3, 3, 1, 0, 0, 0], [-torch.inf] * 7]


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_ranks_by_scores(data):
    n_users, n_items = data.draw(st.integers(1, 5)), data.draw(st.integers(4, 30))
    scores = torch.tensor(
        data.draw(st.lists(st.integers(0, 4), min_size=n_users * n_items, max_size=n_users * n_items))
    )
    scores = scores.view(n_users, n_items).float()
    split = [data.draw(st.permutations(range(1, n_items))) for _ in range(n_users)]
    positives, hidden = [items[:2] for items in split], [items[2:3] for items in split]
    best, ranks = rank_by_scores(
        lambda block: scores[block].clone(),
        lists(hidden, n_items),
        lists(positives, n_items),
        1,
        n_items,
        mean_rank=True,
        buffer_bytes=200,
    )
    for row in range(n_users):
        left = [scores[row, item].item() for item in range(1, n_items) if item not in hidden[row]]
        assert scores[row, best[row, 0]].item() == max(left)
        mine = [scores[row, item].item() for item in positives[row]]
        mean = [sum(other > one for other in left) + (left.count(one) + 1) / 2 for one in mine]
        assert ranks[row].tolist() == [sum(mean), len(left), 2]


def test_lists_know_what_they_contain():
    some = lists([[3, 1, 3], [], [2]], 5)
    assert some.items.tolist() == [1, 3, 2] and some.lengths.tolist() == [2, 0, 1]
    assert some.contains(np.array([[1, 2], [1, 2], [2, 1]]), 5).tolist() == [[True, False], [False] * 2, [True, False]]
    assert some[1:3].items.tolist() == [2] and len(some[1:3]) == 2
    assert some.take(np.array([2, 0])).items.tolist() == [2, 1, 3] and some.take(np.array([], int)).items.size == 0
    less = some.without(lists([[3], [2], []], 5), 5)
    assert less.items.tolist() == [1, 2] and less.lengths.tolist() == [1, 0, 1]
    assert not lists([[], []], 5).contains(np.array([[1], [2]]), 5).any()


class LargestTensor(TorchFunctionMode):
    """Records the bytes of the largest tensor that torch returns."""

    bytes = 0

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        if isinstance(result, torch.Tensor):
            self.bytes = max(self.bytes, result.nbytes)
        return result


@pytest.mark.usefixtures("threads")
def test_no_table_of_scores_is_large():
    none = lists([[]] * 600, 40_000)
    torch.set_num_threads(1)  # the mode does not see other threads
    with LargestTensor() as largest:
        top_k(torch.ones(600, 2), torch.ones(40_000, 2), none, 1)
    assert 1 << 20 < largest.bytes <= 2 << 20
    seen = []

    def score(block):
        seen.append(block.stop - block.start)
        return torch.zeros(seen[-1], 1_000_000)

    none = lists([[]] * 20, 1_000_000)  # a block of 32 MB at most
    rank_by_scores(score, none, none, 1, 1_000_000, mean_rank=False)
    assert sum(seen) == 20 and max(seen) * 4_000_000 <= 32 << 20
