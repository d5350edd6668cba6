"""The spectral start against numpy's dense decomposition."""

import numpy as np
import pytest
import torch

from recbole_alibaba.host.errors import BadSettingError
from recbole_alibaba.model.graph import build_graph
from recbole_alibaba.model.spectral import spectral_

USERS, ITEMS, DIMENSIONS, STD = 40, 30, 5, 0.2


def started(reorder=True, dimensions=DIMENSIONS):
    rng = np.random.default_rng(3)
    pairs = np.unique(np.stack((rng.integers(1, USERS, 300), rng.integers(1, ITEMS, 300))), axis=1)
    graph = build_graph(*pairs, USERS, ITEMS, reorder=reorder)
    tables = torch.full((USERS, dimensions), 7.0), torch.full((ITEMS, dimensions), 7.0)
    spectral_(graph, *tables, std=STD, seed=1)
    return pairs, *(table.double().numpy() for table in tables)


@pytest.mark.parametrize("reorder", [True, False])
def test_scores_are_those_of_the_leading_directions(reorder):
    pairs, users, items = started(reorder)
    links = np.zeros((USERS, ITEMS))
    links[tuple(pairs)] = 1
    degrees = links.sum(1, keepdims=True) * links.sum(0, keepdims=True)
    left, values, right = np.linalg.svd(links / np.sqrt(np.maximum(degrees, 1)))
    expected = left[:, :DIMENSIONS] * values[:DIMENSIONS] ** 4 @ right[:DIMENSIONS]
    found = users @ items.T
    np.testing.assert_allclose(found / np.linalg.norm(found), expected / np.linalg.norm(expected), atol=1e-5)


def test_entries_have_the_size_asked_for_and_padding_starts_at_zero():
    _, users, items = started()
    entries = np.concatenate((users.ravel(), items.ravel()))
    assert np.isclose(np.sqrt(np.square(entries).mean()), STD)
    assert np.abs(users[0]).max() < 1e-6 and np.abs(items[0]).max() < 1e-6


def test_the_same_seed_gives_the_same_start():
    np.testing.assert_array_equal(started()[1], started()[1])


def test_too_many_dimensions_are_refused():
    with pytest.raises(
        BadSettingError, match=r"embedding_size \(30\) below the number of users and of items \(40 and 30"
    ):
        started(dimensions=30)
