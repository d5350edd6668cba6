"""Every run stands beside true popularity, and says so in words where popularity wins."""

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recbole_alibaba import build_config, prepare, run
from recbole_alibaba.evaluation.popularity import item_counts, popularity_result
from tests.conftest import write_inter

QUICK = {"show_progress": False, "topk": [5, 10], "valid_metric": "NDCG@10", "preflight": False}


@pytest.fixture(scope="module")
def categories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data path with `categories`: 150 users take 8 to 14 of 60 categories by their fame; nobody has a taste."""
    folder, rng = tmp_path_factory.mktemp("categories"), np.random.default_rng(0)
    fame = 1 / np.arange(1, 61) ** 1.2
    rows = []
    for user in range(150):
        chosen = rng.choice(60, size=rng.integers(8, 15), replace=False, p=fame / fame.sum())
        rows += [(f"u{user}", f"c{category}", time) for time, category in enumerate(rng.permutation(chosen))]
    write_inter(folder, "categories", rows)
    return folder


def trained(folder: Path, model: str = "AlibabaLightGCN", **settings: Any) -> dict[str, Any]:
    return run(model, folder_name(folder), config_dict={**QUICK, "data_path": str(folder), **settings})


def folder_name(folder: Path) -> str:
    return next(file.parent.name for file in folder.glob("*/*.inter"))


def recall_by_hand(made: Any, k: int, lucky: bool) -> float:
    """Recall@k of the most popular items not had in training or validation; ties in or against the user's favour."""
    parts = [loader._dataset.inter_feat for loader in (made.train_data, made.valid_data, made.test_data)]
    rows = [list(zip(part["user_id"].tolist(), part["item_id"].tolist(), strict=True)) for part in parts]
    counts = Counter(item for _, item in rows[0])
    recalls = []
    for user in {user for user, _ in rows[2]}:
        had = {item for other, item in rows[0] + rows[1] if other == user}
        wanted = {item for other, item in rows[2] if other == user}
        free = [item for item in range(1, made.dataset.item_num) if item not in had]
        free.sort(key=lambda item: (-counts[item], (item in wanted) != lucky))
        recalls.append(len(wanted & set(free[:k])) / len(wanted))
    return float(np.mean(recalls))


def test_popularity_wins_on_a_log_without_taste_and_the_run_says_why(
    categories: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        result = trained(categories, epochs=3)
    ours, theirs = result["test_result"], result["popularity_result"]
    assert set(theirs) == set(ours)
    assert theirs["ndcg@10"] > ours["ndcg@10"]
    said = next(record for record in caplog.records if record.message.startswith("popularity-wins"))
    assert said.levelname == "WARNING"
    assert f"{ours['ndcg@10']:.4f}" in said.message
    assert f"{theirs['ndcg@10']:.4f}" in said.message
    assert "too few epochs; a few items have most of the interactions" in said.message
    assert "epochs: 12" in said.message
    assert "popularity on test" in caplog.text


def test_popularity_loses_where_users_have_tastes(two_tastes: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        result = trained(two_tastes, epochs=40, learning_rate=0.01, train_batch_size=128)
    assert result["test_result"]["ndcg@10"] > 2 * result["popularity_result"]["ndcg@10"] > 0
    assert "popularity on test" in caplog.text
    assert "popularity-wins" not in caplog.text


@pytest.mark.parametrize("fast", [True, False])
def test_the_same_metrics_as_the_model_pop_and_as_a_count(categories: Path, fast: bool) -> None:
    settings = {**QUICK, "data_path": str(categories), "fast_eval": fast}
    made = prepare(build_config("AlibabaLightGCN", "categories", config_dict=settings))
    made.trainer.eval_collector.data_collect(made.train_data)
    ours = popularity_result(made, made.test_data, item_counts(made.config, made.train_data))
    assert ours == pytest.approx(trained(categories, "Pop", fast_eval=fast)["test_result"], abs=2e-3)


def test_recall_by_hand_count_and_mask(categories: Path) -> None:
    made = prepare(build_config("BPR", "categories", config_dict={**QUICK, "data_path": str(categories)}))
    result = popularity_result(made, made.test_data, item_counts(made.config, made.train_data))
    least, most = (recall_by_hand(made, 5, lucky) for lucky in (False, True))
    assert most - least < 0.05
    assert least - 1e-4 <= result["recall@5"] <= most + 1e-4


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("BPR", {"eval_args": {"mode": "uni20"}}),
        ("GRU4Rec", {"train_neg_sample_args": None, "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO"}}),
    ],
)
def test_sampled_candidates_and_sequences(two_tastes: Path, model: str, settings: dict[str, Any]) -> None:
    result = run(model, "two-tastes", config_dict={**QUICK, "data_path": str(two_tastes), "epochs": 1, **settings})
    assert 0 < result["popularity_result"]["recall@10"] < 1


def test_every_item_of_a_sequence_counts_once(two_tastes: Path) -> None:
    settings = {"train_neg_sample_args": None, "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO"}}
    config = build_config("GRU4Rec", "two-tastes", config_dict={**QUICK, **settings, "data_path": str(two_tastes)})
    made = prepare(config)
    assert int(item_counts(config, made.train_data).sum()) == 60 * (15 - 2)


def test_nothing_is_said_where_it_does_not_apply(categories: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert trained(categories, "Pop")["popularity_result"] is None
    assert "popularity" not in caplog.text
