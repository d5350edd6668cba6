"""The lint of settings: each rule on a fault and on its healthy twin."""

import pytest

from recbole_alibaba.diagnosis.settings_lint import length_of_interval, lint

HEALTHY = {
    "learner": "adamw",
    "learning_rate": 0.001,
    "weight_decay": 1e-5,
    "reg_weight": 1e-5,
    "topk": [10, 20],
    "metrics": ["Recall", "NDCG"],
    "valid_metric": "NDCG@20",
    "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "mode": "full"},
    "TIME_FIELD": "timestamp",
    "train_batch_size": 2048,
    "eval_batch_size": 10_000_000,
    "epochs": 300,
    "stopping_step": 10,
    "enable_amp": False,
    "device": "cpu",
}
SIZES = {"items": 5_000, "users": 600, "train": 40_000}
TIMELESS = {"load_col": {"inter": ["user_id", "item_id"]}}
FAULTS = [
    ("learning-rate-too-small", {"learning_rate": 1e-6}, {}, {"learning_rate": 0.005}, {}),
    ("learning-rate-too-large", {"learning_rate": 1.0}, {}, {"learning_rate": 0.01}, {}),
    ("plain-sgd", {"learner": "sgd", "weight_decay": 0}, {}, {"learner": "sgd", "learning_rate": 1.0}, {}),
    ("coupled-decay", {"learner": "adam"}, {}, {"learner": "adam", "weight_decay": 0}, {}),
    ("decay-ignored", {"learner": "sparse_adam"}, {}, {"learner": "sparse_adam", "weight_decay": 0}, {}),
    ("double-regularisation", {"learner": "sgd", "learning_rate": 1.0}, {}, {"reg_weight": 0}, {}),
    ("strong-regularisation", {"reg_weight": 10}, {}, {"reg_weight": 1e-4}, {}),
    ("topk-above-items", {}, {"items": 15}, {}, {"items": 20}),
    ("metric-never-computed", {"valid_metric": "MRR@10"}, {}, {"valid_metric": "recall@10"}, {}),
    ("metric-never-computed", {"valid_metric": "NDCG@50"}, {}, {"valid_metric": "NDCG@10"}, {}),
    ("future-leak", {"eval_args": {"split": {"TS": [0.8, 0.1, 0.1]}, "order": "RO"}}, {}, {}, {}),
    ("amp-on-cpu", {"enable_amp": True}, {}, {"enable_amp": True, "device": "cuda:0"}, {}),
    ("one-step-epochs", {}, {"train": 1_000}, {}, {"train": 5_000}),
    ("one-user-batches", {"eval_batch_size": 4096, "fast_eval": False}, {}, {"eval_batch_size": 4096}, {}),
    ("stop-after-the-end", {"stopping_step": 400}, {}, {"stopping_step": 100}, {}),
    ("repeats-leak", {}, {"repeats": 12}, {"repeatable": True}, {"repeats": 12}),
]


def ids(settings, sizes):
    return {finding.id for finding in lint({**HEALTHY, **settings}, {**SIZES, **sizes})}


SGD = {"learner": "sgd", "weight_decay": 0}
BY_TIME = {"split": {"TS": [0.8, 0.1, 0.1]}, "order": "RO"}
BY_RECBOLE = {"fast_eval": False, "eval_batch_size": 9_999}
AT_THE_END = {"epochs": 300, "stopping_step": 30, "eval_step": 10}
# id, settings and sizes without the finding, settings and sizes with it
EDGES = [
    ("learning-rate-too-small", {"learning_rate": 0.001}, {}, {"learning_rate": 0.00099}, {}),
    ("learning-rate-too-large", {"learning_rate": 0.01}, {}, {"learning_rate": 0.0101}, {}),
    ("plain-sgd", {**SGD, "learning_rate": 0.1}, {}, {**SGD, "learning_rate": 0.099}, {}),
    ("coupled-decay", {"learner": "rmsprop", "weight_decay": 0}, {}, {"learner": "rmsprop"}, {}),
    ("coupled-decay", {"learner": "adamw"}, {}, {"learner": "adagrad"}, {}),
    ("decay-ignored", {"learner": "adagrad"}, {}, {"learner": "Sparse_Adam"}, {}),
    ("strong-regularisation", {"reg_weight": 0.0099}, {}, {"reg_weight": 0.01}, {}),
    ("strong-regularisation", {"reg_weight": 250, "model": "EASE"}, {}, {"reg_weight": 250, "model": "NGCF"}, {}),
    ("double-regularisation", {"learner": "adamw"}, {}, {"learner": "adam"}, {}),
    (
        "double-regularisation",
        {"learner": "adam", "weight_decay": 0},
        {},
        {"learner": "adam", "weight_decay": 1e-9},
        {},
    ),
    ("topk-above-items", {"topk": 20}, {"items": 20}, {"topk": 20}, {"items": 19}),
    ("topk-above-items", {"topk": [5, 10]}, {"items": 10}, {"topk": [20, 5]}, {"items": 10}),
    ("metric-never-computed", {"valid_metric": "Recall"}, {}, {"valid_metric": "MRR"}, {}),
    ("metric-never-computed", {"topk": 20}, {}, {"topk": 10}, {}),
    ("metric-never-computed", {"topk": []}, {}, {"topk": [1]}, {}),
    ("metric-never-computed", {"metrics": []}, {}, {"valid_metric": "NDCG@ten"}, {}),
    ("future-leak", {"eval_args": {**BY_TIME, "order": "to"}}, {}, {"eval_args": BY_TIME}, {}),
    ("future-leak", {"eval_args": BY_TIME, "TIME_FIELD": None}, {}, {"eval_args": BY_TIME}, {}),
    ("future-leak", {"eval_args": {**BY_TIME, "split": {"RS": [8, 1, 1]}}}, {}, {"eval_args": BY_TIME}, {}),
    ("repeats-leak", {}, {"repeats": 0}, {}, {"repeats": 1}),
    ("amp-on-cpu", {"enable_amp": True, "device": "cuda"}, {}, {"enable_amp": True}, {}),
    ("one-step-epochs", {}, {"train": 2_049}, {}, {"train": 2_048}),
    ("one-user-batches", {**BY_RECBOLE, "eval_batch_size": 10_000}, {}, BY_RECBOLE, {}),
    ("one-user-batches", {**BY_RECBOLE, "eval_batch_size": 0}, {}, {**BY_RECBOLE, "eval_batch_size": 1}, {}),
    ("one-user-batches", BY_RECBOLE, {"users": 200}, BY_RECBOLE, {"users": 201}),
    ("one-user-batches", {**BY_RECBOLE, "eval_args": {"mode": "uni100"}}, {}, BY_RECBOLE, {}),
    ("stop-after-the-end", {**AT_THE_END, "stopping_step": 29}, {}, AT_THE_END, {}),
    ("stop-after-the-end", {**AT_THE_END, "eval_step": 9}, {}, {**AT_THE_END, "eval_step": 11}, {}),
    ("stop-after-the-end", {"epochs": 29, "stopping_step": 400}, {}, {"epochs": 30, "stopping_step": 30}, {}),
    ("stop-after-the-end", {"stopping_step": 299, "eval_step": 0}, {}, {"stopping_step": 300, "eval_step": 0}, {}),
]


def test_the_shipped_settings_are_silent():
    assert ids({}, {}) == set()


@pytest.mark.parametrize(("name", "wrong", "sizes", "right", "right_sizes"), FAULTS)
def test_fault_and_twin(name, wrong, sizes, right, right_sizes):
    assert name in ids(wrong, sizes)
    assert name not in ids(right, right_sizes)


@pytest.mark.parametrize(("name", "silent", "silent_sizes", "wrong", "wrong_sizes"), EDGES)
def test_both_sides(name, silent, silent_sizes, wrong, wrong_sizes):
    assert name not in ids(silent, silent_sizes)
    assert name in ids(wrong, wrong_sizes)


@pytest.mark.parametrize(
    ("rate", "severity"), [(0.9e-5, "warning"), (1e-5, "advice"), (0.1, "advice"), (0.11, "warning")]
)
def test_an_unusual_learning_rate_is_advice_and_an_implausible_one_a_warning(rate, severity):
    (finding,) = lint({"learning_rate": rate})
    assert finding.severity == severity


def test_a_split_by_time_without_times_cannot_leak():
    leak = {"eval_args": {"split": {"LS": "valid_and_test"}, "order": "RO"}}
    assert "future-leak" in ids(leak, {})
    assert "future-leak" not in ids({**leak, **TIMELESS}, {})


def test_settings_that_are_absent_or_no_numbers_are_no_reason_to_fail():
    assert lint({}) == []
    assert lint({"learning_rate": None, "weight_decay": "", "topk": 10, "clip_grad_norm": None}) == []


@pytest.mark.parametrize(("text", "least"), [("[5,inf)", 5), ("(2, 10]", 2), ("", 0), (None, 0), ("[0,inf)", 0)])
def test_interval(text, least):
    assert length_of_interval(text) == least


def test_the_number_of_a_rate_is_the_rate():
    (slow,) = [found for found in lint({"learner": "sgd"}) if found.id == "plain-sgd"]
    assert (slow.number, slow.threshold) == (0.001, 0.1)  # RecBole's default
    for rate, name, limit in ((1e-6, "learning-rate-too-small", 1e-3), (1.0, "learning-rate-too-large", 1e-2)):
        (found,) = [found for found in lint({**HEALTHY, "learning_rate": rate}) if found.id == name]
        assert found.number == rate and found.threshold == limit
