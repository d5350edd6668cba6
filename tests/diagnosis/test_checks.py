"""The checks' measures against slow and obvious definitions, and the healthy world they must be silent on."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from faults import spoil
from faults.setups import Fault, builder
from faults.worlds import World, core, two_tastes
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_alibaba.diagnosis.checks.data_checks import amounts, leaks, population, swapped
from recbole_alibaba.diagnosis.checks.evaluation_check import evaluation
from recbole_alibaba.diagnosis.checks.forward_check import sample_scores
from recbole_alibaba.diagnosis.checks.graph_check import normalised
from recbole_alibaba.diagnosis.checks.interactions import Interactions, among
from recbole_alibaba.diagnosis.checks.loss_checks import loss, loss_of_scores, parts
from recbole_alibaba.diagnosis.checks.model_access import first_batches
from recbole_alibaba.diagnosis.checks.negative_checks import negatives, sampled
from recbole_alibaba.diagnosis.checks.signal_check import co_occurrence, signal
from recbole_alibaba.diagnosis.examination import before_training, examine_experiment, guarded
from recbole_alibaba.diagnosis.load_failure import why_not_loaded
from recbole_alibaba.diagnosis.monitor.embedding_tables import embedding_tables, rows_of
from recbole_alibaba.diagnosis.monitor.score_readings import ranking_kind

MODELS = ["AlibabaLightGCN", "BPR", "LightGCN", "NGCF", "NeuMF"]


@pytest.fixture(scope="module", params=MODELS)
def experiment(request, tmp_path_factory):
    fault = Fault("healthy", "", model=request.param)
    build, _ = builder(fault, two_tastes(), tmp_path_factory.mktemp(request.param), healthy=True)
    return build({})


def test_a_healthy_set_up_passes_every_check(experiment):
    verdicts, step = before_training(experiment, Interactions.of(experiment))
    assert [verdict.id for verdict in verdicts if verdict.finding] == []
    assert step > 0
    assert [verdict.say() for verdict in verdicts if verdict.skipped == "check-stopped"] == []
    checks = {verdict.check for verdict in verdicts}
    assert checks >= {"interactions", "population", "negatives", "forward", "graph", "loss", "gradients", "evaluation"}


def test_the_counts_are_those_of_the_rows(experiment):
    data = Interactions.of(experiment)
    pairs = set(zip(data.users.tolist(), data.items.tolist(), strict=True))
    by_id = {verdict.id: verdict.number for verdict in [*amounts(data), *population(data)]}
    held = {pair for _, users, items in data.held_out for pair in zip(users.tolist(), items.tolist(), strict=True)}
    assert held and by_id["thin-data"] == len(pairs | held)
    assert by_id["few-users"] == len({user for user, _ in pairs})
    assert by_id["few-items"] == len({item for _, item in pairs})
    assert by_id["density"] == pytest.approx(len(pairs) / (60 * 60))
    assert leaks(data, {})[0].number == 0


def test_negatives_are_counted_by_hand(experiment):
    data = Interactions.of(experiment)
    pairs = set(zip(data.users.tolist(), data.items.tolist(), strict=True))
    users, items = sampled(experiment, 3)
    assert len(users) > 0
    hits = sum((user, item) in pairs for user, item in zip(users.tolist(), items.tolist(), strict=True))
    share = next(v.number for v in negatives(experiment, data, 3) if v.id == "sampler-hits-positives")
    assert share == hits / len(users) == 0


def test_the_model_s_scores_have_the_loss_it_reports(experiment):
    batch = first_batches(experiment, 1)[0]
    experiment.model.eval()
    kind = ranking_kind(experiment.model, batch)
    with torch.no_grad():
        assert loss_of_scores(experiment.model, batch, kind) == pytest.approx(
            float(parts(experiment.model, batch)[0]), abs=1e-3
        )


def test_an_evaluation_that_masks_everything_is_seen_by_the_oracle(tmp_path):
    for model in ("AlibabaLightGCN", "BPR"):
        fault = Fault("masked", "", model=model, spoil=spoil.evaluation_masks_everything)
        build, _ = builder(fault, two_tastes(), tmp_path / model)
        (verdict,) = evaluation(build({}))
        assert verdict.finding is not None and verdict.number < 0.5


def test_tables_are_found_and_without_padding(experiment):
    tables = embedding_tables(experiment.model)
    assert tables["user"] and tables["item"]
    for side, named in tables.items():
        for parameter in named.values():
            begin, end = rows_of(side, parameter, experiment.model)
            assert end - begin == 60


def test_the_graph_s_formula_against_loops(experiment):
    data = Interactions.of(experiment)
    matrix = normalised(data).toarray()
    users, items = data.positive_pairs
    for user, item in list(zip(users.tolist(), items.tolist(), strict=True))[:200]:
        degree = (users == user).sum() * (items == item).sum()
        assert matrix[user, item] == pytest.approx(1 / np.sqrt(degree))
    assert np.count_nonzero(matrix) == len(users)


def test_scores_are_asked_for_pairs_in_order(experiment):
    scores, users, items = sample_scores(experiment)
    assert items == 60 and scores.numel() == users * items


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=30), st.lists(st.integers(0, 40), max_size=30))
def test_among_is_membership(keys, known):
    expected = [key in set(known) for key in keys]
    assert among(np.array(keys, np.int64), np.unique(np.array(known, np.int64))).tolist() == expected


def log(pairs, n_users, n_items, held_out=()):
    users, items = np.array(sorted(pairs)).T
    return Interactions(n_users, n_items, users, items, held_out)


@pytest.mark.parametrize("seed", range(3))
def test_co_occurrence_against_loops(seed):
    draw = np.random.default_rng(seed)
    popular = (draw.random((2, 400)) ** 3 * 40).astype(int)  # few items have most of the pairs
    rows = set(zip(draw.integers(0, 40, 800).tolist(), popular.ravel().tolist(), strict=True))
    held = sorted(rows)[::4]
    pairs = rows - set(held)
    users, items = (np.array(column) for column in zip(*held, strict=True))
    history = np.zeros((40, 40))
    for user, item in pairs:
        history[user, item] = 1
    norms = np.sqrt(np.maximum(history.sum(0), 1))
    cosine = (history.T @ history) / norms[:, None] / norms

    replay = np.random.default_rng(0)
    replay.permutation(np.unique(users))
    others = replay.permutation(items)
    wins = []
    for user, mine, other in zip(users, items, others, strict=True):
        if (user, other) in pairs or (user, other) in set(held):
            continue
        score = [sum(cosine[item, j] for j in range(40) if history[user, j]) for item in (mine, other)]
        if max(score) == 0:
            continue  # nothing to count on either side
        wins.append(1.0 if score[0] > score[1] + 1e-9 else 0.5 if abs(score[0] - score[1]) <= 1e-9 else 0.0)
    own = [sum(cosine[item, j] for j in range(40) if history[user, j]) for user, item in held]
    measured = co_occurrence(log(pairs, 40, 40), users, items, draws=1)
    assert measured.pairs == len(items)
    assert measured.supported == np.count_nonzero(own)
    assert measured.auc == pytest.approx(np.mean(wins))


def test_shuffled_labels_have_no_signal_for_any_seed():
    draw = np.random.default_rng(11)
    for seed in range(5):
        world = two_tastes(seed)
        shuffled = draw.permutation(world.items)
        rows = set(zip(world.users.tolist(), shuffled.tolist(), strict=True))
        held = set(sorted(rows)[::5])
        users, items = (np.array(column) for column in zip(*sorted(held), strict=True))
        assert co_occurrence(log(rows - held, 60, 60), users, items).auc < 0.57


def thin_log(shared, shuffled=False):
    """60 users of two tastes: of each one's 40 items `shared` are among the 60 of his taste, the others his alone."""
    draw = np.random.default_rng(5)
    rows, alone = [], 120
    for user in range(60):
        mine = draw.permutation(60)[:shared] + 60 * (user % 2)
        rows += [(user, item) for item in (*mine, *range(alone, alone + 40 - shared))]
        alone += 40 - shared
    rows = np.array(rows)
    if shuffled:
        rows[:, 1] = draw.permutation(rows[:, 1])
    rows = np.unique(rows, axis=0)
    held = draw.random(len(rows)) < 0.3
    return log(map(tuple, rows[~held]), 60, alone, [("test", rows[held, 0], rows[held, 1])])


def test_a_log_whose_items_are_mostly_seen_once_is_not_called_shuffled():
    """Taobao UserBehavior without a core: 80 % of the held-out items are nobody's in training, and the rest do go."""
    (verdict,) = signal(thin_log(shared=20))
    assert verdict.id == "no-signal" and verdict.finding is None and verdict.number > 0.6
    (verdict,) = signal(thin_log(shared=20, shuffled=True))
    assert verdict.finding is not None and verdict.finding.id == "no-signal"


@pytest.mark.parametrize("shuffled", [False, True])
def test_where_nothing_can_be_counted_the_labels_are_not_judged(shuffled):
    data = thin_log(shared=2, shuffled=shuffled)
    (verdict,) = signal(data)
    assert verdict.finding is not None
    assert (verdict.finding.id, verdict.finding.severity) == ("signal-unknown", "advice")
    (_, users, items) = data.held_out[0]
    seen = np.isin(items, data.items)
    assert f"of {len(users)} co-occur" in verdict.finding.message
    assert f"{1 - seen.mean():.1%} are not in training" in verdict.finding.message


def fism(folder, **settings):
    build, _ = builder(Fault("fism", "", model="FISM", twin=settings), two_tastes(), folder, healthy=True)
    return build({})


def test_regularisation_under_another_name_is_no_difference_of_losses(tmp_path):
    """FISM's loss is cross-entropy and `reg_weights` times two norms, in one number."""
    experiment = fism(tmp_path, reg_weights=[0.1, 0.1])
    verdicts = loss(experiment, first_batches(experiment, 1)[0])
    assert {"loss-differs", "fresh-loss"} <= {verdict.id for verdict in verdicts}
    assert [verdict.id for verdict in verdicts if verdict.finding] == []


def test_what_does_not_learn_at_recbole_s_settings_is_cured_by_the_setting_it_reads(tmp_path):
    """RecBole's default of 0.01 shrinks FISM's items to nothing; at 1e-5 recall@20 is sevenfold on the made-up log."""
    found = examine_experiment(fism(tmp_path), batches_an_epoch=25)
    (collapsed,) = [finding for finding in found.findings if finding.severity != "advice"]
    assert (collapsed.id, collapsed.causes[0]) == ("collapsed-to-zero", "strong-regularisation")
    assert collapsed.changes == {"reg_weights": [1e-5, 1e-5]}
    assert not examine_experiment(fism(tmp_path, **collapsed.changes), batches_an_epoch=25).ill


def test_a_training_that_fails_is_a_finding_with_its_words(tmp_path):
    experiment = fism(tmp_path)

    def train_epoch(*_, **__):
        raise RuntimeError("the trainer's own words")

    experiment.trainer._train_epoch = train_epoch
    written: list[tuple[str, str]] = []
    experiment.trainer.tensorboard = SimpleNamespace(add_text=lambda *words: written.append(words))
    found = examine_experiment(experiment, batches_an_epoch=2)
    assert [name for name, _ in written] == [f"Doctor/{finding.id}" for finding in found.findings]
    assert any("the trainer's own words" in text for _, text in written)
    (fails,) = [finding for finding in found.findings if finding.id == "training-fails"]
    assert fails.severity == "error" and "the trainer's own words" in fails.message
    assert "training-fails" in found.causes and found.ill and found.history == []


def test_swapped_columns_by_hand():
    well = swapped({"u1", "u2"}, {"i1", "i2"}, {"i1", "i2", "i3"})
    ill = swapped({"i1", "i2"}, {"u1", "u2"}, {"i1", "i2", "i3"})
    same_names = swapped({"1", "2"}, {"1", "3"}, {"1", "2", "3"})
    assert (well[1], ill[1], same_names[1]) == (True, False, True)
    assert ill[0].number == 1.0


def test_a_check_that_stops_says_with_what():
    def stops(experiment):
        raise TypeError("one argument too many")

    (verdict,) = guarded("loss", "loss-differs", stops, SimpleNamespace())
    assert verdict.finding is None and "TypeError: one argument too many" in verdict.say()


def test_the_core_of_the_worlds_is_a_core():
    draw = np.random.default_rng(2)
    users, items = draw.integers(0, 30, 400), draw.integers(0, 40, 400)
    kept = core(World("w", users, items, np.arange(400), dict.fromkeys(range(40), 0)), 4)
    for column in (kept.users, kept.items):
        assert np.unique(column, return_counts=True)[1].min() >= 4


def test_a_file_that_is_absent_leaves_the_error_s_own_words(tmp_path):
    asked = {"data_path": str(tmp_path), "dataset": "none"}
    (finding,) = why_not_loaded(asked, ValueError("no such thing"))
    assert finding.id == "cannot-start" and "no such thing" in finding.message
