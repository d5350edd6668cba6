"""Popularity beside a model: found where it wins, silent where it loses, causes only with their evidence."""

import numpy as np
import pytest
from faults.setups import Fault, builder
from faults.worlds import World, two_tastes

from recbole_alibaba.diagnosis.examination import examine_experiment
from recbole_alibaba.diagnosis.signs.popularity_sign import Standing, popularity_wins, still_rising

LEARNT = [{"bpr": 0.69}, {"bpr": 0.3}]
STUCK = [{"bpr": 0.69}, {"bpr": 0.68}]
HEALTHY = {"metric": "ndcg@10", "part": "test", "head": 0.1, "pairs": 10_000, "users": 500}


def causes(history=LEARNT, settings=None, **changed):
    finding = popularity_wins(Standing(model=0.1, popularity=0.2, **{**HEALTHY, **changed}), history, settings or {})
    return finding.causes


@pytest.mark.parametrize(
    ("model", "popularity", "bigger", "wins"),
    [(0.1, 0.2, True, True), (0.2, 0.1, True, False), (0.2, 0.2, True, False), (0.2, 0.1, False, True)],
)
def test_both_sides(model, popularity, bigger, wins):
    standing = Standing(model=model, popularity=popularity, bigger=bigger, **HEALTHY)
    finding = popularity_wins(standing, LEARNT, {})
    assert (finding is not None) == wins
    if finding:
        assert (finding.severity, finding.number, finding.threshold) == ("warning", model, popularity)
        for lang in ("en", "zh"):
            assert f"{model:.4f}" in finding.say(lang)
            assert f"{popularity:.4f}" in finding.say(lang)
            assert finding.advise(lang)


def test_causes_need_evidence_and_stand_in_the_order_in_which_to_try_them():
    assert causes() == ("popularity-wins",)
    assert causes(rising=True) == ("too-few-epochs",)
    assert causes(history=STUCK) == ("learning-rate-too-small",)
    assert causes(settings={"learning_rate": 1e-6}) == ("learning-rate-too-small",)
    assert causes(settings={"learner": "adam", "weight_decay": 1e-3}) == ("coupled-decay",)
    assert causes(head=0.2) == ("popularity-is-strong",)
    assert causes(pairs=999, users=50) == ("thin-data",)
    assert causes(pairs=2_499) == ("few-pairs-a-user",) and causes(pairs=2_500) == ("popularity-wins",)
    assert causes(pairs=1_000, users=201) == ("few-pairs-a-user",) and causes(head=0.199) == ("popularity-wins",)
    everything = causes(settings={"learning_rate": 1.0}, rising=True, head=0.5, pairs=10)
    assert everything == ("too-few-epochs", "learning-rate-too-large", "popularity-is-strong", "thin-data")
    # ItemKNN is not trained: no epochs and no rate can be its cause.
    assert causes(history=STUCK, trained=False, rising=True, settings={"learning_rate": 1.0}) == ("popularity-wins",)


def test_the_remedy_raises_the_epochs_of_this_run():
    finding = popularity_wins(Standing(model=0.1, popularity=0.2, rising=True, **HEALTHY), LEARNT, {"epochs": 5})
    assert finding.changes == {"epochs": 20}
    assert "epochs: 20" in finding.remedy


def test_still_rising():
    assert still_rising(0, 50, 5, 0.1)
    assert still_rising(60, 100, 300, 0.1) and not still_rising(61, 100, 300, 0.1)
    assert not still_rising(11, 10, 100, 0.1)  # early stopping ended it
    assert not still_rising(0, 50, 5, 0.0)  # all zeros: each is a tie, which RecBole takes for an improvement
    assert not still_rising(0, 50, 5, float("-inf"))  # no validation


def famous_categories():
    """150 users take 8 to 14 of 60 categories by their fame; nobody has a taste."""
    rng, fame = np.random.default_rng(0), 1 / np.arange(1, 61) ** 1.2
    taken = [rng.choice(60, size=rng.integers(8, 15), replace=False, p=fame / fame.sum()) for _ in range(150)]
    users = np.repeat(np.arange(150), [len(one) for one in taken])
    times = rng.permutation(len(users)) + 1_416_240_000
    return World("famous-categories", users, np.concatenate(taken), times, dict.fromkeys(range(60), 0))


@pytest.mark.parametrize(("world", "rate", "wins"), [(famous_categories, 0.05, True), (two_tastes, 0.01, False)])
def test_the_doctor_sees_that_a_model_stays_below_popularity(tmp_path, world, rate, wins):
    fault = Fault("popularity", "", settings={"learning_rate": rate, "train_batch_size": 128})
    examined = examine_experiment(builder(fault, world(), tmp_path)[0]({}), batches_an_epoch=50, epochs=8)
    (measure,) = [verdict for verdict in examined.verdicts if verdict.id == "popularity-wins"]
    assert (measure.finding is not None) == wins
    assert ("popularity-wins" in [finding.id for finding in examined.findings]) == wins
    assert (measure.threshold > measure.number) == wins
    if wins:
        assert "popularity-is-strong" in measure.finding.causes
