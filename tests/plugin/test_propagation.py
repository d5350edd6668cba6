"""Propagation and its adjoint against the dense formula under autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_alibaba.model.graph import build_graph
from recbole_alibaba.model.propagation import propagate, propagate_rows

WORLDS = {
    "ordinary": (np.array([0, 0, 1, 2, 2, 3]), np.array([0, 1, 1, 2, 3, 0]), 4, 4),
    "empty rows and isolated users": (np.array([1, 3]), np.array([2, 2]), 6, 5),
    "single item": (np.array([0, 1, 2]), np.array([0, 0, 0]), 3, 1),
    "no edges": (np.array([], int), np.array([], int), 2, 3),
}


def by_formula(world, users, items, n_layers):
    """mean_k (D^-1/2 A D^-1/2)^k E, with a dense square matrix and autograd."""
    rows, columns, n_users, n_items = world
    adjacency = torch.zeros(n_users + n_items, n_users + n_items, dtype=users.dtype)
    adjacency[rows, columns + n_users] = 1
    adjacency[columns + n_users, rows] = 1
    scale = adjacency.sum(1).clamp(min=1).rsqrt()
    adjacency = scale[:, None] * adjacency * scale
    layer = torch.cat((users, items))
    layers = [layer]
    for _ in range(n_layers):
        layer = adjacency @ layer
        layers.append(layer)
    return torch.stack(layers).mean(0).split([n_users, n_items])


def tables(world, dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(n, 3, generator=generator, dtype=dtype, requires_grad=True) for n in world[2:]]


REORDERED = 1
"""Even the smallest graph leaves the order of its ids."""


@pytest.mark.parametrize("n_layers", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("small", [REORDERED, 1000])
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_rows_and_gradients_equal_the_formula(world, small, n_layers):
    users, items = tables(world)
    graph = build_graph(*world, small=small)
    user_ids, item_ids = torch.arange(0, world[2], 2), torch.arange(world[3] - 1, -1, -2)
    found = propagate_rows(graph, users, items, user_ids, item_ids, n_layers)
    full = by_formula(world, users, items, n_layers)
    expected = (full[0][user_ids], full[1][item_ids], users[user_ids], items[item_ids])
    weights = [torch.randn_like(part) for part in expected]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-7, rtol=1e-6)
    ours = torch.autograd.grad(sum((w * p).sum() for w, p in zip(weights, found, strict=True)), (users, items))
    theirs = torch.autograd.grad(sum((w * p).sum() for w, p in zip(weights, expected, strict=True)), (users, items))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-6)
    for all_rows, dense in zip(propagate(graph, users, items, n_layers), full, strict=True):
        torch.testing.assert_close(all_rows, dense, atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_gradcheck(world):
    users, items = tables(world)
    graph = build_graph(*world, small=REORDERED)
    ids = torch.arange(world[2]), torch.arange(world[3])
    assert torch.autograd.gradcheck(lambda u, i: propagate_rows(graph, u, i, *ids, 3), (users, items))


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_any_graph_any_rows(data):
    n_users, n_items = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7))
    edges = data.draw(st.lists(st.tuples(st.integers(0, n_users - 1), st.integers(0, n_items - 1)), max_size=20))
    world = (np.array([u for u, _ in edges], int), np.array([i for _, i in edges], int), n_users, n_items)
    user_ids = torch.tensor(data.draw(st.lists(st.integers(0, n_users - 1), unique=True)), dtype=torch.int64)
    item_ids = torch.tensor(data.draw(st.lists(st.integers(0, n_items - 1), unique=True)), dtype=torch.int64)
    users, items = tables(world)
    found = propagate_rows(build_graph(*world, small=REORDERED), users, items, user_ids, item_ids, 3)
    full = by_formula(world, users, items, 3)
    ours = torch.autograd.grad(found[0].square().sum() + found[1].exp().sum(), (users, items))
    theirs = torch.autograd.grad(full[0][user_ids].square().sum() + full[1][item_ids].exp().sum(), (users, items))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-6)


def test_two_backward_passes_add_up():
    """The gradient must not sit in memory that the next backward pass writes again."""
    world = WORLDS["ordinary"]
    users, items = tables(world, torch.float32)
    graph = build_graph(*world, small=REORDERED)

    def loss():
        parts = propagate_rows(graph, users, items, torch.arange(4), torch.arange(4), 3)
        return (parts[0] * parts[1]).sum()

    loss().backward()
    once = users.grad.clone()
    loss().backward()
    torch.testing.assert_close(users.grad, 2 * once)
