"""Each sign on a planted fault and on its healthy twin: records in, finding out."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_alibaba.diagnosis.signs import SIGNS, find_signs

LN2 = math.log(2)
ADAM = {"learner": "adam", "weight_decay": 1e-4, "learning_rate": 0.001}
FALLING = [0.69, 0.65, 0.58, 0.47, 0.35, 0.25]


def history(losses, each=None, **readings):
    """Records with these BPR means; ``readings`` in every record, ``each`` one dict an epoch."""
    records = [{"epoch": epoch, "loss": loss, "bpr": loss, **readings} for epoch, loss in enumerate(losses)]
    for record, more in zip(records, each or [], strict=False):
        record.update(more)
    return records


def found(records, settings=None):
    return {finding.id: finding for finding in find_signs(records, settings)}


def valid(*scores):
    return [{"valid": {"ndcg@10": score}} for score in scores]


def test_adam_with_decay_is_named_as_cause_of_a_loss_stuck_at_ln2():
    finding = found(history([0.6931, 0.6931, 0.6931]), ADAM)["stuck-at-ln2"]
    assert finding.severity == "error"
    assert finding.causes[0] == "coupled-decay"
    assert finding.changes == {"learner": "adamw"}
    assert "0.693100" in finding.message and "adamw" in finding.remedy


def test_decay_that_brings_the_loss_back_to_ln2():
    # The series measured on taobao_buy with Adam, 1e-4 and normal(0, 0.1).
    finding = found(history([0.6863, 0.6918, 0.6929]), ADAM)["stuck-at-ln2"]
    assert finding.wording == "returned" and finding.severity == "error"


def test_a_loss_that_comes_down_to_ln2_has_not_gone_back_to_it():
    """RecBole's NNCF begins above: nothing it had learned is taken away."""
    assert found(history([0.72, 0.70, 0.6929])) == {}
    assert found(history([0.72, 0.70, 0.6929, 0.68])) == {}
    finding = found(history([0.72, 0.70, 0.6929, 0.6929, 0.6929]))["stuck-at-ln2"]
    assert (finding.wording, finding.severity) == ("message", "error")


def test_a_softmax_that_passes_ln2_is_not_stuck_there():
    """It starts at the logarithm of the number of items: 0.6931 is far down its way."""
    records = [{"epoch": n, "loss": loss, "softmax": loss, "reg": 0.0} for n, loss in enumerate([3.1, 0.693, 0.6931])]
    assert found(records) == {}
    still = [{"epoch": n, "loss": 8.3, "softmax": 8.3, "reg": 0.0} for n in range(5)]
    assert found(still)["flat"].severity == "warning"
    broken = [*records, {"epoch": 3, "loss": 1.0, "softmax": math.nan, "reg": 0.0}]
    assert found(broken)["not-finite"].values["part"] == "softmax"


def test_a_metric_that_recovers_or_is_noise_is_no_overfitting():
    """DiffRec on the two tastes, seed 2020, where it ends at 0.61; BPR on the made-up log before it has learned."""
    diffrec = [6697.7, 4717.3, 3426.7, 2742.3, 2705.4, 2320.6, 1943.4, 1692.5]
    scores = valid(0.4687, 0.6477, 0.5585, 0.3200, 0.2992, 0.4153, 0.4768, 0.5344)
    assert "overfitting" in found(history(diffrec[:5], scores[:5]))  # it falls on and on so far
    for epochs in (6, 7, 8):
        assert "overfitting" not in found(history(diffrec[:epochs], scores[:epochs]))
    falling = valid(0.0045, 0.0040, 0.0030, 0.0025, 0.0020, 0.0019)
    assert "overfitting" not in found(history([0.6932, 0.6930, 0.6928, 0.6925, 0.6921, 0.6916], falling))
    assert "overfitting" in found(history(FALLING, falling))
    assert "overfitting" not in found(history(FALLING, valid(0.0001, 0, 0, 0, 0, 0)))


def test_a_tie_that_rounding_made_is_no_sign():
    """On the mobile slice NDCG@20 is about 0.0051: of RecBole's four decimals only two digits are left."""
    tied = valid(*[0.0051] * 6)
    assert "never-stops" not in found(history(FALLING, tied), {"metric_decimal_place": 4})
    assert "never-stops" in found(history(FALLING, tied), {"metric_decimal_place": 6})


def test_a_large_table_that_begins_at_ln2_gets_advice_then_nothing():
    losses = [0.693147, 0.6915, 0.6853, 0.6601]
    assert found(history(losses[:1]))["stuck-at-ln2"].severity == "advice"
    for epochs in range(2, 5):
        assert found(history(losses[:epochs])) == {}


def test_slow_but_falling_near_ln2_is_a_warning_not_an_error():
    finding = found(history([0.693147, 0.6929, 0.6925]))["stuck-at-ln2"]
    assert (finding.severity, finding.wording) == ("warning", "slow")


def test_thin_data_that_learns_is_healthy():
    # Counted on the real mobile slice, all behaviours, 2-core.
    losses = [0.6905, 0.6843, 0.6721, 0.6519, 0.6230]
    for epochs in range(1, 6):
        assert found(history(losses[:epochs])) == {}


HEALTHY = {
    "grad_norm": 0.05,
    "clipped": 0.1,
    "reg": 0.001,
    "user_norm_start": 0.6,
    "user_norm": 0.8,
    "item_norm_start": 0.6,
    "item_norm": 0.8,
    "user_spread": 0.98,
    "item_spread": 0.98,
    "update_ratio": 0.01,
    "below_eps": 0.3,
    "eps": 1e-8,
    "unmoved": [],
    "parameters": 2,
    "stale": 0.0,
    "score_gap": 1.2,
    "score_loss": 0.4,
    "items": 500,
}
STILL = [0.60, 0.60, 0.6001, 0.60]


def test_a_healthy_run_with_every_reading_shows_nothing():
    rising = valid(0.01, 0.02, 0.04, 0.05, 0.06, 0.07)
    for epochs in range(1, 7):
        assert found(history(FALLING[:epochs], rising, **HEALTHY), {"valid_metric": "NDCG@10"}) == {}


# id, losses, readings that differ from the healthy ones, settings, the twin's readings (or losses)
PLANTED = [
    ("flat", STILL, {}, {}, [0.60, 0.60, 0.6001, 0.598]),
    ("rising", [0.60, 0.62, 0.65], {}, {}, [0.60, 0.601, 0.602]),
    ("worse-than-guessing", [3.0, 2.9], {}, {}, [0.9, 0.8]),
    ("oscillating", [0.6, 0.68, 0.59, 0.69, 0.6], {}, {}, [0.6, 0.603, 0.599, 0.602, 0.6]),
    ("not-finite", [0.6, math.nan], {}, {}, [0.6, 0.59]),
    ("not-finite", [0.6, 0.59], {"grad_norm": math.inf}, {}, {"grad_norm": 0.2}),
    ("regularisation-dominates", [0.69, 0.68], {"reg": 2.0}, {}, {"reg": 0.2}),
    ("vanishing-gradients", [0.69, 0.689], {"grad_norm": 1e-9}, {}, {"grad_norm": 1e-4}),
    ("exploding-gradients", [0.69, 0.68], {"grad_norm": 5e3, "clipped": 1.0}, {}, {"grad_norm": 5.0}),
    ("clipped-steps", [0.69, 0.68], {"clipped": 0.9}, {}, {"clipped": 0.4}),
    ("updates-too-small", [0.69, 0.689], {"update_ratio": 1e-8}, {}, {"update_ratio": 1e-4}),
    ("eps-swallows-gradient", [0.69, 0.689], {"below_eps": 0.99}, {}, {"below_eps": 0.6}),
    ("coupled-decay", [0.69, 0.689], {"decay_share": 0.95}, ADAM, {"decay_share": 0.2}),
    ("stale-gradients", [0.69, 0.68], {"stale": 1.0}, {}, {"stale": 0.0}),
    ("unmoved-parameters", [0.69, 0.69], {"unmoved": ["item"]}, {}, {"unmoved": []}),
    ("init-too-small", [0.69, 0.68], {"item_norm_start": 1e-5, "item_norm": 2e-5}, {}, {"item_norm_start": 0.01}),
    ("collapsed-to-zero", [0.69, 0.689], {"user_norm": 0.01}, {}, {"user_norm": 0.3}),
    ("collapsed-to-point", [0.69, 0.68], {"item_spread": 0.001}, {}, {"item_spread": 0.5}),
    ("grows-without-bound", [0.69, 0.68], {"user_norm": 400.0}, {}, {"user_norm": 9.0}),
    ("scores-upside-down", FALLING, {"score_gap": -0.5}, {}, {"score_gap": 0.5}),
]


@pytest.mark.parametrize(("name", "losses", "wrong", "settings", "twin"), PLANTED)
def test_planted_fault_and_healthy_twin(name, losses, wrong, settings, twin):
    assert name in found(history(losses, **{**HEALTHY, **wrong}), settings)
    healthy = history(twin, **HEALTHY) if isinstance(twin, list) else history(losses, **{**HEALTHY, **twin})
    assert name not in found(healthy, settings)


METRICS = [
    ("metric-flat", FALLING, valid(*[0.02] * 6), valid(0.01, 0.02, 0.03, 0.04, 0.05, 0.06)),
    ("overfitting", FALLING, valid(0.05, 0.06, 0.05, 0.045, 0.04, 0.03), valid(0.05, 0.06, 0.058, 0.057, 0.056, 0.06)),
    ("never-stops", FALLING, valid(*[0.02] * 6), valid(0.02, 0.02, 0.02, 0.02, 0.02, 0.021)),
    ("metric-not-finite", FALLING, valid(0.1, math.nan), valid(0.1, 0.2)),
]


@pytest.mark.parametrize(("name", "losses", "wrong", "twin"), METRICS)
def test_planted_metric_and_healthy_twin(name, losses, wrong, twin):
    assert name in found(history(losses[: len(wrong)], wrong))
    assert name not in found(history(losses[: len(twin)], twin))


def test_a_run_at_full_marks_is_neither_flat_nor_endless():
    assert found(history(FALLING, valid(*[1.0] * 6))) == {}


def test_a_metric_that_rounding_hides_is_no_broken_evaluation():
    """UserBehavior without a core has 64,440 items: ten of them hit one time in 6,000, and RecBole keeps 4 decimals."""
    zeros, asked = valid(*[0.0] * 6), {"valid_metric": "NDCG@10"}
    small, large = (found(history(FALLING, zeros, items=items), asked) for items in (1_000, 64_441))
    assert small["metric-flat"].severity == "error" and "never-stops" in small
    assert set(large) == {"metric-flat"}
    assert (large["metric-flat"].severity, large["metric-flat"].changes) == ("advice", {"metric_decimal_place": 6})
    assert "never-stops" in found(history(FALLING, zeros, items=64_441), {**asked, "metric_decimal_place": 6})


def test_convergence_is_advice():
    assert found(history([0.69, 0.2, 0.2, 0.2001, 0.2]))["flat"].severity == "advice"


def test_records_without_named_parts_are_read_by_their_loss():
    records = [{"epoch": epoch, "loss": 0.693147} for epoch in range(3)]
    assert "stuck-at-ln2" in found(records)


def test_a_loss_that_holds_more_than_the_ranking_is_judged_by_its_scores():
    """RecBole's LightGCN adds its regularisation to BPR, others a contrastive loss that is larger than it."""
    records = [{"epoch": epoch, "loss": 6.0 - epoch, "score_loss": 0.6} for epoch in range(3)]
    assert found(records) == {}
    records[-1]["score_loss"] = 3.0
    assert set(found(records)) == {"worse-than-guessing"}


def test_a_recbole_config_will_do_for_settings():
    class Config:
        final_config_dict = ADAM

    assert found(history([0.6931] * 3), Config())["stuck-at-ln2"].causes[0] == "coupled-decay"


def test_every_sign_has_a_planted_fault_here():
    planted = {name for name, *_ in [*PLANTED, *METRICS]} | {"stuck-at-ln2"}
    assert len(SIGNS) <= len(planted)


numbers = st.floats(allow_nan=True, allow_infinity=True)
READINGS = [key for key in HEALTHY if key not in ("unmoved", "parameters")]
records = st.fixed_dictionaries(
    {"loss": numbers},
    optional={"bpr": numbers, "valid": st.dictionaries(st.sampled_from(["ndcg@10", "hit@10"]), numbers)}
    | dict.fromkeys(READINGS, numbers),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(records, max_size=8), st.sampled_from([None, {}, ADAM, {"valid_metric": "NDCG@10", "learner": "sgd"}]))
def test_whatever_the_numbers_every_finding_can_be_said(history, settings):
    for finding in find_signs(history, settings):
        for lang in ("en", "zh"):
            assert finding.say(lang) and finding.advise(lang)
        assert finding.as_dict()["id"] == finding.id
