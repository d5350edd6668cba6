"""The estimate before training: arithmetic, advice, and that measuring changes nothing."""

import logging
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from recbole_alibaba import build_config, prepare
from recbole_alibaba.trainer.cost_estimate import Estimate, _step_seconds, advice, announce, estimate

GB = 1_000_000_000


def test_arithmetic() -> None:
    found = estimate(pairs=10_001, batch=1_000, step_seconds=0.5, n_nodes=1_000, dimensions=64, graph_bytes=80)
    assert (found.steps, found.seconds, found.bytes) == (11, 5.5, 9 * 4 * 64_000 + 80)
    assert str(found) == "11 steps of 1,000 pairs at 500 ms: about 5.5 s an epoch, about 0.00 GB"


def test_advice() -> None:
    def at(seconds: float, batch: int = 2_048, size: int = GB) -> Estimate:
        return Estimate(10**7, batch, -(-(10**7) // batch), seconds, size)

    assert advice(at(599), None, 2 * GB) is None
    assert "are needed and 0.5 GB are free" in str(advice(at(1), None, GB // 2))
    said = str(advice(at(2_400), at(500, batch=8_192), 2 * GB))
    assert (
        "train_batch_size: 8192 takes about 500 s" in said
        and "changes the maths" in said
        and "learning_rate by 2.0 " in said
    )
    assert said.endswith("adam_betas: [0.9, 0.996].")
    both = str(advice(at(2_400), at(500, batch=1 << 18), 2 * GB, softmax=at(1_260, batch=4_096)))
    assert (
        "adam_betas: [0.9, 0.900]. Or set loss: softmax with train_batch_size: 4096, about 21 minutes an epoch" in both
    )
    assert "No larger batch helps" in str(advice(at(700), at(900, batch=8_192), 2 * GB))


@pytest.mark.parametrize("shared", [1, 3])
def test_the_faster_step_counts_or_the_mean_of_those_that_share_a_propagation(two_tastes: Path, shared: int) -> None:
    settings = {"data_path": str(two_tastes), "shared_propagation": shared, "show_progress": False}
    made = prepare(build_config("AlibabaLightGCN", "two-tastes", config_dict=settings))
    waits = iter([0.6, 0.0, 0.0])
    calculate_loss = made.model.calculate_loss

    def slowly(interaction: Any) -> Any:
        time.sleep(next(waits))
        return calculate_loss(interaction)

    made.model.calculate_loss = slowly
    found = _step_seconds(made.model, made.train_data, 8, "bpr")
    assert found < 0.6 if shared == 1 else found >= 0.2


@pytest.mark.parametrize("own", [{}, {"shared_propagation": 3}, {"loss": "softmax"}], ids=str)
def test_measuring_changes_neither_weights_nor_the_run(
    two_tastes: Path, caplog: pytest.LogCaptureFixture, own: dict[str, Any]
) -> None:
    settings = {"data_path": str(two_tastes), "train_batch_size": 64, "epochs": 1, "show_progress": False, **own}
    made = prepare(build_config("AlibabaLightGCN", "two-tastes", config_dict=settings))
    before, state = [weight.clone() for weight in made.model.parameters()], torch.get_rng_state()
    parts, shared = made.model.loss_parts, object()
    made.model._batches, made.model._shared_tables = 7, shared
    with caplog.at_level(logging.INFO):
        found = announce(made.model, made.train_data, made.config, logging.getLogger(), longest=1e-9)
    assert found.steps == len(made.train_data)
    assert "Estimate: " in caplog.text and "Out of reach" in caplog.text
    assert ("Or set loss: softmax with train_batch_size: " in caplog.text) is (parts[0] == "bpr")
    assert (made.model.loss_parts, made.model._batches) == (parts, 7) and made.model._shared_tables is shared
    assert torch.equal(state, torch.get_rng_state())
    for weight, was in zip(made.model.parameters(), before, strict=True):
        assert torch.equal(weight, was) and weight.grad is None
