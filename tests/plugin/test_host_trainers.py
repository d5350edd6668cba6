"""RecBole's own models are checked before training and watched during it; what they learn does not change."""

import logging
from pathlib import Path
from typing import Any

import pytest

from recbole_alibaba import run

QUICK = {"epochs": 4, "show_progress": False, "train_batch_size": 128}


def trained(data_path: Path, model: str = "BPR", **settings: Any) -> dict[str, Any]:
    return run(model, "two-tastes", config_dict={**QUICK, "data_path": str(data_path), **settings})


@pytest.mark.parametrize("model", ["BPR", "SGL"])
def test_watching_changes_nothing(two_tastes: Path, model: str) -> None:
    """SGL draws another graph whenever it is put into training mode."""
    watched, alone = trained(two_tastes, model), trained(two_tastes, model, watch=False, preflight=False)
    assert watched["test_result"] == alone["test_result"]
    assert watched["best_valid_score"] == alone["best_valid_score"]
    assert len(watched["history"]) == 4
    assert alone["history"] == []


def test_a_stuck_stock_model_is_said_to_be_stuck(two_tastes: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        trained(two_tastes, learning_rate=1e-8, preflight=False)
    assert "updates-too-small" in caplog.text


@pytest.mark.parametrize("model", ["BPR", "NeuMF"])
def test_a_stock_model_that_ranks_worse_than_guessing_is_said_to(
    two_tastes: Path, caplog: pytest.LogCaptureFixture, model: str
) -> None:
    with caplog.at_level(logging.WARNING):
        trained(two_tastes, model, learning_rate=10.0, epochs=1, preflight=False)
    assert "worse-than-guessing" in caplog.text


@pytest.mark.parametrize(
    ("model", "settings"), [("BPR", {}), ("NeuMF", {}), ("NGCF", {}), ("LightGCN", {"reg_weight": 10.0})]
)
def test_a_healthy_stock_model_is_not_said_to_rank_worse_than_guessing(
    two_tastes: Path, caplog: pytest.LogCaptureFixture, model: str, settings: dict[str, float]
) -> None:
    """A LightGCN that is mostly regularisation has a loss above 1, and ranks no worse than a coin."""
    with caplog.at_level(logging.WARNING):
        history = trained(two_tastes, model, **settings, preflight=False)["history"]
    assert all(record["score_loss"] < 0.75 for record in history)
    assert (history[0]["loss"] > 1) == (model == "LightGCN")
    assert "worse-than-guessing" not in caplog.text


def test_preflight_warns_before_the_first_epoch(two_tastes: Path, caplog: pytest.LogCaptureFixture) -> None:
    """900 pairs are fewer than 1,000; with `preflight: False` there is no warning."""
    with caplog.at_level(logging.INFO):
        trained(two_tastes)
    said = [record.message for record in caplog.records]
    thin = next(at for at, line in enumerate(said) if line.startswith("thin-data"))
    assert thin < next(at for at, line in enumerate(said) if "epoch 0" in line)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        trained(two_tastes, preflight=False)
    assert "thin-data" not in caplog.text


def test_models_that_are_counted_are_left_alone(two_tastes: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert trained(two_tastes, "Pop", epochs=1)["history"] == []
    assert "unmoved" not in caplog.text
