"""The graph against its definition, dense and slow."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_alibaba.model.graph import GraphError, build_graph
from recbole_alibaba.model.sparse import CsrMatrix, sums_in_levels


def dense(rows: CsrMatrix) -> np.ndarray:
    out = np.zeros(rows.shape)
    for row in range(rows.shape[0]):
        for entry in range(int(rows.offsets[row]), int(rows.offsets[row + 1])):
            out[row, rows.indices[entry]] += rows.weights[entry]
    return out


def normalised(users: list[int], items: list[int], n_users: int, n_items: int) -> np.ndarray:
    links = np.zeros((n_users, n_items))
    links[users, items] = 1
    user_degree, item_degree = links.sum(1, keepdims=True), links.sum(0, keepdims=True)
    return links / np.sqrt(np.maximum(user_degree * item_degree, 1))


pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), max_size=30)


@given(pairs)
@settings(max_examples=60, deadline=None)
def test_graph_is_the_normalised_matrix_and_its_transpose(edges):
    users, items = [u for u, _ in edges], [i for _, i in edges]
    expected = normalised(users, items, 6, 8)
    for small in (1, 1000):
        graph = build_graph(np.array(users, int), np.array(items, int), 6, 8, small=small)
        user_rank, item_rank = graph.user_rank.numpy(), graph.item_rank.numpy()
        assert graph.user_order[user_rank].tolist() == list(range(6))
        assert graph.item_order[item_rank].tolist() == list(range(8))
        inner = dense(graph.inner.from_items)
        np.testing.assert_allclose(inner[user_rank][:, item_rank], expected, rtol=1e-6)
        np.testing.assert_allclose(dense(graph.inner.from_users), inner.T, rtol=0)
        np.testing.assert_allclose(dense(graph.first.from_items)[user_rank], expected, rtol=1e-6)
        np.testing.assert_allclose(dense(graph.first.from_users)[item_rank], expected.T, rtol=1e-6)


def test_communities_stand_together():
    """Two groups of people who never meet: each is one stretch of the order, on both sides."""
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 300, 20_000), rng.integers(0, 200, 20_000)
    items = items // 2 * 2 + users % 2
    graph = build_graph(users, items, 300, 200, small=1)
    for order in (graph.user_order, graph.item_order):
        assert np.count_nonzero(np.diff(order.numpy() % 2)) == 1


def test_by_hand():
    """User 0 took both items, user 1 took item 1: degrees 2, 1 and 1, 2."""
    graph = build_graph(np.array([0, 0, 1]), np.array([0, 1, 1]), 2, 2)
    np.testing.assert_allclose(dense(graph.inner.from_items), [[2**-0.5, 0.5], [0, 2**-0.5]], rtol=1e-7)


@given(pairs, st.lists(st.integers(0, 5), max_size=4), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_products_rows_and_transpose_equal_the_dense_matrix(edges, rows, longest):
    """A GPU sums long rows in levels. That is ordinary torch, so it runs here."""
    users, items = np.array([u for u, _ in edges], int), np.array([i for _, i in edges], int)
    matrix = build_graph(users, items, 6, 8).inner.from_items
    right = torch.randn(8, 3)
    rows = torch.tensor(rows, dtype=torch.int64)
    expected = torch.tensor(dense(matrix), dtype=torch.float32)
    levels = sums_in_levels(matrix.offsets.numpy(), longest + 1)
    assert all(np.diff(level).max() <= longest + 1 for level in levels)
    for one in (matrix, replace(matrix, levels=tuple(map(torch.from_numpy, levels)))):
        torch.testing.assert_close(one.matmul(right), expected @ right)
    np.testing.assert_allclose(dense(matrix.take(rows)), expected[rows])
    np.testing.assert_allclose(dense(matrix.transpose()), expected.T)


def test_a_graph_is_never_copied():
    """RecBole deep-copies the model before every run, to count its operations."""
    graph = build_graph(np.array([0]), np.array([0]), 1, 1)
    assert copy.deepcopy(graph) is graph


def test_errors_say_what_was_there_and_what_was_needed():
    with pytest.raises(GraphError, match="item ids run from 0 to 9, but there are 5 items"):
        build_graph(np.array([0, 1]), np.array([0, 9]), 2, 5)
    with pytest.raises(GraphError, match="2 users and 1 items"):
        build_graph(np.array([0, 1]), np.array([0]), 2, 5)
