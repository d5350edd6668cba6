"""A run that was stopped goes on with --resume as if it had never stopped: every number is the same to the bit."""

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from click.testing import Result
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.optim.optimizer import register_optimizer_step_pre_hook

from recbole_alibaba import run
from recbole_alibaba.host.errors import CannotResumeError
from tests.conftest import two_taste_rows, write_inter

ROOT = Path(__file__).resolve().parent.parent.parent
BATCHES = 8
DYNAMIC = {"train_neg_sample_args": {"dynamic": True, "candidate_num": 3}}
SAMPLED = {"eval_args": {"mode": {"valid": "uni20", "test": "uni20"}}}


def train(data_path: Path, model: str = "AlibabaLightGCN", resume: Any = False, **settings: Any) -> dict[str, Any]:
    known = {"data_path": str(data_path), "train_batch_size": 100, "embedding_size": 8, "epochs": 6, "preflight": False}
    return run(model, "two-tastes", config_dict=known | settings, resume=resume)


@contextmanager
def stops(*, step: int = -1, line: str = "") -> Iterator[None]:
    """Ctrl-C at a step of the optimiser, or when a line of the log that begins with this text is written."""
    taken = [0]

    def at_step(*_: Any) -> None:
        taken[0] += 1
        if taken[0] == step:
            raise KeyboardInterrupt

    class AtLine(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if line and line in record.getMessage():
                raise KeyboardInterrupt

    handler, hook = AtLine(), register_optimizer_step_pre_hook(at_step)
    logging.getLogger().addHandler(handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        hook.remove()
        logging.getLogger().removeHandler(handler)


def bits(value: Any) -> Any:
    """The same value with bytes for tensors, without what may differ: seconds, file names."""
    if isinstance(value, torch.Tensor):
        return value.cpu().numpy().tobytes()
    if isinstance(value, dict):
        return {key: bits(inner) for key, inner in value.items() if key not in ("seconds", "model_file", "tensorboard")}
    return [bits(inner) for inner in value] if isinstance(value, list | tuple) else value


def everything(result: dict[str, Any]) -> tuple[Any, ...]:
    """The last state, RecBole's file of the best weights, the curves, and what `run` returns."""
    state = torch.load(Path(result["run"]) / "state.pt", weights_only=True)
    best = torch.load(result["model_file"], weights_only=False)
    events = EventAccumulator(str(Path("log_tensorboard") / state["tensorboard"])).Reload()
    curves = {tag: [(at.step, at.value) for at in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    returned = {key: value for key, value in result.items() if key != "run"}
    return bits(state), bits(best["state_dict"]), best["epoch"], curves, bits(returned)


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("AlibabaLightGCN", {"learning_rate_schedule": "linear", "positive_sampling": "users"}),
        ("AlibabaLightGCN", {"shared_propagation": 3, "eval_step": 2}),
        ("AlibabaLightGCN", {**DYNAMIC, "epochs": 9, "stopping_step": 1, "learning_rate": 0.05}),
        ("BPR", SAMPLED),
        ("MultiVAE", {"eval_step": 0}),
    ],
    ids=["schedule and draws by user", "shared propagation", "dynamic negatives, stops early", "BPR", "MultiVAE"],
)
def test_a_run_that_was_stopped_four_times_is_the_run_that_was_not(
    two_tastes: Path, model: str, settings: dict[str, Any]
) -> None:
    whole = everything(train(two_tastes, model, checkpoint_dir="whole", **settings))
    places: list[dict[str, Any]] = [{"step": 3}, {"step": 2 * BATCHES + 1}, {"line": "epoch 3 training"}, {"step": 5}]
    if model == "MultiVAE":
        places = [{"line": f"epoch {epoch} training"} for epoch in (0, 2, 3)]
    for number, place in enumerate(places):
        with stops(**place):
            train(two_tastes, model, resume=number > 0, checkpoint_dir="stopped", **settings)
    assert len(list(Path("stopped").glob("*/"))) == 1
    stopped = everything(train(two_tastes, model, resume=True, checkpoint_dir="stopped", **settings))
    for mine, other in zip(stopped, whole, strict=True):
        assert mine == other
