"""Negatives and training batches against RecBole's and against their definition."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

import recbole_alibaba  # noqa: F401  (makes RecBole importable)
from recbole_alibaba.data.negatives import NegativeSampler, NoNegativeError, item_weights
from recbole_alibaba.data.train_loader import TrainLoader

from recbole.data.interaction import Interaction  # isort: skip
from recbole.sampler import Sampler  # isort: skip


def dataset(users, items, n_users, n_items):
    feat = Interaction({"user_id": torch.as_tensor(users), "item_id": torch.as_tensor(items)})
    return SimpleNamespace(
        uid_field="user_id", iid_field="item_id", user_num=n_users, item_num=n_items, inter_feat=feat
    )


USERS = np.array([1] * 3 + [2] * 9 + [3] * 1 + [1])
ITEMS = np.array([2, 5, 9, *range(1, 10), 4, 5])  # user 2 lacks item 10 alone; user 1 has item 5 twice
N_USERS, N_ITEMS = 5, 11
HAD = set(zip(USERS.tolist(), ITEMS.tolist(), strict=True))


@pytest.mark.parametrize(("distribution", "alpha"), [("uniform", 1.0), ("popularity", 1.0), ("popularity", 0.5)])
@pytest.mark.parametrize("user", [1, 3, 4])
def test_same_distribution_as_recboles_sampler(distribution, alpha, user):
    users = np.append(USERS, [4, 3, 3])
    items = np.append(ITEMS, [10, 10, 7])
    ours = NegativeSampler(users, items, item_weights(distribution, items, N_ITEMS, alpha), N_USERS)
    drawn = ours.sample(np.full(20_000, user), np.random.default_rng(0))
    number = ours.draw(np.full(20_000, user), np.random.default_rng(0))
    there = ours.on(torch.device("cpu")).find(torch.full((20_000,), user), torch.from_numpy(number))
    assert there.tolist() == drawn.tolist()  # by tensors, as on a GPU
    np.random.seed(0)
    theirs = Sampler(["train"], [dataset(users, items, N_USERS, N_ITEMS)], distribution, alpha).set_phase("train")
    expected = theirs.sample_by_user_ids(np.full(20_000, user), None, 1).numpy()
    table = np.array([np.bincount(draws, minlength=N_ITEMS) for draws in (drawn, expected)])
    table = table[:, table.sum(0) > 0]
    assert table.shape[1] == 10 - len(set(items[users == user]))
    assert chi2_contingency(table).pvalue > 1e-3


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_never_an_item_the_user_has_and_every_other_one(data):
    n_items = data.draw(st.integers(3, 9))
    owned = data.draw(st.sets(st.integers(1, n_items - 1), max_size=n_items - 2))
    weights = np.array([0, *data.draw(st.lists(st.integers(0, 5), min_size=n_items - 1, max_size=n_items - 1))])
    free = {item: int(weights[item]) for item in range(1, n_items) if item not in owned and weights[item]}
    # The neighbours on both sides own other things; ids and masses must not leak across.
    pairs = [(1, item) for item in owned] + [(0, 1), (2, n_items - 1)]
    users, items = (np.array(side) for side in zip(*pairs, strict=True))
    sampler = NegativeSampler(users, items, weights, 3)
    if not free:
        with pytest.raises(NoNegativeError, match="user 1 has interacted with all items"):
            sampler.sample(np.array([1]), np.random.default_rng(0))
        return
    drawn = Counter(sampler.sample(np.full(3_000, 1), np.random.default_rng(1)).tolist())
    assert set(drawn) <= set(free)
    mass = np.array(list(free.values()))
    assert len(free) == 1 or chisquare([drawn[item] for item in free], 3_000 * mass / mass.sum()).pvalue > 1e-6


def test_a_user_who_owns_almost_everything_costs_one_draw_and_one_who_owns_all_is_named():
    """RecBole draws until it meets the one item that is left; with 1 M items that is a million rounds."""
    n_items = 1_000_001
    owned = np.delete(np.arange(1, n_items), 777_777)
    sampler = NegativeSampler(np.ones(len(owned), int), owned, item_weights("uniform", owned, n_items), 2)
    assert set(sampler.sample(np.ones(1_000, int), np.random.default_rng(0))) == {777_778}
    everything = np.arange(1, 5)
    sampler = NegativeSampler(np.ones(4, int), everything, item_weights("uniform", everything, 5), 2)
    with pytest.raises(NoNegativeError, match=r"user 1 has interacted with all items .*\(4\)"):
        sampler.sample(np.array([1]), np.random.default_rng(0))


def test_padding_is_never_popular():
    assert item_weights("popularity", np.array([0, 0, 1, 2, 2]), 4).tolist() == [0, 1, 2, 0]


def test_weights_count_for_item_0_as_for_any_other():
    sampler = NegativeSampler(np.array([1]), np.array([2]), np.array([3, 1, 1, 1]), 2)
    drawn = Counter(sampler.sample(np.ones(5_000, int), np.random.default_rng(0)).tolist())
    assert set(drawn) == {0, 1, 3}
    assert chisquare([drawn[item] for item in (0, 1, 3)], [3_000, 1_000, 1_000]).pvalue > 1e-3


def loader(k=1, size=6, distribution="uniform", **settings):
    config = {
        "seed": 3,
        "device": "cpu",
        "NEG_PREFIX": "neg_",
        "train_batch_size": size,
        "train_neg_sample_args": {"sample_num": k, "distribution": distribution, "alpha": 1.0},
        "positive_sampling": "interactions",
    }
    data = dataset(USERS, ITEMS, N_USERS, N_ITEMS)
    sampler = NegativeSampler(USERS, ITEMS, item_weights(distribution, ITEMS, N_ITEMS), N_USERS)
    return TrainLoader({**config, **settings}, data, sampler)


@pytest.mark.parametrize("k", [1, 3])
def test_an_epoch_serves_every_interaction_once_in_recboles_layout(k):
    batches = list(loader(k))
    assert len(batches) == len(loader(k)) == -(-len(USERS) // (6 // k))
    seen = []
    for batch in batches:
        assert set(batch.columns) == {"user_id", "item_id", "neg_item_id"}
        first = len(batch) // k
        for column in ("user_id", "item_id"):
            assert torch.equal(batch[column], batch[column][:first].repeat(k))
        seen += zip(batch["user_id"][:first].tolist(), batch["item_id"][:first].tolist(), strict=True)
        assert not HAD & set(zip(batch["user_id"].tolist(), batch["neg_item_id"].tolist(), strict=True))
    assert Counter(seen) == Counter(zip(USERS.tolist(), ITEMS.tolist(), strict=True))


def test_seeded_by_epoch_whatever_the_number_of_threads():
    def epochs(loader, count):
        return [[batch["neg_item_id"].tolist() for batch in loader] for _ in range(count)]

    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        first, second = epochs(loader(), 2)
    finally:
        torch.set_num_threads(threads)
    assert [first, second] == epochs(loader(), 2) and first != second
    resumed = loader()
    resumed.set_epoch(1)
    assert epochs(resumed, 1) == [second]
    assert epochs(loader(seed=4), 1) != [first]
    even = {"positive_sampling": "users"}
    assert epochs(loader(**even), 2) == epochs(loader(**even), 2) and epochs(loader(**even), 1) != [first]


@pytest.mark.parametrize("k", [1, 3])
def test_users_alike_then_one_of_their_interactions(k):
    """By its definition: 1 / (active users * interactions of the user), and negatives the user does not have."""
    served = loader(k, positive_sampling="users")
    assert sum(map(len, served)) == k * len(USERS)
    drawn = Counter()
    for batch in (batch for _ in range(1_500) for batch in served):
        pairs = list(zip(batch["user_id"].tolist(), batch["item_id"].tolist(), strict=True))
        drawn.update(pairs[: len(pairs) // k])
        assert not set(zip(batch["user_id"].tolist(), batch["neg_item_id"].tolist(), strict=True)) & HAD
        assert pairs == pairs[: len(pairs) // k] * k
    expected = Counter()
    for user, item in zip(USERS.tolist(), ITEMS.tolist(), strict=True):
        expected[user, item] += sum(drawn.values()) / 3 / (user == USERS).sum()
    assert set(drawn) == set(expected) == HAD
    assert chisquare([drawn[pair] for pair in expected], list(expected.values())).pvalue > 1e-3
