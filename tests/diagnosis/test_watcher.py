"""The watcher's readings against slow definitions; watching changes nothing."""

import copy

import pytest
import torch
from faults.setups import Fault, builder
from faults.worlds import two_tastes

from recbole_alibaba.diagnosis.checks.model_access import first_batches
from recbole_alibaba.diagnosis.monitor.epoch_record import gradient_means, mean_losses
from recbole_alibaba.diagnosis.monitor.probe import Probe
from recbole_alibaba.diagnosis.monitor.score_readings import score_readings
from recbole_alibaba.diagnosis.monitor.short_training import FirstBatches, train_briefly
from recbole_alibaba.diagnosis.monitor.watcher import LOOKS, Watcher


class Small(torch.nn.Module):
    """Two tables as RecBole's general models have them."""

    n_users, n_items = 9, 12

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.user_embedding = torch.nn.Embedding(9, 4)
        self.item_embedding = torch.nn.Embedding(12, 4)
        with torch.no_grad():
            for table in (self.user_embedding.weight, self.item_embedding.weight):
                table.copy_(torch.randn(table.shape, generator=generator))


def step(model, optimizer, watcher):
    optimizer.zero_grad()
    watcher.before_forward()
    (model.user_embedding.weight[2:5] * model.item_embedding.weight[3:6]).sum().backward()
    watcher.after_backward(model, optimizer)
    optimizer.step()


def test_a_few_batches_are_read_and_each_epoch_begins_with_the_first():
    model = Small()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    watcher = Watcher(model, batches=3 * LOOKS)
    for _ in range(2):
        watcher.start_epoch()
        looked = []
        for _ in range(7):
            looked.append(watcher.looking)
            step(model, optimizer, watcher)
        assert looked == [True, False, False, True, False, False, True]


def test_means_of_an_epoch():
    assert mean_losses(["bpr", "reg"], [6.0, 3.0], 3) == {"loss": 3.0, "bpr": 2.0, "reg": 1.0}
    assert mean_losses(["bpr"], [6.0, 3.0], 3) == {"loss": 3.0, "bpr": 2.0}
    assert mean_losses(["bpr"], [0.0], 0) == {"loss": 0.0, "bpr": 0.0}
    assert gradient_means(6.0, 1, 4) == {"grad_norm": 1.5, "clipped": 0.25}
    assert gradient_means(0.0, 0, 0) == {"grad_norm": 0.0, "clipped": 0.0}


def test_readings_by_hand():
    model = Small()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, weight_decay=0.01, eps=0.5)
    watcher = Watcher(model, batches=1)
    watcher.start_epoch()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    step(model, optimizer, watcher)
    read = watcher.end_epoch()
    user, item = before["user_embedding.weight"], before["item_embedding.weight"]
    assert read["user_norm_start"] == pytest.approx(float(user[1:].norm(dim=1).mean()))
    now = model.item_embedding.weight.detach()[1:]
    assert read["item_norm"] == pytest.approx(float(now.norm(dim=1).mean()))
    spread = (now - now.mean(0)).norm(dim=1).mean() / now.norm(dim=1).mean()
    assert read["item_spread"] == pytest.approx(float(spread))
    # The gradient of a user row is the item row it met, and the other way round.
    below = [(item[3:6].abs() < 0.5).float().mean(), (user[2:5].abs() < 0.5).float().mean()]
    assert read["below_eps"] == pytest.approx(float(sum(below) / 2)) and read["eps"] == 0.5
    # Coupled decay outweighs the gradient on every row that got none.
    rows = [(0.01 * user[1:].norm(dim=1)) > torch.zeros(8).index_copy(0, torch.arange(1, 4), item[3:6].norm(dim=1))]
    rows.append(
        (0.01 * item[1:].norm(dim=1)) > torch.zeros(11).index_copy(0, torch.arange(2, 5), user[2:5].norm(dim=1))
    )
    assert read["decay_share"] == pytest.approx(float(sum(row.float().mean() for row in rows) / 2))
    changes = [
        (model.user_embedding.weight[2:5] - user[2:5]).norm() / user[2:5].norm(),
        (model.item_embedding.weight[3:6] - item[3:6]).norm() / item[3:6].norm(),
    ]
    assert read["update_ratio"] == pytest.approx(float(sum(changes).detach() / 2), rel=1e-5)
    assert read["unmoved"] == [] and read["parameters"] == 2


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.SGD])
def test_decay_that_is_not_coupled_has_no_share(kind):
    model = Small()
    optimizer = kind(model.parameters(), lr=0.1, weight_decay=0.01)
    watcher = Watcher(model, batches=1)
    watcher.start_epoch()
    step(model, optimizer, watcher)
    assert "decay_share" not in watcher.end_epoch()


def test_gradients_that_are_never_cleared_are_seen():
    model = Small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for cleared, expected in ((True, 0.0), (False, 1.0)):
        watcher = Watcher(model, batches=4)
        watcher.start_epoch()
        for _ in range(4):
            if cleared:
                optimizer.zero_grad(set_to_none=False)
            watcher.before_forward()
            model.user_embedding.weight[1:3].sum().backward()
            watcher.after_backward(model, optimizer)
        assert watcher.end_epoch().get("stale", 0.0) == expected
        optimizer.zero_grad()


def test_a_table_outside_the_optimiser_is_named():
    model = Small()
    optimizer = torch.optim.SGD([model.user_embedding.weight], lr=0.1)
    watcher = Watcher(model, batches=1)
    watcher.start_epoch()
    step(model, optimizer, watcher)
    assert watcher.end_epoch()["unmoved"] == ["item_embedding.weight"]


@pytest.fixture(params=["AlibabaLightGCN", "BPR", "NeuMF"])
def build(request, tmp_path):
    return builder(Fault("healthy", "", model=request.param), two_tastes(), tmp_path, healthy=True)[0]


def test_watching_changes_no_weight(build):
    """Two epochs through the trainer's own loop, with the probe attached and without."""
    watched = build({})
    train_briefly(watched, 100, epochs=2, evaluate=False)
    plain = build({})  # building seeds numpy's generator, from which RecBole draws negatives
    for epoch in range(2):
        plain.trainer._train_epoch(FirstBatches(plain.train_data, 100), epoch)
    for name, weight in plain.model.state_dict().items():
        assert torch.equal(weight, watched.model.state_dict()[name]), name


def test_the_score_readings_are_means_over_predictions(build):
    experiment = build({})
    model, batch = experiment.model, first_batches(experiment, 1)[0]
    read = score_readings(model, batch)
    assert model.training
    model.eval()
    with torch.no_grad():
        if model.NEG_ITEM_ID in batch:
            other = copy.deepcopy(batch)
            other.interaction[model.ITEM_ID] = batch[model.NEG_ITEM_ID]
            gaps = (model.predict(batch) - model.predict(other)).double()
            expected, loss = float(gaps.mean()), float(torch.log1p(torch.exp(-gaps)).mean())
        else:
            positive = batch[model.LABEL] == 1
            scores = model.predict(batch).double()  # NeuMF predicts probabilities
            expected = float(scores[positive].mean() - scores[~positive].mean())
            loss = -float(torch.cat([scores[positive].log(), (1 - scores[~positive]).log()]).mean())
    assert read["score_gap"] == pytest.approx(expected, abs=1e-5)
    assert read["score_loss"] == pytest.approx(loss, abs=1e-5)


def test_a_few_rows_have_no_score_loss(build):
    """The last batch of an epoch may hold one pair, whose loss may be 5 in the best of models."""
    experiment = build({})
    batch = first_batches(experiment, 1)[0]
    assert set(score_readings(experiment.model, batch[:63])) == {"score_gap"}
    assert set(score_readings(experiment.model, batch[:64])) == {"score_gap", "score_loss"}


def test_the_probe_keeps_a_full_batch(build):
    experiment = build({})
    probe = Probe(experiment, len(experiment.train_data), ranking=False)
    with probe.attached():
        experiment.trainer._train_epoch(experiment.train_data, 0)
    sizes = [len(batch) for batch in experiment.train_data]
    assert sizes[-1] < sizes[0] == len(probe.batch)


@pytest.mark.parametrize(("limit", "clipped"), [(1e-6, 1.0), (1e6, 0.0), (None, 0.0)])
def test_the_share_of_clipped_steps(tmp_path, limit, clipped):
    asked = {"clip_grad_norm": {"max_norm": limit, "norm_type": 2}} if limit else {}
    build, _ = builder(Fault("clip", "", model="BPR", twin=asked), two_tastes(), tmp_path, healthy=True)
    (record,) = train_briefly(build({}), 3, epochs=1, evaluate=False)
    assert record["clipped"] == clipped and record["grad_norm"] > 1e-6


def test_a_loss_that_is_no_number_ends_the_training_and_says_where(build):
    experiment = build({})
    inner, count = experiment.model.calculate_loss, iter(range(1000))

    def poisoned(batch):
        result = inner(batch)
        scale = float("nan") if next(count) == 7 else 1.0
        return tuple(part * scale for part in result) if isinstance(result, tuple) else result * scale

    experiment.model.calculate_loss = poisoned
    history = train_briefly(experiment, 100, epochs=4)
    where = divmod(7, len(experiment.train_data))
    assert (history[-1]["epoch"], history[-1]["not_finite"]["batch"]) == where
    assert len(history) == where[0] + 1


def test_a_trainer_that_stops_at_a_loss_of_its_own_was_at_the_last_batch(build):
    experiment = build({})
    inner = experiment.trainer._train_epoch

    def stopped(*args, **options):
        inner(*args, **options)
        raise ValueError("Training loss is nan")

    experiment.trainer._train_epoch = stopped
    (record,) = train_briefly(experiment, 3, epochs=2)
    assert record["not_finite"] == {"batch": 2, "part": "loss"}
