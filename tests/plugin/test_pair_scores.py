"""Score differences of pairs and their gradient, against plain indexing under autograd."""

import pytest
import torch

from recbole_alibaba.model.alibabalightgcn import distinct
from recbole_alibaba.model.pair_scores import matrix_of_pairs_by_sorting, score_differences


def world(n_users: int, n_items: int, pairs: int, dtype: torch.dtype = torch.float64):
    generator = torch.Generator().manual_seed(pairs)
    tables = [torch.randn(n, 3, generator=generator, dtype=dtype, requires_grad=True) for n in (n_users, n_items)]
    places = [torch.randint(0, n, (pairs,), generator=generator) for n in (n_users, n_items, n_items)]
    return tables, places


@pytest.mark.parametrize("pairs", [1, 4, 5, 23])
def test_score_differences_equal_plain_indexing(pairs):
    (users, items), (user, positive, negative) = world(5, 7, pairs)
    positive[0] = negative[0]  # the positive is the negative: no difference, and gradients that cancel
    found = score_differences(users, items, user, positive, negative, block=4)
    expected = (users[user] * (items[positive] - items[negative])).sum(1)
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(expected)
    ours = torch.autograd.grad((found * weights).sum(), (users, items))
    theirs = torch.autograd.grad((expected * weights).sum(), (users, items))
    torch.testing.assert_close(ours, theirs)


def test_the_matrix_of_pairs_that_a_gpu_makes():
    at, values = torch.tensor([2, 0, 2, 4]), torch.tensor([1.0, 2.0, 3.0, 4.0])
    matrix = matrix_of_pairs_by_sorting(at, values, 6)
    expected = torch.zeros(6, 4)
    expected[at, torch.arange(4)] = values
    torch.testing.assert_close(matrix.matmul(torch.eye(4)), expected)


def test_gradcheck():
    (users, items), places = world(3, 4, 9)
    assert torch.autograd.gradcheck(lambda u, i: score_differences(u, i, *places), (users, items))


@pytest.mark.parametrize("shape", [(6,), (2, 5), (2, 50)], ids=["few", "in two rows", "so many that all are there"])
def test_distinct_equals_unique(shape):
    ids = torch.randint(1, 20, shape, generator=torch.Generator().manual_seed(1))
    rows, place, times = distinct(ids, 20)
    assert torch.equal(rows[place], ids)
    values, counts = ids.unique(return_counts=True)
    assert torch.equal(rows[times > 0], values)
    assert torch.equal(times[times > 0], counts)
    assert len(rows) == (20 if ids.numel() >= 40 else len(values))
