"""The softmax over a batch's items and its gradient, against the formula under autograd."""

import math

import pytest
import torch
import torch.nn.functional as F

from recbole_alibaba.model.sampled_softmax import IN_CACHE, items_of_pairs, sampled_softmax

TEMPERATURE = 0.3


def world(pairs):
    generator = torch.Generator().manual_seed(pairs)
    tables = [torch.randn(n, 3, generator=generator, dtype=torch.float64, requires_grad=True) for n in (5, 9)]
    user, positive, negative = (torch.randint(0, n, (pairs,), generator=generator) for n in (5, 7, 7))
    return tables, (user, positive, torch.bincount(torch.cat((positive, negative)), minlength=9))


def by_formula(users, items, user, positive, times):
    """Distinct pair by distinct pair, item by item. Items 7 and 8 are in no batch."""
    losses = []
    pairs, counts = torch.unique(torch.stack((user, positive)), dim=1, return_counts=True)
    for u, i in pairs.T.tolist():
        logits = {
            j: F.cosine_similarity(users[u], items[j], dim=0) / TEMPERATURE for j in times.nonzero().flatten().tolist()
        }
        losses.append(torch.logsumexp(torch.stack(list(logits.values())), 0) - logits[i])
    return torch.stack(losses) @ (counts / len(user)).to(users.dtype)


@pytest.mark.parametrize("pairs", [1, 4, 23, IN_CACHE // 4])  # the last in three blocks
def test_loss_and_gradient_are_those_of_the_formula(pairs):
    tables, batch = world(pairs)
    found, expected = sampled_softmax(*tables, *batch, TEMPERATURE), by_formula(*tables, *batch)
    torch.testing.assert_close(found, expected)
    ours, theirs = (torch.autograd.grad(2.5 * loss, tables) for loss in (found, expected))
    torch.testing.assert_close(ours, theirs)
    assert not ours[1][7:].any(), "an item outside the batch is moved"


def test_a_row_for_each_pair_gives_the_same_loss_and_gradient():
    """What a GPU compares: 40 pairs of 7 items."""
    (users, items), (user, positive, _) = world(40)
    on_cpu = sampled_softmax(users, items, user, positive, torch.bincount(positive, minlength=9), TEMPERATURE)
    rows, place, times = items_of_pairs(items, positive)
    torch.testing.assert_close(rows[place], items[positive])
    assert times.sum() == len(positive.unique())
    on_gpu = sampled_softmax(users, rows, user, place, times, TEMPERATURE)
    torch.testing.assert_close(on_gpu, on_cpu)
    ours, theirs = (torch.autograd.grad(loss, (users, items)) for loss in (on_gpu, on_cpu))
    torch.testing.assert_close(ours, theirs)


def test_gradcheck():
    tables, batch = world(9)
    assert torch.autograd.gradcheck(lambda *both: sampled_softmax(*both, *batch, TEMPERATURE), tables)


def test_guessing_costs_the_logarithm_of_the_number_of_items():
    same = torch.ones(4, 8), torch.ones(50, 8)
    pairs = torch.arange(4), torch.arange(4)
    assert math.isclose(sampled_softmax(*same, *pairs, torch.ones(50), 0.1).item(), math.log(50), rel_tol=1e-5)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_lowest_temperature_neither_overflows_nor_underflows(sign):
    """The positive has the highest or the lowest of all scores, in single precision."""
    items = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], requires_grad=True)
    pair = torch.tensor([[sign, 0.0]]), items, torch.tensor([0]), torch.tensor([0]), torch.ones(2)
    loss = sampled_softmax(*pair, 0.03)
    assert math.isclose(loss.item(), 0.0 if sign > 0 else 2 / 0.03, abs_tol=1e-4)
    assert torch.autograd.grad(loss, items)[0].isfinite().all()


def test_rows_of_nothing_give_no_nan():
    """RecBole's padding row may be all zeros, and a table under a wrong initialisation is."""
    users, items = torch.zeros(2, 4, requires_grad=True), torch.randn(6, 4, requires_grad=True)
    loss = sampled_softmax(users, items, torch.tensor([0, 1]), torch.tensor([2, 3]), torch.ones(6), 0.1)
    assert all(gradient.isfinite().all() for gradient in torch.autograd.grad(loss, (users, items)))
