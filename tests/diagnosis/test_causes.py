"""Each cause just below and just above the setting or reading that points at it, and the settings that may cure it."""

import pytest

from recbole_alibaba.diagnosis.causes.evidence import evidence, likely, why_still
from recbole_alibaba.diagnosis.causes.remedies import candidates

SGD = {"learner": "sgd"}
# cause, (settings, last record) that do not point at it, (settings, last record) that do
EDGES = [
    ("unmoved-parameters", ({}, {"unmoved": []}), ({}, {"unmoved": ["item"]})),
    ("stale-gradients", ({}, {"stale": 0.0}), ({}, {"stale": 0.01})),
    ("plain-sgd", ({**SGD, "learning_rate": 0.05}, {}), ({**SGD, "learning_rate": 0.049}, {})),
    ("plain-sgd", ({"learning_rate": 0.001}, {}), ({**SGD, "learning_rate": 0.001}, {})),
    ("learning-rate-too-small", ({"learning_rate": 1e-4}, {}), ({"learning_rate": 0.99e-4}, {})),
    ("learning-rate-too-small", ({**SGD, "learning_rate": 1e-8}, {}), ({"learner": None, "learning_rate": 1e-8}, {})),
    ("learning-rate-too-large", ({"learning_rate": 0.05}, {}), ({"learning_rate": 0.051}, {})),
    ("learning-rate-too-large", ({**SGD, "learning_rate": 1.0}, {}), ({"learner": "Adam", "learning_rate": 1.0}, {})),
    ("clip-too-tight", ({"clip_grad_norm": {"max_norm": 1e-3}}, {}), ({"clip_grad_norm": {"max_norm": 0.9e-3}}, {})),
    ("clip-too-tight", ({"clip_grad_norm": {}}, {}), ({"clip_grad_norm": {"max_norm": 1e-6}}, {})),
    ("eps-too-large", ({}, {"eps": 1e-6}), ({}, {"eps": 1.1e-6})),
    ("init-too-small", ({}, {"item_norm_start": 1e-3}), ({}, {"item_norm_start": 0.9e-3})),
    ("init-too-small", ({}, {}), ({}, {"user_norm_start": 0.9e-3, "item_norm_start": 1.0})),
    ("init-too-large", ({}, {"user_norm_start": 50.0}), ({}, {"user_norm_start": 50.1})),
    ("init-too-large", ({}, {}), ({}, {"user_norm_start": 1.0, "item_norm_start": 50.1})),
    ("strong-regularisation", ({"reg_weight": 0.0099}, {}), ({"reg_weight": 0.01}, {})),
    ("strong-regularisation", ({"reg_weights": [0.001]}, {}), ({"reg_weights": [0.001, 0.01]}, {})),
    ("strong-regularisation", ({"reg_weight": "none"}, {}), ({"reg_weight": 1e-5, "reg_weights": (0.01,)}, {})),
    ("strong-regularisation", ({}, {"bpr": 0.5, "reg": 0.5}), ({}, {"bpr": 0.5, "reg": 0.51})),
    ("strong-regularisation", ({}, {"reg": 9.0}), ({}, {"bpr": 8.9, "reg": 9.0})),
    ("coupled-decay", ({"weight_decay": 0.0}, {}), ({"weight_decay": 1e-9}, {})),
    ("coupled-decay", ({"learner": "adamw", "weight_decay": 1.0}, {}), ({"learner": "adam", "weight_decay": 1.0}, {})),
    ("coupled-decay", ({**SGD, "weight_decay": 1.0}, {}), ({"learner": "rmsprop", "weight_decay": 1.0}, {})),
    (
        "coupled-decay",
        ({"learner": "adamax", "weight_decay": 1.0}, {}),
        ({"learner": "Adagrad", "weight_decay": 1.0}, {}),
    ),
    ("half-precision", ({"enable_amp": False}, {}), ({"enable_amp": True}, {})),
    ("half-precision", ({}, {"dtype": "float32"}), ({}, {"dtype": "bfloat16"})),
    ("eps-swallows-gradient", ({}, {"below_eps": 0.8}), ({}, {"below_eps": 0.81})),
]


@pytest.mark.parametrize(("cause", "without", "pointing"), EDGES)
def test_both_sides(cause, without, pointing):
    for (settings, record), expected in ((without, False), (pointing, True)):
        assert evidence([record], settings)[cause] is expected


def test_every_cause_with_evidence_is_in_the_table():
    assert set(evidence([], {})) == {cause for cause, *_ in EDGES}
    assert not any(evidence([], {}).values())


def test_rows_are_judged_at_the_start_and_the_rest_at_the_end():
    start, end = {"user_norm_start": 1e-5, "eps": 1.0}, {"user_norm_start": 1.0, "eps": 1e-8}
    assert evidence([start, end], {})["init-too-small"] and not evidence([start, end], {})["eps-too-large"]


def test_the_most_direct_evidence_comes_first_and_what_remains_last():
    settings = {"weight_decay": 1e-2, "learning_rate": 1.0, "reg_weight": 10.0}
    wild = ("coupled-decay", "learning-rate-too-large")
    assert likely([], settings, wild, "numbers-break") == (
        "learning-rate-too-large",
        "coupled-decay",
        "numbers-break",
    )
    assert likely([], settings, wild, "coupled-decay") == ("learning-rate-too-large", "coupled-decay")
    assert likely([], {}, wild) == ()


def test_thin_data_are_the_cause_of_a_still_loss_only_where_the_checks_found_them():
    assert why_still([], {}) == ("learning-rate-too-small",)
    assert why_still([], {"learning_rate": 0.01}) == ()
    assert why_still([], {"found": {"few-items"}}) == ("thin-data",)
    assert why_still([], {"found": {"users-seen-once"}, "weight_decay": 1e-4}) == ("coupled-decay", "users-seen-once")
    assert why_still([], {"found": {"held-out-few"}, "learning_rate": 0.01}) == ()  # training data may be enough


# cause, settings, what is tried
REMEDIES = [
    ("coupled-decay", {"weight_decay": 1e-3}, [{"learner": "adamw"}, {"weight_decay": 0.0}]),
    (
        "coupled-decay",
        {"weight_decay": 1.1e-3},
        [{"learner": "adamw", "weight_decay": 1e-5}, {"weight_decay": 0.0}],
    ),
    ("learning-rate-too-small", {"learning_rate": 0.01}, [{"learning_rate": 0.05}]),
    ("learning-rate-too-small", {"learning_rate": 0.05}, [{"learning_rate": 0.001}, {"learning_rate": 0.01}]),
    ("learning-rate-too-large", {"learning_rate": 0.01}, [{"learning_rate": 0.001}]),
    ("strong-regularisation", {"reg_weight": 10.0}, [{"reg_weight": 1e-5}]),
    ("strong-regularisation", {"reg_weights": [1.0, 1.0]}, [{"reg_weights": [1e-5, 1e-5]}]),
    ("strong-regularisation", {}, []),
    ("too-little-regularisation", {"reg_weight": 0.0}, [{"reg_weight": 1e-4}]),
    ("too-little-regularisation", {}, []),
    ("init-too-small", {"init": "xavier"}, [{"init": "normal", "init_std": 0.1}]),
    ("init-too-small", {}, []),
    ("topk-above-items", {"topk": [10, 20, 21], "items": 20}, [{"topk": [10, 20]}]),
    (
        "topk-above-items",
        {"topk": [10, 50], "items": 20, "valid_metric": "NDCG@50"},
        [{"topk": [10], "valid_metric": "NDCG@10"}],
    ),
    ("topk-above-items", {"topk": [10, 50], "items": 20, "valid_metric": "NDCG@10"}, [{"topk": [10]}]),
    ("topk-above-items", {"topk": 50, "items": 5}, [{"topk": [5]}]),
    ("topk-above-items", {"topk": [50], "items": 30}, [{"topk": [10]}]),
    ("topk-above-items", {"topk": [50], "items": 1}, [{"topk": [1]}]),
    ("topk-above-items", {"topk": [50]}, [{"topk": [1]}]),
    ("too-few-epochs", {}, [{"epochs": 1200}]),
    ("metric-never-computed", {"topk": [5, 10], "metrics": ["Hit", "MRR"]}, [{"valid_metric": "Hit@10"}]),
    ("metric-never-computed", {}, [{"valid_metric": "Recall@10"}]),
    ("one-step-epochs", {"train": 8_000}, [{"train_batch_size": 512}]),
    ("one-step-epochs", {"train": 8_192}, [{"train_batch_size": 1024}]),
    ("one-step-epochs", {"train": 400}, [{"train_batch_size": 64}]),
    ("one-user-batches", {"items": 5_000}, [{"eval_batch_size": 320_000}]),
    (
        "empty-core",
        {"leaves_enough": [(3, 2)]},
        [{"user_inter_num_interval": "[3,inf)", "item_inter_num_interval": "[2,inf)"}],
    ),
    *(
        (
            "clip-too-tight",
            {"clip_grad_norm": {"max_norm": limit}},
            [{"clip_grad_norm": {"max_norm": more, "norm_type": 2}}],
        )
        for limit, more in ((0.99, 1.0), (1, 10.0), (5.0, 50.0), (None, 1.0))
    ),
    ("no-signal", {}, []),
]


@pytest.mark.parametrize(("cause", "settings", "tried"), REMEDIES)
def test_settings_that_may_cure(cause, settings, tried):
    assert candidates(cause, settings) == tried
