"""Losses are shown as named means everywhere, and a loss that does not move is explained."""

import logging
import math
import re
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from recbole_alibaba import Experiment, build_config, prepare
from recbole_alibaba.host.errors import NotFiniteLossError
from recbole_alibaba.trainer.epoch_warnings import EpochWarnings
from recbole_alibaba.trainer.meter import EpochMeter, shown

LN2 = math.log(2)
EPOCH_LINE = re.compile(
    r"epoch (\d+) training \[time: [\d.]+s, loss: ([\d.e-]+), bpr: ([\d.e-]+), reg: ([\d.e-]+), "
    r"grad_norm: ([\d.e-]+) \(clipped (\d+) %\)\]"
)


def experiment(data_path: Path, **settings: Any) -> Experiment:
    known = {"data_path": str(data_path), "checkpoint_dir": "saved", "train_batch_size": 100, "embedding_size": 16}
    return prepare(build_config("AlibabaLightGCN", "two-tastes", config_dict=known | settings))


def fit(made: Experiment, **options: Any) -> list[dict[str, Any]]:
    made.trainer.fit(made.train_data, made.valid_data, **options)
    return made.trainer.history


def test_means_are_those_of_the_batches(two_tastes: Path) -> None:
    """The epoch's numbers against losses recorded one by one where the model returns them."""
    made = experiment(two_tastes, epochs=1)
    seen: list[tuple[float, ...]] = []
    calculate_loss = made.model.calculate_loss

    def recording(interaction: Any) -> tuple[torch.Tensor, ...]:
        parts = calculate_loss(interaction)
        seen.append(tuple(part.item() for part in parts))
        return parts

    made.model.calculate_loss = recording
    (record,) = fit(made)
    assert 0 < made.model_seconds < 600
    assert record["batches"] == len(seen) == len(made.train_data)
    assert record["bpr"] == pytest.approx(sum(bpr for bpr, _ in seen) / len(seen))
    assert record["reg"] == pytest.approx(sum(reg for _, reg in seen) / len(seen))
    assert record["loss"] == pytest.approx(record["bpr"] + record["reg"])
    assert set(record["valid"]) >= {"recall@10", "hit@10"}


def test_the_epoch_line(two_tastes: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = experiment(two_tastes, epochs=3, clip_grad_norm={"max_norm": 1e-4, "norm_type": 2})
    with caplog.at_level(logging.INFO):
        history = fit(made)
    plain = re.sub(r"\x1b\[[\d;]*m", "", caplog.text)
    lines = EPOCH_LINE.findall(plain)
    assert [int(line[0]) for line in lines] == [0, 1, 2]
    for line, record in zip(lines, history, strict=True):
        assert float(line[1]) == pytest.approx(record["loss"], abs=6e-5)
        assert float(line[4]) == pytest.approx(record["grad_norm"], rel=0.1)
        assert line[5] == "100"  # every gradient is longer than 1e-4


def test_clipping_shortens_what_the_optimizer_sees(two_tastes: Path) -> None:
    """The recorded norm is the one before clipping, the step's is the one after."""
    made = experiment(two_tastes, epochs=1, clip_grad_norm={"max_norm": 1e-4, "norm_type": 2})
    lengths: list[float] = []

    def measure(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"]]
        lengths.append(torch.cat([gradient.flatten() for gradient in gradients]).norm().item())

    made.trainer.optimizer.register_step_pre_hook(measure)
    (record,) = fit(made)
    assert max(lengths) <= 1.01e-4
    assert record["grad_norm"] > 1e-3


@pytest.mark.parametrize(("schedule", "expected"), [("constant", [0.4, 0.4]), ("linear", [0.4, 0.2])])
def test_the_schedule_reaches_the_optimizer(two_tastes: Path, schedule: str, expected: list[float]) -> None:
    made = experiment(two_tastes, epochs=2, learning_rate=0.4, learning_rate_schedule=schedule)
    rates: list[float] = []
    made.trainer.optimizer.register_step_pre_hook(lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"]))
    fit(made)
    assert rates == [rate for rate in expected for _ in range(len(made.train_data))]


def test_recorded_and_clipped_gradients_are_not_scaled(two_tastes: Path) -> None:
    """A GradScaler multiplies the loss by 65,536; norms and clipping are of the gradients of the loss itself."""
    norms = []
    for scaled in (False, True):
        made = experiment(two_tastes, epochs=1, clip_grad_norm={"max_norm": 1.0, "norm_type": 2})
        made.trainer.enable_scaler = scaled
        norms.append((fit(made)[0]["grad_norm"], fit(made)[0]["clipped"]))
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)


def test_the_live_bar_shows_the_parts(two_tastes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = experiment(two_tastes, epochs=1)
    calculate_loss = made.model.calculate_loss

    def slowly(interaction: Any) -> tuple[torch.Tensor, ...]:
        time.sleep(0.11)  # tqdm draws no more often than each tenth of a second
        return calculate_loss(interaction)

    made.model.calculate_loss = slowly
    (record,) = fit(made, show_progress=True)
    shown_last = re.findall(r"Loss=(\S+), BPR=(\S+), Reg=([\d.e-]+)", capsys.readouterr().err)[-1]
    assert shown_last == tuple(shown(record[name]) for name in ("loss", "bpr", "reg"))


def test_tensorboard_has_named_curves(two_tastes: Path) -> None:
    made = experiment(two_tastes, epochs=2)
    history = fit(made)
    made.trainer.tensorboard.flush()
    events = EventAccumulator(made.trainer.tensorboard.log_dir).Reload()
    curves = {"Loss/Total": "loss", "Loss/BPR": "bpr", "Loss/Reg": "reg", "Grad/Norm": "grad_norm"}
    for tag, key in curves.items():
        values = [event.value for event in events.Scalars(tag)]
        assert values == pytest.approx([record[key] for record in history], rel=1e-6), tag


def test_wandb_gets_the_same_curves(two_tastes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[dict[str, Any]] = []
    fake: Any = ModuleType("wandb")
    fake.run = SimpleNamespace(summary={})
    fake.define_metric = lambda *_, **__: None
    fake.log = lambda metrics, commit=True: logged.append(metrics)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    history = fit(experiment(two_tastes, epochs=2, log_wandb=True))
    totals = [entry["Loss/Total"] for entry in logged if "Loss/Total" in entry]
    assert totals == [record["loss"] for record in history]
    assert any("Loss/BPR" in entry and "Loss/Reg" in entry and "Grad/Norm" in entry for entry in logged)


@pytest.mark.parametrize(("part", "position"), [("bpr", 0), ("reg", 1)])
def test_a_loss_that_is_not_finite_names_epoch_batch_and_part(two_tastes: Path, part: str, position: int) -> None:
    made = experiment(two_tastes, epochs=3)
    calculate_loss, calls, batches = made.model.calculate_loss, [0], len(made.train_data)

    def broken(interaction: Any) -> tuple[torch.Tensor, ...]:
        parts = list(calculate_loss(interaction))
        if calls[0] == batches + 2:
            parts[position] = parts[position] * math.inf
        calls[0] += 1
        return tuple(parts)

    made.model.calculate_loss = broken
    with pytest.raises(NotFiniteLossError, match=rf"epoch 1, batch 2: the {part} is (inf|nan)"):
        fit(made)


def test_the_meter_reads_late_and_still_names_the_batch() -> None:
    """On a GPU the losses are read every 50 batches; the batch at fault is named all the same."""
    meter = EpochMeter(("bpr", "reg"), epoch=4, max_norm=1.0, device=torch.device("cpu"), read_every=10)
    for batch in range(5):
        value = torch.tensor(math.nan if batch == 3 else 0.5)
        meter.add((value, torch.tensor(0.0)), torch.tensor(2.0))
    assert meter.batches == 0
    with pytest.raises(NotFiniteLossError, match="epoch 4, batch 3: the bpr is nan"):
        meter.read()


def test_a_stuck_loss_is_explained(two_tastes: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        fit(experiment(two_tastes, epochs=4, learning_rate=1e-8, init="normal", init_std=0.01))
    said = [record for record in caplog.records if "stuck-at-ln2" in record.message]
    assert [record.levelname for record in said] == ["INFO", "WARNING"]  # after the first epoch it is mere advice
    assert "0.6931" in said[-1].message


def test_advice_is_given_once(two_tastes: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A guessing loss is advice after the first epoch and an error later; each is given once, then counted."""
    warnings = EpochWarnings(experiment(two_tastes).trainer)
    records = [{"epoch": epoch, "batches": 8, "seconds": 1.0, "loss": LN2, "bpr": LN2} for epoch in range(4)]
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            warnings.warn(records[:1])
        assert len([one for one in caplog.messages if one.startswith("stuck-at-ln2")]) == 1
        assert warnings.findings == []  # of which the run's record and page are made
        caplog.clear()
        for _ in range(2):
            warnings.warn(records)
        assert len([one for one in caplog.messages if one.startswith("stuck-at-ln2")]) == 1
        assert [finding.id for finding in warnings.findings] == ["stuck-at-ln2", "flat"]
        warnings.summary()
    assert caplog.messages[-1].endswith("seen again after 1 more epochs.")


def test_warnings_of_an_earlier_process_are_counted_epoch_by_epoch(two_tastes: Path) -> None:
    """After a replay the next epoch says what it would have said in one process."""
    trainer = experiment(two_tastes).trainer
    losses = (0.7, LN2, LN2, LN2, LN2)
    records = [
        {"epoch": n, "batches": 8, "seconds": 1.0, "loss": loss, "bpr": loss, "valid": {"recall@10": 0.0}}
        for n, loss in enumerate(losses)
    ]
    whole, resumed = EpochWarnings(trainer), EpochWarnings(trainer)
    for end in range(1, len(records)):
        before = {name: value for name, value in records[end - 1].items() if name != "valid"}
        whole.warn([*records[: end - 1], before])
    resumed.replay(records[:-1])
    assert [found.id for found in resumed.findings] == [found.id for found in whole.findings] != []
    assert resumed._again == whole._again


def test_a_learning_model_is_not_warned_of(two_tastes: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        history = fit(experiment(two_tastes, epochs=5, learning_rate=0.01))
    assert not [record for record in caplog.records if record.name == "root"]
    losses = [record["bpr"] for record in history]
    assert losses == sorted(losses, reverse=True)


def test_small_values_keep_their_digits() -> None:
    assert [shown(value) for value in (0.67564, 0.0075, 7.46e-6, 0.0)] == ["0.6756", "0.0075", "7.5e-06", "0.0000"]
