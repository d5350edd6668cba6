"""Each check just below and just above its threshold, on data and models made by hand."""

import copy
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from recbole.data.interaction import Interaction
from tiny import Tiny, batch, experiment, loader

from recbole_alibaba.diagnosis.checks.data_checks import amounts, leaks, population, swapped
from recbole_alibaba.diagnosis.checks.evaluation_check import evaluation
from recbole_alibaba.diagnosis.checks.forward_check import forward, table_sizes
from recbole_alibaba.diagnosis.checks.gradient_checks import gradients, optimiser_readings, overfits
from recbole_alibaba.diagnosis.checks.graph_check import graph
from recbole_alibaba.diagnosis.checks.interactions import Interactions, starts
from recbole_alibaba.diagnosis.checks.loss_checks import loss
from recbole_alibaba.diagnosis.checks.model_access import needs_own_training, of_kind
from recbole_alibaba.diagnosis.checks.negative_checks import negatives
from recbole_alibaba.diagnosis.checks.signal_check import co_occurrence, signal
from recbole_alibaba.diagnosis.findings import Finding, judge
from recbole_alibaba.model.graph import build_graph

LN2 = math.log(2)


def found(verdicts):
    return {verdict.finding.id: verdict.finding for verdict in verdicts if verdict.finding}


def skipped(verdicts):
    return {verdict.skipped for verdict in verdicts if verdict.skipped}


def data(pairs, n_users=None, n_items=None, held_out=()):
    users, items = np.asarray(pairs, np.int64).reshape(-1, 2).T
    n_users, n_items = n_users or int(users.max()) + 1, n_items or int(items.max()) + 1
    parts = [(name, *np.asarray(rows, np.int64).reshape(-1, 2).T) for name, rows in held_out]
    return Interactions(n_users, n_items, users, items, parts)


def grid(users, items, start=1):
    return [(user, item) for user in range(1, users + 1) for item in range(start, start + items)]


# Data


@pytest.mark.parametrize(
    ("pairs", "severity"), [(499, "error"), (500, "warning"), (999, "warning"), (1000, None), (1001, None)]
)
def test_a_thousand_pairs_are_enough(pairs, severity):
    thin = found(amounts(data(grid(50, 21)[:pairs] * 2, held_out=[("test", [(1, 1)])]))).get("thin-data")
    assert (thin and thin.severity) == severity
    assert thin is None or thin.number == pairs


@pytest.mark.parametrize(
    ("parts", "rows"),
    [
        ([], 0),
        ([("validation", []), ("test", [(1, 1)])], 0),
        ([("validation", [(1, 1)]), ("test", [])], 0),
        ([("validation", [(1, 1)]), ("test", [(1, 1)])], None),
    ],
)
def test_every_held_out_part_needs_a_row(parts, rows):
    nothing = found(amounts(data(grid(3, 3), held_out=parts))).get("nothing-held-out")
    assert (nothing and nothing.number) == rows


@pytest.mark.parametrize(
    ("name", "wrong", "well"),
    [
        ("few-users", grid(49, 60), grid(50, 60)),
        ("few-items", grid(60, 49), grid(60, 50)),
        ("users-seen-once", [(1, 1), (2, 1), (3, 1), (3, 2)], [(1, 1), (2, 1), (3, 1), (3, 2), (4, 1), (4, 2)]),
        ("one-user-dominates", [*grid(3, 2), (4, 1), (4, 2), (4, 3)], grid(4, 2)),
        ("one-user-dominates", grid(2, 2), grid(1, 4)),  # one user alone has all by necessity
    ],
)
def test_both_sides_of_the_population(name, wrong, well):
    assert name in found(population(data(wrong)))
    assert name not in found(population(data(well)))


def test_density_and_items_seen_once_are_shown():
    numbers = {verdict.id: verdict.number for verdict in population(data([(1, 1), (1, 2), (2, 2), (2, 3)]))}
    assert numbers["density"] == pytest.approx(4 / 6) and numbers["items-seen-once"] == pytest.approx(2 / 3)


def test_a_leak_into_one_part_is_enough():
    rows = grid(4, 4)
    clean, leaking = [(1, 9), (2, 9)], [(1, 9), (2, 2)]
    for parts in ((clean, leaking), (leaking, clean)):
        leaky = data(rows, held_out=zip(("validation", "test"), parts, strict=True), n_items=10)
        assert found(leaks(leaky, {}))["repeats-leak"].number == 0.5
        assert skipped(leaks(leaky, {"repeatable": True})) == {"repeats-are-the-task"}
    assert found(leaks(data(rows, held_out=[("test", clean)], n_items=10), {})) == {}
    assert leaks(data(rows, held_out=[("test", [])]), {}) == []


@pytest.mark.parametrize(
    ("users", "items", "well"),
    [("abcd", "wxyz", True), ("ab12", "34yz", True), ("ab12", "3xyz", False), ("abc2", "3xyz", True)],
)
def test_swapped_columns_by_the_share_of_described_ids(users, items, well):
    assert swapped(set(users), set(items), set("12345678"))[1] is well


def test_first_items_of_lists_are_taken_once_a_user():
    rows = Interaction({
        "user_id": torch.tensor([1, 1, 2]), "item_id_list": torch.tensor([[7, 0], [7, 8], [9, 0]]),
        "item_length": torch.tensor([1, 2, 1]),
    })  # fmt: skip
    named = {"LIST_SUFFIX": "_list", "ITEM_LIST_LENGTH_FIELD": "item_length"}
    fields = SimpleNamespace(uid_field="user_id", iid_field="item_id")
    assert [part.tolist() for part in starts(rows, named, fields)] == [[1, 2], [7, 9]]
    assert [part.tolist() for part in starts(rows, {}, fields)] == [[], []]


# Signal


def test_items_with_the_same_users_are_ties_and_count_half():
    # Users 4 and 5 have item 1. Items 2 and 3 co-occur with it through the same two users.
    train = data([(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (4, 1), (5, 1)], n_users=6)
    measured = co_occurrence(train, np.array([4, 5]), np.array([2, 3]))
    assert (measured.auc, measured.pairs, measured.supported) == (0.5, 2, 2)


def two_groups(held, alone=0, linked=False):
    """Users 1 to 400 in two groups with 20 items each. The held-out pairs fit; `alone` of them are of new items.

    If the groups are linked, every user has one item of the other group, too.
    """
    draw = np.random.default_rng(1)
    rows, out = [], []
    for user in range(1, 401):
        mine = draw.permutation(20)[:7] + 1 + 20 * (user % 2)
        rows += [(user, item) for item in mine[:6]] + [(user, (mine[0] + 19) % 40 + 1)] * linked
        out.append((user, mine[6]))
    out = out[:held]
    out[:alone] = [(user, 41 + at) for at, (user, _) in enumerate(out[:alone])]
    return data(rows, n_items=500, held_out=[("test", out)])


@pytest.mark.parametrize(("held", "alone", "reason"), [(199, 0, "too-few-held-out"), (200, 0, None)])
def test_two_hundred_held_out_pairs_are_judged(held, alone, reason):
    assert skipped(signal(two_groups(held, alone))) == ({reason} if reason else set())


def test_two_hundred_of_them_must_co_occur():
    assert found(signal(two_groups(300, 100))) == {}
    unknown = found(signal(two_groups(300, 101)))["signal-unknown"]
    assert (unknown.number, unknown.values["pairs"]) == (199, 300)
    assert unknown.values["unseen"] == pytest.approx(101 / 300)


def test_labels_are_judged_by_the_auc():
    """The more held-out items are exchanged for items of the other group, the lower the AUC; 0.55 is the limit."""
    numbers = []
    for exchanged in range(160, 240, 2):
        whole = two_groups(400, linked=True)
        (name, users, items) = whole.held_out[0]
        items = np.where(np.arange(400) < exchanged, (items + 19) % 40 + 1, items)
        mixed = Interactions(whole.n_users, whole.n_items, whole.users, whole.items, [(name, users, items)])
        (verdict,) = signal(mixed)
        assert (verdict.finding is not None) == (verdict.number < 0.55)
        numbers.append(verdict.number)
    assert max(n for n in numbers if n < 0.55) > 0.54 and min(n for n in numbers if n >= 0.55) < 0.56


# Negatives


def negatives_of(rows, sampled, held_out=(), **settings):
    made = experiment(Tiny(), [sampled], **settings)
    return found(negatives(made, data(rows, 6, 9, held_out)))


def test_a_sampled_negative_is_no_positive():
    rows = [(1, 1), (2, 2)]
    assert "sampler-hits-positives" not in negatives_of(rows, batch([1, 2], [1, 2], [2, 1]))
    assert negatives_of(rows, batch([1, 2], [1, 2], [2, 2]))["sampler-hits-positives"].number == 0.5


def test_negatives_are_spread_unless_they_follow_popularity():
    # 8 items and many draws: a uniform draw shows all 8, so 4 are the least.
    four, three = (batch([1] * 400, [8] * 400, list(range(1, kinds + 1)) * (400 // kinds) + [1] * (400 % kinds))
                   for kinds in (4, 3))  # fmt: skip
    assert "narrow-negatives" not in negatives_of([(1, 8)], four)
    assert negatives_of([(1, 8)], three)["narrow-negatives"].number == pytest.approx(3 / 8)
    by_popularity = {"train_neg_sample_args": {"distribution": "popularity"}}
    assert "narrow-negatives" not in negatives_of([(1, 8)], three, **by_popularity)
    # 8 draws show 8 (1 - (7/8) ** 8) = 5.25 of 8 items on average, so 3 are the least.
    three, two = (batch([1] * 8, [8] * 8, [1, 2, kinds, *[1] * 5]) for kinds in (3, 2))
    assert "narrow-negatives" not in negatives_of([(1, 8)], three)
    assert negatives_of([(1, 8)], two)["narrow-negatives"].number == pytest.approx(2 / (8 * (1 - (7 / 8) ** 8)))


@pytest.mark.parametrize(("owned", "severity"), [(8, None), (9, "warning"), (10, "error")])
def test_a_user_who_owns_nearly_everything(owned, severity):
    model = Tiny(4, 11)
    for rows, held in ((grid(1, owned), []), (grid(1, owned - 2), grid(1, 2, owned - 1))):
        made = negatives(experiment(model), data(rows, 4, 11, [("test", held)]))
        owner = found(made).get("owns-everything")
        assert (owner and owner.severity) == severity


def test_a_model_without_negatives_is_not_judged():
    plain = Interaction({"user_id": torch.tensor([1]), "item_id": torch.tensor([1])})
    assert skipped(negatives(experiment(Tiny(), [plain]), data([(1, 1)], 6, 9))) == {"no-negatives"}


# Forward pass


class Scores(Tiny):
    """predict gives the scores that it was made with, the same for each user."""

    def __init__(self, scores):
        super().__init__(n_users=4, n_items=len(scores) + 1)
        self.scores = torch.tensor(scores, dtype=torch.float64)

    def predict(self, batch):
        return self.scores.repeat(self.n_users - 1)


def test_scores_must_differ_unless_they_are_tiny():
    # The standard deviation of (1 - x, 1 + x) is x times the root of 2.
    for spread, constant in ((1.1e-6, False), (0.9e-6, True)):
        x = spread / 2**0.5
        assert ("constant-scores" in found(forward(experiment(Scores([1 - x, 1 + x]))))) is constant
    for size, constant in ((1.1e-6, True), (0.9e-6, False)):
        assert ("constant-scores" in found(forward(experiment(Scores([size, size]))))) is constant


def test_scores_must_be_finite_and_one_a_row():
    assert found(forward(experiment(Scores([1.0, 2.0, 3.0])))) == {}
    broken = found(forward(experiment(Scores([1.0, math.inf, 3.0, 4.0]))))["forward-not-finite"]
    assert broken.number == 0.25
    model = Scores([1.0, 2.0])
    model.scores = torch.ones(3)
    assert set(found(forward(experiment(model)))) == {"forward-shape"}


def tables(norm, spread=1.0):
    """A model whose user rows have this norm and this distance from their mean, over the norm."""
    model = Tiny(n_users=5, n_items=9)
    signs = torch.tensor([[0.0], [1], [1], [-1], [-1]])
    rows = torch.cat([(1 - spread**2) ** 0.5 * torch.ones(5, 1), spread * signs, torch.zeros(5, 2)], 1)
    model.user_embedding.weight.data = norm * rows
    return experiment(model)


@pytest.mark.parametrize(
    ("name", "wrong", "well"),
    [
        ("init-too-small", tables(0.9e-3), tables(1.1e-3)),
        ("init-too-large", tables(50.1), tables(49.9)),
        ("rows-start-equal", tables(1.0, 0.049), tables(1.0, 0.051)),
    ],
)
def test_both_sides_of_the_tables_sizes(name, wrong, well):
    assert name in found(table_sizes(wrong))
    assert found(table_sizes(well)) == {}


def test_half_precision_is_found():
    assert "half-precision" in found(table_sizes(experiment(Tiny().half())))
    assert "half-precision" not in found(table_sizes(experiment(Tiny().double())))


# Graph


def graph_of(rows, n_users=6, n_items=9, weight=1.0, edges=None):
    model = Tiny(n_users, n_items)
    users, items = np.asarray(rows).T
    square = torch.zeros(n_users + n_items, n_users + n_items, dtype=torch.float64)
    degree = np.bincount(users)[users] * np.bincount(items)[items]
    square[users, items + n_users] = torch.tensor(1 / np.sqrt(degree))
    square[users[0], items[0] + n_users] *= weight
    model.norm_adj_matrix = square.to_sparse()
    return found(graph(experiment(model), data(rows, n_users, n_items)))


def test_the_weight_of_every_edge_counts():
    rows = grid(5, 8)
    assert graph_of(rows, weight=1.0009) == {}
    assert set(graph_of(rows, weight=1.0011)) == {"graph-differs"}
    assert set(graph_of(rows, weight=0.9989)) == {"graph-differs"}


def test_half_of_the_nodes_may_be_isolated():
    # 4 users and 4 items; the edges touch 4 nodes, then 3.
    assert graph_of([(1, 1), (2, 2)], 5, 5) == {}
    assert set(graph_of([(1, 1), (2, 1)], 5, 5)) == {"isolated-nodes"}


@pytest.mark.parametrize("small", [10_000, 0])
def test_a_graph_in_another_order_of_nodes_is_the_same_graph(small):
    draw = np.random.default_rng(4)
    rows = np.unique(np.stack([draw.integers(1, 12, 60), draw.integers(1, 20, 60)], 1), axis=0)
    model = Tiny(12, 20)
    model.graph = build_graph(rows[:, 0], rows[:, 1], 12, 20, small=small)
    # The permutation is not its own inverse, so order and rank differ.
    assert torch.equal(model.graph.user_order, model.graph.user_rank) == bool(small)
    assert found(graph(experiment(model), data(rows, 12, 20))) == {}
    model.graph = build_graph(rows[:, 0], rows[:, 1] % 19 + 1, 12, 20, small=small)
    assert "graph-differs" in found(graph(experiment(model), data(rows, 12, 20)))


# Loss


class Margins(Tiny):
    """Scores 0 for negatives and this for positives, so the loss is known: softplus(-margin)."""

    def __init__(self, margin, factor=1.0, scale=1.0):
        super().__init__(scale=scale)
        self.margin, self.factor = torch.nn.Parameter(torch.tensor([[margin]])), factor

    def predict(self, batch):
        return self.margin[0] * (batch[self.ITEM_ID] == 1) + 0 * self.user_embedding(batch[self.USER_ID]).sum(1)

    def calculate_loss(self, batch):
        return self.factor * super().calculate_loss(batch)


PAIRS = batch([1, 2, 3, 4], [1, 1, 1, 1], [2, 3, 4, 5])


def margin(value):
    """The margin at which softplus(-margin) has this value."""
    return -math.log(math.expm1(value))


@pytest.mark.parametrize(
    ("value", "fresh"),
    [(LN2 / 2 + 1e-3, True), (LN2 / 2 - 1e-3, False), (LN2 + 0.099, True), (LN2 + 0.101, False)],
)
def test_the_fresh_loss_is_near_ln2(value, fresh):
    assert ("fresh-loss" not in found(loss(experiment(Margins(margin(value))), PAIRS))) is fresh


@pytest.mark.parametrize(
    ("factor", "settings", "same"),
    [
        (1.0 + 0.0099 / LN2, {}, True),
        (1.0 + 0.0101 / LN2, {}, False),
        (1.0 - 0.0101 / LN2, {}, False),
        (1.5, {"reg_weight": 1e-5}, True),  # one number that includes the regularisation
        (0.9, {"reg_weight": 1e-5}, False),
        (1.5, {"reg_weight": 0.0}, False),
    ],
)
def test_the_loss_is_that_of_the_scores(factor, settings, same):
    made = experiment(Margins(0.0, factor), **settings)
    assert ("loss-differs" not in found(loss(made, PAIRS))) is same


@pytest.mark.parametrize(("factor", "fresh"), [(1.99, True), (2.01, False)])
def test_regularisation_in_the_loss_may_be_as_large_as_the_loss_of_the_scores(factor, fresh):
    verdicts = loss(experiment(Margins(0.0, factor), reg_weight=1e-5), PAIRS)
    assert ("fresh-loss" not in found(verdicts)) is fresh


def test_a_model_without_predict_is_judged_by_its_own_loss():
    class NoPredict(Tiny):
        def predict(self, batch):
            raise NotImplementedError

        def calculate_loss(self, batch):
            return self.loss(super().predict(batch), 0.0) + 9

    verdicts = loss(experiment(NoPredict()), PAIRS)
    assert "no-predict" in skipped(verdicts) and found(verdicts)["fresh-loss"].number > 9


@pytest.mark.parametrize(("size", "cause"), [(49.0, "loss-differs"), (51.0, "init-too-large")])
def test_why_a_fresh_loss_is_not_ln2(size, cause):
    model = Margins(0.0, 3.0)
    for table in (model.user_embedding, model.item_embedding):
        table.weight.data = torch.full(table.weight.shape, size / 2)
    assert found(loss(experiment(model), PAIRS))["fresh-loss"].causes == (cause,)


def test_scores_far_apart_are_why_a_loss_that_is_right_is_not_ln2():
    assert found(loss(experiment(Margins(margin(2.0))), PAIRS))["fresh-loss"].causes == ("init-too-large",)


@pytest.mark.parametrize(
    ("reg", "causes"),
    [(0.01, ("loss-differs",)), (0.011, ("strong-regularisation", "loss-differs"))],
)
def test_a_loss_below_that_of_the_scores_under_regularisation(reg, causes):
    model = Margins(margin(2.0), 0.5)
    assert found(loss(experiment(model, reg_weight=reg), PAIRS))["fresh-loss"].causes == causes


class Bent(torch.autograd.Function):
    """The identity, whose gradient is multiplied."""

    @staticmethod
    def forward(context, value, factor):
        context.factor = factor
        return value.clone()

    @staticmethod
    def backward(context, gradient):
        return context.factor * gradient, None


class Sloped(Tiny):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def calculate_loss(self, batch):
        return Bent.apply(super().calculate_loss(batch), self.factor)


@pytest.mark.parametrize(("factor", "right"), [(1.0, True), (1.04, True), (1.06, False), (0.94, False)])
def test_the_gradient_is_the_slope(factor, right):
    # A slope that is d where s was claimed is off by |d - s| / s.
    assert ("gradient-differs" not in found(loss(experiment(Sloped(factor)), PAIRS))) is right


def test_the_check_of_the_gradient_leaves_the_parameters_as_they_were():
    model = Tiny()
    before = copy.deepcopy(model.state_dict())
    loss(experiment(model), PAIRS)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_loss_of_hand_made_scores_is_known():
    model = Tiny()
    assert "loss-on-hand-made-scores" not in found(loss(experiment(model), PAIRS))
    model.loss.forward = lambda positive, negative: 1.001 * torch.nn.functional.softplus(negative - positive).mean()
    assert "loss-on-hand-made-scores" in found(loss(experiment(model), PAIRS))


# Gradients


def clipped(share):
    """The finding where gradients are clipped at this share of their norm."""
    model = Tiny()
    model.calculate_loss(PAIRS).backward()
    norm = float(torch.cat([parameter.grad.ravel() for parameter in model.parameters()]).norm())
    made = experiment(model, clip_grad_norm={"max_norm": share * norm, "norm_type": 2})
    return found(gradients(made, PAIRS)).get("clip-too-tight")


@pytest.mark.parametrize(("share", "severity"), [(1.01, None), (0.99, "advice"), (0.101, "advice"), (0.099, "warning")])
def test_clipping_against_the_gradient_s_norm(share, severity):
    tight = clipped(share)
    assert (tight and tight.severity) == severity


def test_eps_is_compared_with_the_clipped_gradient():
    assert found(gradients(experiment(Tiny()), PAIRS)) == {}
    made = experiment(Tiny(), clip_grad_norm={"max_norm": 1e-9})
    assert set(found(gradients(made, PAIRS))) == {"clip-too-tight", "eps-swallows-gradient"}


def test_what_a_backward_pass_and_the_optimiser_miss():
    model = Tiny()
    assert found(gradients(experiment(model), PAIRS)) == {}
    model.item_embedding.weight.requires_grad_(False)
    assert set(found(gradients(experiment(model), PAIRS))) == {"frozen-table"}
    model = Tiny()
    model.spare = torch.nn.Parameter(torch.ones(3))
    unused = found(gradients(experiment(model), PAIRS))["no-gradient"]
    assert (unused.severity, unused.values["names"]) == ("advice", "spare")  # no table
    cut = Margins(0.0)
    assert found(gradients(experiment(cut), PAIRS))["no-gradient"].severity == "error"
    some = SimpleNamespace(optimizer=torch.optim.Adam([Tiny().user_embedding.weight]))
    missed = found(gradients(experiment(Tiny(), trainer=some), PAIRS))["optimiser-misses-parameters"]
    assert missed.number == 2


@pytest.mark.parametrize(("below", "ill"), [(79, False), (81, True)])
def test_eps_against_the_gradient_s_entries(below, ill):
    model = Tiny(n_users=2, n_items=2)
    model.item_embedding.weight.requires_grad_(False)
    optimizer = torch.optim.Adam([model.user_embedding.weight], eps=1e-3)
    model.user_embedding.weight.data = torch.ones(2, 100)
    model.user_embedding.weight.grad = torch.tensor([[0.0] * 100, [1e-4] * below + [1.0] * (100 - below)])
    verdicts = optimiser_readings(experiment(model, trainer=SimpleNamespace(optimizer=optimizer)))
    assert ("eps-swallows-gradient" in found(verdicts)) is ill  # more than 80 %


@pytest.mark.parametrize(("outweighed", "ill"), [(1, False), (2, True)])
def test_decay_against_the_gradient_s_rows(outweighed, ill):
    model = Tiny(n_users=5, n_items=2)
    optimizer = torch.optim.Adam([model.user_embedding.weight], weight_decay=0.1)
    model.user_embedding.weight.data = torch.ones(5, 4)  # decay pulls by 0.1 times a norm of 2
    rows = [[0.0999] * 4] * outweighed + [[0.1001] * 4] * (4 - outweighed)
    model.user_embedding.weight.grad = torch.tensor([[0.0] * 4, *rows])
    made = experiment(
        model, trainer=SimpleNamespace(optimizer=optimizer), learner="adam", weight_decay=0.1
    )  # half of the rows
    assert ("coupled-decay" in found(optimiser_readings(made))) is ill


class Floor(Tiny):
    """A loss that cannot fall below this."""

    def __init__(self, floor):
        super().__init__()
        self.floor = floor

    def calculate_loss(self, batch):
        return super().calculate_loss(batch) + self.floor


@pytest.mark.parametrize(("floor", "stuck"), [(0.0999, False), (0.1001, True)])
def test_one_batch_can_be_overfitted(floor, stuck):
    verdicts = overfits(experiment(Floor(floor)), batch([1, 2], [1, 2], [3, 4]))
    assert ("cannot-overfit" in found(verdicts)) is stuck


class Upside(Tiny):
    """A loss that falls while the scores' own loss rises by this much in one step."""

    def __init__(self, rise):
        super().__init__()
        self.rise, self.steps = rise, 0

    def predict(self, batch):
        raised = margin(LN2 + self.rise) if self.steps else 0.0
        return raised * (batch[self.ITEM_ID] == 1) + 0 * super().predict(batch)

    def calculate_loss(self, batch):
        self.steps += 1
        return self.user_embedding.weight.pow(2).sum()


@pytest.mark.parametrize(("rise", "upside"), [(0.049, False), (0.051, True)])
def test_the_scores_loss_may_not_rise_while_the_loss_falls(rise, upside):
    verdicts = overfits(experiment(Upside(rise)), PAIRS, steps=5)
    assert ("loss-upside-down" in found(verdicts)) is upside


# Evaluation


def judged(result, held=2, **how):
    """The verdict on an evaluation that gives this result; users 1 and 2 have `held` held-out items each."""
    model, asked = Tiny(), []

    def evaluate(valid, load_best_model):
        valid.kept = True  # an evaluation may keep what it computed on its loader
        asked.append((trainer.model, load_best_model))
        return result

    trainer = SimpleNamespace(evaluate=evaluate, model=model)
    valid = loader(*np.array([(user, item) for user in (1, 2) for item in range(1, held + 1)]).T)
    before = copy.copy(vars(valid))
    verdicts = evaluation(experiment(model, valid=valid, trainer=trainer), **how)
    assert vars(valid) == before and trainer.model is model
    if asked:
        ((oracle, best),) = asked
        rows = Interaction({"user_id": torch.tensor([1, 2]), "item_id": torch.tensor([1, held + 1])})
        assert oracle.predict(rows).tolist() == [1.0, 0.0] and not best
        assert oracle.full_sort_predict(rows).view(2, 9)[0].sum() == held
    return verdicts


@pytest.mark.parametrize(
    ("result", "held", "broken"),
    [
        ({"ndcg@10": 0.991, "recall@10": 0.1}, 2, False),
        ({"ndcg@10": 0.989, "recall@10": 1.0}, 2, True),
        ({"recall@1": 0.25, "precision@5": 0.1}, 4, False),
        ({"recall@1": 0.25, "recall@4": 0.98}, 4, True),  # the longest list counts
        ({"recall@1": 0.25, "recall@4": 1.0}, 4, False),
        ({"recall@1": 0.248}, 4, False),  # 0.99 of the best recall, 1 / 4
        ({"recall@1": 0.247}, 4, True),
        ({"recall@4": 0.98}, 2, True),
        ({"precision@5": 0.011}, 2, False),
        ({"precision@5": 0.009}, 2, True),
        ({}, 2, True),
        (None, 2, True),
    ],
)
def test_an_oracle_gets_the_best_value(result, held, broken):
    assert ("evaluation-broken" in found(judged(result, held))) is broken


@pytest.mark.parametrize(("by_row", "ranked"), [(False, [[3], [3], [5]]), (True, [[3], [4], [5]])])
def test_rows_of_label_0_are_no_held_out_items(by_row, ranked):
    """And a sequence model ranks each row against its own item."""
    asked, rows = [], batch([1, 1, 2], [3, 4, 5], [1, 1, 1])
    trainer = SimpleNamespace(evaluate=lambda *_, **__: asked.append(trainer.model) or {"logloss": 0.5}, model=Tiny())
    valid = loader(np.array([1, 1, 2]), np.array([3, 4, 5]))
    valid._dataset.inter_feat["label"] = torch.tensor([1.0, 0.0, 1.0])
    valid.is_sequential = by_row
    verdicts = evaluation(experiment(trainer.model, valid=valid, trainer=trainer, LABEL_FIELD="label"))
    assert skipped(verdicts) == {"another-metric"}
    (oracle,) = asked
    assert oracle.predict(rows).tolist() == [1.0, 0.0, 1.0]
    assert [row.nonzero().flatten().tolist() for row in oracle.full_sort_predict(rows).view(3, 9)] == ranked


def test_what_is_too_large_to_evaluate():
    assert skipped(judged({"ndcg@10": 0.0}, most=53)) == {"too-large-to-evaluate"}
    assert found(judged({"ndcg@10": 0.0}, most=54))  # 6 users times 9 items
    assert skipped(evaluation(experiment(Tiny()))) == {"too-large-to-evaluate"}


def test_findings_of_a_known_loss_are_not_made_for_other_models_of_recbole():
    """Their losses may have more terms, and a part may rest; a model of the user's own is judged."""
    from recbole.model.general_recommender import BPR, NCL

    class Mine(BPR): ...

    doubtful, certain = (
        judge("loss", Finding(name, "error", 1.0, 0.0), False) for name in ("loss-differs", "clip-too-tight")
    )
    for kind, judged in ((BPR, True), (NCL, False), (Mine, True)):
        ours, theirs = of_kind([doubtful, certain], kind.__new__(kind))
        assert (ours.finding is not None) is judged and theirs.finding is not None


def test_which_models_a_batch_alone_gives_no_loss():
    from recbole.model.abstract_recommender import GeneralRecommender
    from recbole.model.general_recommender import BPR, MacridVAE, RecVAE

    class Nothing(GeneralRecommender): ...

    class Clusters(BPR):
        def e_step(self): ...

    class Optional(BPR):
        def calculate_loss(self, interaction, weight=1.0): ...

    for kind, own in (
        (BPR, False), (Optional, False), (MacridVAE, False), (RecVAE, True), (Nothing, True), (Clusters, True)
    ):  # fmt: skip
        assert needs_own_training(kind.__new__(kind)) is own, kind


def test_sizes_of_the_interactions():
    counted = data([(1, 1), (1, 1), (2, 3)], 6, 9)
    assert counted.sizes() == {"items": 8, "users": 5, "train": 3, "repeats": 1}
