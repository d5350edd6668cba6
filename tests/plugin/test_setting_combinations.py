"""Settings that cannot stand together, each beside the nearest ones that can; the metrics that settings ask for."""

from typing import Any

import pytest

from recbole_alibaba.host.errors import BadSettingError
from recbole_alibaba.settings.combinations import Host, check_combination
from recbole_alibaba.settings.kinds import choice, whole
from recbole_alibaba.settings.property_lines import Line
from recbole_alibaba.settings.ranking_metrics import (
    computed_metrics,
    list_lengths,
    longest_list,
    valid_length,
    valid_metric_is_computed,
)
from recbole_alibaba.settings.values import TYPED, _better, check_values, written

RANKING, VALUES = {"recall": "Recall", "ndcg": "NDCG"}, {"auc": "AUC"}
SETTINGS: dict[str, Any] = {
    "metrics": ["Recall", "NDCG"], "topk": [10, 20], "valid_metric": "NDCG@20",
    "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "mode": "full"},
    "train_neg_sample_args": {"distribution": "uniform", "sample_num": 1},
    "repeatable": False,
}  # fmt: skip
UNI = {"eval_args": {"split": {"RS": [8, 1, 1]}, "mode": "uni100"}}


def host(sequential: bool = False, pairwise: bool | None = True) -> Host:
    return Host("Model", sequential, pairwise, RANKING, VALUES)


CASES: list[tuple[Host, dict[str, Any], str | None]] = [
    (host(), {}, None),
    (host(), {"metrics": "recall", "valid_metric": "recall@10"}, None),
    (host(), {"metrics": ["Recalls"]}, "metrics names 'Recalls', .* Did you mean 'Recall'"),
    (host(), {"metrics": ["Recall", "AUC"], **UNI}, r'only one of the two kinds .*--metrics=.*Recall'),
    (host(), {"metrics": ["AUC"], "valid_metric": "AUC"}, "AUC in metrics needs candidates.*mode: uni100"),
    (host(), {"metrics": ["AUC"], "valid_metric": "AUC", **UNI}, None),
    (host(), {"metrics": ["AUC"], "valid_metric": "AUC",
              "eval_args": {"split": {"RS": [1]}, "mode": {"valid": "uni100", "test": "full"}}}, "mode: uni100"),
    (host(), {"metrics": ["AUC"], "valid_metric": "AUC",
              "eval_args": {"split": {"RS": [1]}, "mode": {"valid": "uni100", "test": "uni50"}}}, None),
    (host(), {"metrics": ["AUC"], "valid_metric": "AUC", "eval_args": {"split": {"RS": [1]}}}, "mode: uni100"),
    (host(), {"valid_metric": "NDC@10"}, "RecBole has no metric 'NDC'. Did you mean 'NDCG'"),
    (host(), {"valid_metric": "NDCG"}, "--valid_metric=NDCG@20"),
    (host(), {"valid_metric": "NDCG", "topk": []}, "--valid_metric=NDCG@10"),
    (host(), {"metrics": ["AUC"], "valid_metric": "AUC@10", **UNI}, "AUC has no list length. .*--valid_metric=AUC"),
    (host(), {"clip_grad_norm": {"max_norm": 1.0}}, None),
    (host(), {"clip_grad_norm": {"norm_type": 2}}, "needs max_norm"),
    (host(), {"eval_args": {"split": {}}}, "names no way to split"),
    (host(), {"eval_args": {}}, "names no way to split"),
    (host(), {"eval_args": {"split": {"RS": [1], "LS": "valid"}}}, "names RS and LS"),
    (host(), {"train_neg_sample_args": None}, "turns the negatives off"),
    (host(), {"train_neg_sample_args": {"distribution": None}}, "turns the negatives off"),
    (host(), {"train_neg_sample_args": {"sample_num": 2}}, None),
    (host(), {"train_neg_sample_args": None, "loss_type": "CE"}, None),
    (host(pairwise=False), {"train_neg_sample_args": None}, None),
    (host(), {"train_neg_sample_args": {"dynamic": True}}, "candidate_num: 5"),
    (host(), {"train_neg_sample_args": {"dynamic": True, "candidate_num": 3}}, None),
    (host(), {"train_neg_sample_args": {"dynamic": False, "candidate_num": 0}}, None),
    (host(True, None), {"repeatable": True, "loss_type": "CE"}, "--train_neg_sample_args=None"),
    (host(True, None), {"repeatable": True, "loss_type": "CE", "train_neg_sample_args": None}, None),
    (host(True, None), {"loss_type": "CE", "train_neg_sample_args": None}, "--repeatable=True"),
    (host(True, None), {"repeatable": True, "loss_type": "BPR"}, None),
    (host(True, None), {"repeatable": True, "loss_type": "BPR", "train_neg_sample_args": None}, "negatives off"),
    (host(False, None), {"loss_type": "CE"}, None),
    (host(True, True), {"repeatable": True, "loss_type": "CE"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("model", "changes", "sentence"), CASES, ids=[f"{n}" for n in range(len(CASES))])
def test_contradictions_and_their_neighbours(model: Host, changes: dict[str, Any], sentence: str | None) -> None:
    if sentence is None:
        check_combination(SETTINGS | changes, model)
        return
    with pytest.raises(BadSettingError, match=sentence):
        check_combination(SETTINGS | changes, model)


def test_the_metrics_that_settings_ask_for() -> None:
    assert list_lengths({"topk": 10}) == [10] and list_lengths({"topk": (5, 20)}) == [5, 20] and list_lengths({}) == []
    assert longest_list({"topk": [5, 20, 10]}) == 20 and longest_list({}) == 0
    assert computed_metrics({"metrics": ["Recall", "Hit"], "topk": [5, 10]}) == [
        "Recall@5", "Recall@10", "Hit@5", "Hit@10"
    ]  # fmt: skip
    assert valid_length({"valid_metric": "NDCG@10"}) == 10
    assert valid_length({"valid_metric": "AUC"}) is valid_length({}) is valid_length({"valid_metric": "NDCG@x"}) is None


@pytest.mark.parametrize(
    ("changes", "computed"),
    [
        ({}, True),
        ({"valid_metric": "ndcg@20"}, True),
        ({"valid_metric": "NDCG@5"}, False),
        ({"valid_metric": "Hit@10"}, False),
        ({"valid_metric": "NDCG"}, True),
        ({"valid_metric": "NDCG@5", "topk": None}, True),
        ({"metrics": None}, True),
        ({"valid_metric": None}, True),
    ],
)
def test_whether_the_metric_of_early_stopping_is_computed(changes: dict[str, Any], computed: bool) -> None:
    assert valid_metric_is_computed(SETTINGS | changes) is computed


@pytest.mark.parametrize(
    ("value", "better"),
    [
        ("7", 7), (7.0, 7), (["7"], 7), ([7], 7), ("[7]", 7), ("seven", 3), (7.5, 3), (-1, 3), (True, 3), ({}, 3),
        ("1 2", 3), (None, 3),
    ],
)  # fmt: skip
def test_a_refusal_offers_the_value_that_was_meant_or_the_default(value: Any, better: Any) -> None:
    assert _better(whole(0), value, 3) == better


def test_values_are_written_as_one_types_them() -> None:
    assert written(("a",), 1, TYPED) == "--a=1" and written(("a",), 1, "x.yaml") == "`a: 1`"
    assert written(("a", "b"), [1, "x y"], TYPED) == '--a="{b: [1, x y]}"'
    assert written(("a",), None, TYPED) == "--a=None" and written(("a",), None, "x.yaml") == "`a: ~`"
    assert written(("a",), "$HOME", TYPED) == "--a='$HOME'"
    assert written(("a",), "5", TYPED) == "--a=\"'5'\""


def test_a_long_value_is_shown_by_its_beginning() -> None:
    lines = {"loss": Line("bpr", "str", "One of [bpr, softmax].")}
    for length, shown in ((78, "x" * 78 + "'"), (79, "x" * 76 + "...")):
        with pytest.raises(
            BadSettingError, match=f"^loss is '{shown}, and must be one of bpr, softmax. Write --loss=bpr"
        ):
            check_values({"loss": "x" * length}, lines, TYPED)
    with pytest.raises(BadSettingError, match=r"^x\.yaml: loss is 'softmx', .* Write `loss: softmax`"):
        check_values({"loss": "softmx"}, lines, "x.yaml")
    assert choice("a").words == ("a",)
