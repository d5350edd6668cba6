"""AlibabaLightGCN against RecBole's LightGCN, and in a world whose answer is known."""

import copy
import gzip
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.sparse import coo_matrix

import recbole_alibaba  # noqa: F401  (makes RecBole importable)
from recbole_alibaba.model.alibabalightgcn import AlibabaLightGCN

from recbole.data.interaction import Interaction  # isort: skip
from recbole.model.general_recommender.lightgcn import LightGCN  # isort: skip

SETTINGS = {
    "USER_ID_FIELD": "user_id",
    "ITEM_ID_FIELD": "item_id",
    "NEG_PREFIX": "neg_",
    "device": torch.device("cpu"),
    "embedding_size": 8,
    "n_layers": 3,
    "reg_weight": 1e-2,
    "require_pow": True,
    "init": "xavier",
    "init_std": 0.1,
    "convolution": "always",
    "shared_propagation": 1,
    "loss": "bpr",
    "temperature": 0.1,
    "popularity_exponent": 1.0,
    "positive_sampling": "interactions",
}


class World(SimpleNamespace):
    """What a model asks of a RecBole data set. Id 0 is padding, as in RecBole."""

    def __init__(self, users, items):
        counts = {"user_id": int(users.max()) + 1, "item_id": int(items.max()) + 1}
        feat = Interaction({"user_id": torch.as_tensor(users), "item_id": torch.as_tensor(items)})
        super().__init__(counts=counts, inter_feat=feat)

    def num(self, field):
        return self.counts[field]

    def inter_matrix(self, form):
        users, items = self.inter_feat["user_id"].numpy(), self.inter_feat["item_id"].numpy()
        return coo_matrix((np.ones(len(users)), (users, items)), shape=tuple(self.counts.values()))


def random_world(n_users, n_items, n_pairs, seed=0):
    """Users alike, items by a power law: the shape of a real log. No pair twice."""
    rng = np.random.default_rng(seed)
    popular = 1 / np.arange(1, n_items + 1) ** 0.8
    users = rng.integers(1, n_users + 1, n_pairs)
    items = 1 + rng.choice(n_items, n_pairs, p=popular / popular.sum())
    pairs = np.unique(np.stack((users, items)), axis=1)
    return World(*pairs)


def batch(world, size, seed):
    rng = np.random.default_rng(seed)
    at = torch.as_tensor(rng.integers(0, len(world.inter_feat), size))
    negatives = torch.as_tensor(rng.integers(1, world.counts["item_id"], size))
    feat = world.inter_feat
    return Interaction({"user_id": feat["user_id"][at], "item_id": feat["item_id"][at], "neg_item_id": negatives})


def models(world, **settings):
    pair = []
    for model in (AlibabaLightGCN, LightGCN):
        torch.manual_seed(1)
        pair.append(model({**SETTINGS, **settings}, world))
    return pair


def test_parts_add_up_to_recboles_loss_and_so_do_the_gradients():
    """With require_pow RecBole, too, takes half the squared norm over the batch: the factor is 1."""
    world = random_world(40, 60, 400)
    ours, theirs = models(world)
    for model in (ours, theirs):  # Scores and norms large enough that a wrong factor shows.
        for weight in model.parameters():
            weight.data.mul_(4)
    interaction = batch(world, 64, 5)
    bpr, reg = ours.calculate_loss(interaction)
    loss = theirs.calculate_loss(interaction)
    assert ours.loss_parts == ("bpr", "reg") and bpr.shape == reg.shape == ()
    assert reg.item() > 0.001
    assert math.isclose((bpr + reg).item(), loss.item(), rel_tol=1e-6)
    (bpr + reg).backward()
    loss.backward()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("init", ["xavier", "normal"])
def test_initialisation(init):
    world = random_world(40, 60, 400)
    ours, theirs = models(world, init=init, init_std=0.3)
    same = torch.equal(ours.user_embedding.weight, theirs.user_embedding.weight)
    assert same == (init == "xavier")
    if init == "normal":
        assert abs(ours.item_embedding.weight.std().item() - 0.3) < 0.05
        standard, _ = models(world, init=init, init_std=None)
        assert abs(standard.item_embedding.weight.std().item() - 0.1) < 0.02
    with pytest.raises(ValueError, match="'xavir' is not an initialisation"):
        models(world, init="xavir")


def ten_steps_equal_recboles(world, **settings):
    ours, theirs = models(world, reg_weight=1e-4, **settings)
    for model in (ours, theirs):
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.001, weight_decay=1e-5)
        for step in range(10):
            optimizer.zero_grad()
            parts = model.calculate_loss(batch(world, 2048, step))
            (sum(parts) if isinstance(parts, tuple) else parts).backward()
            optimizer.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, atol=1e-6, rtol=0)


@pytest.mark.parametrize("shape", [(943, 1682, 100_000), (3_700, 5_100, 101_000)], ids=["ml-100k", "Gowalla / 8"])
def test_parameters_after_ten_steps_equal_recboles(shape):
    ten_steps_equal_recboles(random_world(*shape), embedding_size=32)


@pytest.mark.slow
def test_parameters_after_ten_steps_equal_recboles_on_gowalla(shared_data):
    pairs = []
    with gzip.open(shared_data / "gowalla" / "train.txt.gz", "rt") as lines:
        for line in lines:
            user, *items = map(int, line.split())
            pairs += [(user + 1, item + 1) for item in items]
    ten_steps_equal_recboles(World(*np.array(pairs).T), embedding_size=8)


def test_predictions_equal_recboles_and_follow_the_parameters():
    world = random_world(40, 60, 400)
    ours, theirs = models(world)
    users = Interaction({"user_id": torch.arange(1, 9), "item_id": torch.arange(1, 9)})
    for _ in range(2):
        torch.testing.assert_close(ours.full_sort_predict(users), theirs.full_sort_predict(users))
        torch.testing.assert_close(ours.predict(users), theirs.predict(users))
        assert ours.forward()[0] is ours.forward()[0], "propagated again although nothing changed"
        theirs.restore_user_e = None  # RecBole forgets its tables in calculate_loss only.
        with torch.no_grad():
            for model in (ours, theirs):
                model.item_embedding.weight.mul_(-2)


def test_a_copy_and_a_loaded_state_predict_the_same():
    ours, _ = models(random_world(40, 60, 400))
    users = Interaction({"user_id": torch.arange(1, 9)})
    expected = ours.full_sort_predict(users)
    assert torch.equal(copy.deepcopy(ours).full_sort_predict(users), expected)
    other = AlibabaLightGCN(SETTINGS, random_world(40, 60, 400))
    other.forward()
    other.load_state_dict(ours.state_dict())
    assert torch.equal(other.full_sort_predict(users), expected)


def two_tastes():
    """60 users, 60 items, two halves: a user takes the 30 items of its half but the one that waits as the test.

    By chance that one is among the best 10 of the 31 items left with probability 10 / 31 = 0.32.
    """
    rng = np.random.default_rng(0)
    train, held_out = [], {}
    for user in range(1, 61):
        items = 1 + 30 * (user > 30) + rng.permutation(30)
        held_out[user] = items[:1]
        train += [(user, item) for item in items[1:]]
    return World(*np.array(train).T), held_out


def hit_at_10(model, world, held_out):
    scores = model.full_sort_predict(Interaction({"user_id": torch.arange(1, 61)})).view(60, -1)
    scores[:, 0] = -torch.inf
    scores[world.inter_feat["user_id"] - 1, world.inter_feat["item_id"]] = -torch.inf
    best = scores.topk(10).indices.numpy()
    return np.mean([bool(np.isin(best[user - 1], held_out[user]).any()) for user in held_out])


def train(lr, autocast=False, **settings):
    world, held_out = two_tastes()
    torch.manual_seed(2)
    model = AlibabaLightGCN({**SETTINGS, "reg_weight": 1e-5, **settings}, world)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    for step in range(60):
        optimizer.zero_grad()
        with torch.autocast("cpu", enabled=autocast):
            loss = sum(model.calculate_loss(batch(world, 256, step)))
        loss.backward()
        optimizer.step()
    return hit_at_10(model, world, held_out)


def test_two_tastes_are_learnt():
    assert train(lr=0.01) == 1.0


def test_float32_under_autocast():
    """A sparse product has no bfloat16: under `enable_amp` RecBole's own LightGCN stops here."""
    assert train(lr=0.01, autocast=True) == train(lr=0.01, autocast=True, loss="softmax") == 1.0


def test_a_softmax_learns_the_two_tastes():
    assert train(lr=0.01, loss="softmax") == 1.0


@pytest.mark.parametrize("size", [64, 2048], ids=["some rows", "all rows"])
def test_softmax_is_taken_over_the_items_of_the_batch(size):
    world = random_world(40, 60, 400)
    model, bpr = (AlibabaLightGCN(SETTINGS | {"loss": loss, "temperature": 0.2}, world) for loss in ("softmax", "bpr"))
    bpr.load_state_dict(model.state_dict())
    interaction = batch(world, size, 3)
    users, items = (torch.nn.functional.normalize(table, dim=1) for table in model.forward())
    there = torch.unique(interaction["item_id"])
    logits = users[interaction["user_id"]] @ items[there].T / 0.2
    expected = torch.nn.functional.cross_entropy(logits, torch.searchsorted(there, interaction["item_id"]))
    ranking, reg = model.calculate_loss(interaction)
    assert model.loss_parts == ("softmax", "reg") and model.popularity_exponent == 1.0
    torch.testing.assert_close(ranking, expected)
    interaction.interaction["neg_item_id"] = torch.zeros(size, dtype=torch.int64)  # of padding, whose row is nothing
    with torch.no_grad():
        bpr.item_embedding.weight[0] = 0
    torch.testing.assert_close(reg, bpr.calculate_loss(interaction)[1])


def test_a_loss_that_is_none_is_refused():
    with pytest.raises(ValueError, match="'softmx' is not a loss; use 'bpr' or 'softmax'"):
        models(random_world(4, 6, 20), loss="softmx")


@pytest.mark.parametrize("shortcut", [{"convolution": "after_training"}, {"shared_propagation": 4}])
def test_shortcuts_learn_the_two_tastes(shortcut):
    assert train(lr=0.01, **shortcut) == 1.0


def test_a_shared_propagation_is_exact_until_a_weight_moves():
    world = random_world(40, 60, 400)
    exact, shared = models(world)[0], models(world, shared_propagation=3)[0]
    for seed in range(3):  # One fresh batch, two that read its propagation.
        interaction = batch(world, 64, seed)
        torch.testing.assert_close(shared.calculate_loss(interaction), exact.calculate_loss(interaction))
    with torch.no_grad():
        for model in (exact, shared):
            model.user_embedding.weight.add_(0.1)
    fresh = shared.calculate_loss(batch(world, 64, 3))
    torch.testing.assert_close(fresh, exact.calculate_loss(batch(world, 64, 3)))


def test_batches_between_two_refreshes_correct_the_shared_propagation_by_layer_0():
    """With n = 3: batch 0 propagates, batches 1 and 2 add the change of their own rows, over K + 1."""
    world = random_world(40, 60, 400)
    model, _ = models(world, shared_propagation=3)
    interactions = [batch(world, 64, seed) for seed in range(3)]
    model.calculate_loss(interactions[0])
    users, items = (table.clone() for table in model.forward())
    moved = []
    with torch.no_grad():
        for table, final in ((model.user_embedding, users), (model.item_embedding, items)):
            change = torch.randn_like(table.weight)
            table.weight.add_(change)
            moved.append(final + change / (SETTINGS["n_layers"] + 1))
    for interaction in interactions[1:]:
        user, positive, negative = (
            moved[0][interaction["user_id"]],
            *(moved[1][interaction[name]] for name in ("item_id", "neg_item_id")),
        )
        expected = torch.nn.functional.softplus((user * (negative - positive)).sum(1)).mean()
        torch.testing.assert_close(model.calculate_loss(interaction)[0], expected)


def test_convolution_after_training_trains_factors_and_predicts_with_the_graph():
    world = random_world(40, 60, 400)
    exact, after = models(world)[0], models(world, convolution="after_training")[0]
    users = Interaction({"user_id": torch.arange(1, 9)})
    assert torch.equal(exact.full_sort_predict(users), after.full_sort_predict(users))
    interaction = batch(world, 64, 0)
    factors = [table.weight for table in (after.user_embedding, after.item_embedding)]
    user, positive, negative = (
        factors[0][interaction["user_id"]],
        *(factors[1][interaction[name]] for name in ("item_id", "neg_item_id")),
    )
    expected = torch.nn.functional.softplus((user * (negative - positive)).sum(1)).mean()
    torch.testing.assert_close(after.calculate_loss(interaction)[0], expected)


def test_a_learning_rate_of_nothing_learns_nothing():
    """Guards the world: were it solved without training, a trainer that does nothing would go unseen.

    Random vectors already get twice the chance of 0.32, because propagation smooths them along the graph.
    """
    assert train(lr=1e-8) == train(lr=0.0) < 0.75
