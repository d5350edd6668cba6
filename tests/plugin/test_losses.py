"""The parts of the loss by hand."""

import math

import torch

from recbole_alibaba.model.losses import bpr, l2


def test_a_model_that_guesses_has_a_loss_of_ln_2():
    assert math.isclose(bpr(torch.zeros(5)).item(), math.log(2), rel_tol=1e-6)


def test_bpr_by_hand():
    found = bpr(torch.tensor([1.0, -3.0]))
    assert math.isclose(found.item(), (math.log1p(math.exp(-1)) + math.log1p(math.exp(3))) / 2, rel_tol=1e-6)


def test_bpr_still_pulls_on_a_pair_ranked_badly_wrong():
    """-log(1e-10 + sigmoid(x)), RecBole's form, has no gradient here."""
    difference = torch.tensor([-40.0], requires_grad=True)
    bpr(difference).backward()
    assert difference.grad.item() == -1.0


def test_l2_counts_a_row_as_often_as_the_batch_names_it():
    users, items = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    named = [0, 1, 0], [0, 1, 0, 1, 2, 1]  # of a batch of three: users, then positives and negatives
    row_by_row = sum(users[at].square().sum() for at in named[0]) + sum(items[at].square().sum() for at in named[1])
    counted = l2((users, torch.tensor([2, 1])), (items, torch.tensor([2, 3, 1])), batch=3)
    assert counted.item() == row_by_row.item() / 2 / 3 == (2 * 25 + 2 * 1 + 3 * 4 + 2) / 6
