"""Each sign just below and just above its threshold, and each condition that silences it."""

import math

import pytest

from recbole_alibaba.diagnosis.signs import find_signs

LN2 = math.log(2)
ADAM, ADAMW = {"learner": "adam", "weight_decay": 1e-4}, {"learner": "adamw", "weight_decay": 1e-4}
NEW = [0.69, 0.689]  # has not learned
LEARNED = [0.69, 0.62]  # has fallen by a little more than a tenth
FALLING = [0.69, 0.65, 0.58, 0.47, 0.35, 0.25]
AT10 = {"valid_metric": "NDCG@10"}


def records(losses, valid=(), **readings):
    """Epoch records with these BPR means, these validation scores and these readings in every epoch."""
    history = [{"epoch": epoch, "loss": loss, "bpr": loss, **readings} for epoch, loss in enumerate(losses)]
    for record, score in zip(history, valid, strict=False):
        record["valid"] = {"ndcg@10": score}
    return history


def found(history, settings=None):
    return {finding.id: finding for finding in find_signs(history, settings)}


def begins(first, last):
    """Two epochs whose readings differ."""
    return [{**records([0.69])[0], **first}, {**records(NEW)[1], **last}]


# id, records without the sign, records with it, settings
EDGES = [
    ("not-finite", records(NEW, reg=1e30), records(NEW, reg=math.inf), {}),
    ("not-finite", records([-1e30]), records([math.nan]), {}),
    ("not-finite", records(NEW, grad_norm=1e30), records(NEW, grad_norm=math.nan), {}),
    ("not-finite", records(NEW, not_finite=None), records(NEW, not_finite={"batch": 3, "part": "reg"}), {}),
    ("unmoved-parameters", records(NEW, unmoved=[]), records(NEW, unmoved=["item"]), {}),
    ("stale-gradients", records(NEW, stale=0.0), records(NEW, stale=0.01), {}),
    ("coupled-decay", records(NEW, decay_share=0.499), records(NEW, decay_share=0.5), ADAM),
    ("stuck-at-ln2", records([LN2 + 0.00101] * 2), records([LN2 + 0.00099] * 2), {}),
    ("stuck-at-ln2", records([LN2 - 0.00101] * 2), records([LN2 - 0.00099] * 2), {}),
    ("stuck-at-ln2", records([0.72, LN2]), records([0.72, LN2, LN2]), {}),
    ("worse-than-guessing", records([1.0]), records([1.001]), {}),
    ("worse-than-guessing", records([math.inf]), records([1e30]), {}),
    ("worse-than-guessing", [{"loss": 3.0, "score_loss": 1.0}], [{"loss": 3.0, "score_loss": 1.001}], {}),
    ("rising", records([0.6, 0.6029, 0.6058]), records([0.6, 0.6031, 0.6062]), {}),
    ("rising", records([0.6, 0.6, 0.61]), records([0.6, 0.605, 0.61]), {}),
    ("rising", records([0.6, 0.61, 0.61]), records([0.6, 0.605, 0.61]), {}),
    # Converged: it moves up and down by chance until it has lost a tenth of the first loss again.
    ("rising", records([0.69, 0.05, 0.08, 0.118]), records([0.69, 0.05, 0.08, 0.12]), {}),
    ("rising", records([0.6, 1.19]), records([0.6, 1.21]), {}),
    ("rising", records([-0.6, 1.3]), records([0.6, 1.3]), {}),
    ("rising", records([0.6, 1.3, math.inf]), records([0.6, 1.3, 1e30]), {}),
    ("collapsed-to-point", records(NEW, user_spread=0.051), records(NEW, user_spread=0.049), {}),
    ("collapsed-to-point", records(NEW, item_spread=0.051), records(NEW, item_spread=0.049), {}),
    ("grows-without-bound", records(NEW, user_norm=100.0), records(NEW, user_norm=100.1), {}),
    ("grows-without-bound", records(NEW, item_norm=math.inf), records(NEW, item_norm=100.1), {}),
    ("init-too-small", begins({"user_norm_start": 9e-4}, {"user_norm": 1.1e-3}), None, {}),
    ("init-too-small", begins({"user_norm_start": 1.1e-3}, {"user_norm": 9e-4}), None, {}),
    ("init-too-small", [], begins({"user_norm_start": 9e-4}, {"user_norm": 9e-4}), {}),
    ("init-too-small", [], begins({"item_norm_start": 9e-4}, {"item_norm": 9e-4}), {}),
    (
        "collapsed-to-zero",
        begins({"user_norm_start": 0.6}, {"user_norm": 0.061}),
        begins({"user_norm_start": 0.6}, {"user_norm": 0.059}),
        {},
    ),
    (
        "collapsed-to-zero",
        begins({"item_norm_start": 0.6}, {"item_norm": 0.061}),
        begins({"item_norm_start": 0.6}, {"item_norm": 0.059}),
        {},
    ),
    ("collapsed-to-zero", begins({"user_norm_start": 0.0}, {"user_norm": -1.0}), None, {}),
    ("vanishing-gradients", records(NEW, grad_norm=1.1e-6), records(NEW, grad_norm=0.9e-6), {}),
    ("vanishing-gradients", records([0.099], grad_norm=1e-9), records([0.101], grad_norm=1e-9), {}),
    ("exploding-gradients", records([0.69], grad_norm=100), records([0.69], grad_norm=100.1), {}),
    ("exploding-gradients", records([6.0], grad_norm=600), records([6.0], grad_norm=601), {}),  # a sum over items
    ("exploding-gradients", begins({"grad_norm": 20}, {"grad_norm": 200}), None, {}),
    ("exploding-gradients", [], begins({"grad_norm": 20}, {"grad_norm": 201}), {}),
    ("exploding-gradients", records(NEW, grad_norm=300, clipped=0.5), records(NEW, grad_norm=300, clipped=0.51), {}),
    ("exploding-gradients", records(NEW, grad_norm=math.inf, clipped=1.0), None, {}),
    ("clipped-steps", records(NEW, grad_norm=1, clipped=0.5), records(NEW, grad_norm=1, clipped=0.51), {}),
    ("updates-too-small", records(NEW, update_ratio=1.1e-5), records(NEW, update_ratio=0.9e-5), {}),
    ("updates-too-small", records(LEARNED, update_ratio=1e-8), records([0.69, 0.622], update_ratio=1e-8), {}),
    ("updates-too-small", records([-0.6, -0.67], update_ratio=1e-8), records([-0.6, -0.65], update_ratio=1e-8), {}),
    ("eps-swallows-gradient", records(NEW, below_eps=0.8, eps=1e-8), records(NEW, below_eps=0.81, eps=1e-8), {}),
    ("eps-swallows-gradient", records(LEARNED, below_eps=0.9, eps=1e-8), records(NEW, below_eps=0.9, eps=1e-8), {}),
    ("eps-swallows-gradient", records(NEW, below_eps=0.9), None, {}),  # SGD has no eps
    ("regularisation-dominates", records([0.36], reg=0.35), records([0.36], reg=0.37), {}),
    ("regularisation-dominates", records([0.346], reg=9.0), records([0.347], reg=9.0), {}),
    ("flat", records([0.6, 0.6, 0.6, 0.60051]), records([0.6, 0.6, 0.6, 0.60049]), {}),
    ("flat", records([0.6] * 3), records([0.6] * 4), {}),
    ("flat", records([0.0] * 4), records([1e-9] * 4), {}),
    ("flat", records([0.602, 0.601, 0.6, 0.6]), records([0.602, 0.6, 0.6, 0.6, 0.6]), {}),
    ("oscillating", records([0.6, 0.611, 0.6, 0.611, 0.6]), records([0.6, 0.613, 0.6, 0.613, 0.6]), {}),
    ("oscillating", records([0.6, 0.65, 0.6, 0.65]), records([0.6, 0.65, 0.6, 0.65, 0.6]), {}),
    ("oscillating", records([0.6, 0.7, 0.8, 0.7, 0.6]), records([0.6, 0.7, 0.6, 0.7, 0.6]), {}),  # one turn
    ("oscillating", records([0.6, 0.7, 0.62, 0.72, 0.71]), records([0.6, 0.7, 0.62, 0.72, 0.64]), {}),
    ("oscillating", records([0.6, 0.7, 0.6, math.inf, 0.6]), None, {}),
    ("metric-not-finite", records(NEW, [math.nan, 0.1]), records(NEW, [0.1, math.nan]), {}),
    ("scores-upside-down", records(LEARNED, score_gap=0.0), records(LEARNED, score_gap=-1e-3), {}),
    ("scores-upside-down", records([0.69, 0.622], score_gap=-0.5), records(LEARNED, score_gap=-0.5), {}),
    ("metric-flat", records(FALLING, [0.1, 0.1021] * 3), records(FALLING, [0.1, 0.1019] * 3), {}),
    ("metric-flat", records(FALLING, [0.501] * 6), records(FALLING, [0.5] * 6), {}),
    ("metric-flat", records(FALLING[:3], [0.1] * 3), records(FALLING[:4], [0.1] * 4), {}),
    ("metric-flat", records([0.69, 0.67, 0.65, 0.622], [0.1] * 4), records([0.69, 0.67, 0.65, 0.62], [0.1] * 4), {}),
    ("metric-flat", records(FALLING, [math.nan] + [0.1] * 5), None, {}),
    ("overfitting", records(FALLING, [0.1, 0.091, 0.08, 0.07]), records(FALLING, [0.1, 0.089, 0.08, 0.07]), {}),
    ("overfitting", records(FALLING[:3], [0.1, 0.08, 0.07]), records(FALLING[:4], [0.1, 0.08, 0.07, 0.06]), {}),
    ("overfitting", records([*FALLING[:3], 0.59], [0.1, 0.08, 0.07, 0.06]), None, {}),  # the loss rose
    ("overfitting", records(FALLING, [0.005, 0.0044, 0.0043, 0.0041]), None, {}),
    ("overfitting", [], records(FALLING, [0.005, 0.0044, 0.0043, 0.0039]), {}),
    ("overfitting", records(FALLING, [0.005, 0.0044, 0.0043, 0.0039]), None, {"metric_decimal_place": 3}),
    ("overfitting", records(FALLING, [0.1, 0.08, 0.06, 0.067]), records(FALLING, [0.1, 0.08, 0.06, 0.065]), {}),
    ("overfitting", records(FALLING, [0.1, 0.08, 0.07, math.nan]), None, {}),
    ("overfitting", records([0.69, 0.67, 0.65, 0.622], [0.1, 0.08, 0.07, 0.06]), None, {}),
    ("never-stops", records(FALLING[:4], [0.1] * 4), records(FALLING[:5], [0.1] * 5), {}),
    ("never-stops", records(FALLING, [0.1, 0.1, 0.1, 0.1, 0.1001]), records(FALLING, [0.2, *[0.1] * 5]), {}),
    ("never-stops", records(FALLING, [0.501] * 6), records(FALLING, [0.5] * 6), {}),
    ("never-stops", records(FALLING, [0.0099] * 6), records(FALLING, [0.0101] * 6), {}),
    ("never-stops", records([0.6, *[0.5] * 4, 0.50049], [0.1] * 6), records([0.6, *[0.5] * 4, 0.50051], [0.1] * 6), {}),
    ("never-stops", records(FALLING, [0.0] * 6, items=10_001), records(FALLING, [0.0] * 6, items=10_000), AT10),
]


@pytest.mark.parametrize(("name", "silent", "wrong", "settings"), EDGES)
def test_both_sides(name, silent, wrong, settings):
    assert name not in found(silent, settings)
    assert wrong is None or name in found(wrong, settings)


# id, records, settings, severity, wording
SEVERITIES = [
    ("stuck-at-ln2", [LN2], {}, "advice", "first"),
    ("stuck-at-ln2", [LN2] * 2, {}, "warning", "message"),
    ("stuck-at-ln2", [LN2] * 3, {}, "error", "message"),
    ("stuck-at-ln2", [LN2 + 0.00009, LN2, LN2], {}, "error", "message"),
    ("stuck-at-ln2", [LN2 + 0.00011, LN2, LN2], {}, "warning", "slow"),
    ("stuck-at-ln2", [LN2, LN2 - 0.0011, LN2], {}, "error", "returned"),
    ("stuck-at-ln2", [LN2, LN2 - 0.0009, LN2], {}, "error", "message"),
    ("rising", [0.6, 0.61, 0.62], {}, "warning", "message"),
    ("rising", [0.6, 1.21], {}, "error", "message"),
    ("flat", [0.69, 0.622, 0.622, 0.622, 0.622], {}, "warning", "message"),
    ("flat", [0.69, 0.62, 0.62, 0.62, 0.62], {}, "advice", "converged"),
]


@pytest.mark.parametrize(("name", "losses", "settings", "severity", "wording"), SEVERITIES)
def test_severity_and_wording_by_the_losses(name, losses, settings, severity, wording):
    finding = found(records(losses), settings)[name]
    assert (finding.severity, finding.wording) == (severity, wording)


def test_severity_by_readings_and_settings():
    clip = {"clip_grad_norm": {"max_norm": 0.01}}
    for norm, severity in ((0.99, "advice"), (1.01, "warning")):
        clipped = found(records(NEW, grad_norm=norm, clipped=0.9), clip)["clipped-steps"]
        assert (clipped.severity, clipped.number, clipped.threshold) == (severity, 0.9, 0.5)
    exploded = found(records([0.69], grad_norm=101.0, clipped=0.9))["exploding-gradients"]
    assert (exploded.severity, exploded.number, exploded.threshold) == ("error", 101.0, 100.0)
    assert found(records([0.69, 0.622], decay_share=0.9), ADAM)["coupled-decay"].severity == "error"
    assert found(records(LEARNED, decay_share=0.9), ADAM)["coupled-decay"].severity == "warning"
    for settings in (ADAMW, {**ADAM, "weight_decay": 0.0}):
        assert "coupled-decay" not in found(records(NEW, decay_share=1.0), settings)
    zeros = [0.0] * 6
    assert found(records(FALLING, zeros, items=10_000), AT10)["metric-flat"].severity == "error"
    assert found(records(FALLING, zeros, items=10_001), AT10)["metric-flat"].severity == "advice"
    assert found(records(FALLING, zeros, items=10_001), {"valid_metric": "AUC"})["metric-flat"].severity == "error"
    assert found(records(FALLING, [0.1] * 6))["metric-flat"].severity == "warning"


def test_the_sign_is_suspected_only_of_a_loss_that_never_fell():
    assert found(records([0.6, 0.61, 0.62]))["rising"].causes == ("loss-upside-down",)
    assert found(records([0.6, 0.3, 0.4, 0.5]))["rising"].causes == ("learning-rate-too-large",)


def test_overfitting_names_what_the_checks_found():
    falling = records(FALLING, [0.1, 0.08, 0.07, 0.06])
    assert found(falling)["overfitting"].causes == ("too-little-regularisation",)
    thin = {"found": {"no-signal", "thin-data"}}
    assert found(falling, thin)["overfitting"].causes == ("too-little-regularisation", "no-signal", "thin-data")


def test_a_setting_is_the_cause_only_if_no_table_moves():
    sgd = {"learner": "sgd", "learning_rate": 0.001}
    still = records(NEW, unmoved=["user", "item"], parameters=2)
    assert found(still, sgd)["unmoved-parameters"].causes == ("plain-sgd", "unmoved-parameters")
    assert found(still, {"learning_rate": 1e-8})["unmoved-parameters"].causes[0] == "learning-rate-too-small"
    assert found(still)["unmoved-parameters"].causes == ("unmoved-parameters",)
    assert found(records(NEW, unmoved=["item"], parameters=2), sgd)["unmoved-parameters"].causes == (
        "unmoved-parameters",
    )


def test_the_metric_of_early_stopping_is_judged():
    history = [{**record, "valid": {"hit@10": 0.1 * n, "ndcg@10": 0.1}} for n, record in enumerate(records(FALLING))]
    assert "metric-flat" in found(history, {"valid_metric": "NDCG@10"})
    assert "metric-flat" not in found(history, {"valid_metric": "Hit@10"})
    assert "metric-flat" not in found(history)  # the first one, if nothing is named
