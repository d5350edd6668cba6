"""Worlds without or with one user or item, weights of NaN, embeddings beyond memory, a clock that is set back."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from evil_names import Command, files_of, one_sentence
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from recbole_alibaba import load
from recbole_alibaba.saved.run_folder import held
from tests.conftest import write_inter

Row = tuple[object, object, object]
OWNER = [("all", f"i{k}", k) for k in range(30)]
OTHERS = [(f"u{user}", f"i{(user * 7 + k * 3) % 30}", k) for user in range(40) for k in range(8)]
WORLDS: dict[str, tuple[list[Row], str]] = {
    "nobody": ([], "nobody.inter has a header and no row"),
    "one row": ([("u", "i", 1)], "some user has all of them, so no negative can be drawn. Leave these users out"),
    "one item": ([(f"u{k}", "i", k) for k in range(50)], "50 users on 1 items: some user has all of them"),
    "one user": ([("u", f"i{k}", k) for k in range(50)], "1 users on 50 items: some user has all of them"),
    "an owner of everything": ([*OWNER, *OTHERS], "41 users on 30 items: some user has all of them"),
}
SETTINGS = (
    "--load_col={inter: [user_id, item_id, timestamp]}",
    "--eval_args={split: {RS: [0.8, 0.1, 0.1]}, order: TO, group_by: user, mode: full}",
    *("--topk=[1]", "--valid_metric=Hit@1", "--embedding_size=8", "--epochs=2"),
)


@pytest.mark.parametrize("name", WORLDS)
def test_data_that_a_model_of_recbole_cannot_train_on(command: Command, name: str) -> None:
    rows, sentence = WORLDS[name]
    write_inter(Path("dataset"), name, rows)
    one_sentence(command("run", f"--dataset={name}", "--model=BPR", *SETTINGS), 2, sentence)
    assert not Path("saved").exists() or not list(Path("saved").rglob("*"))
    examined = command("doctor", f"--dataset={name}", *SETTINGS, "--output=out")
    assert examined.exit_code in (2, 3) and "Traceback" not in examined.output


def test_an_owner_of_everything_can_be_trained_on_and_recommended_to(command: Command) -> None:
    """There is nothing left to recommend, unless what he has may come again."""
    write_inter(Path("dataset"), "owner", [*OWNER, *OTHERS])
    assert command("run", "--dataset=owner", *SETTINGS).exit_code == 0
    nothing = command("recommend", "latest", "--users=all", "--k=3")
    again = command("recommend", "latest", "--users=all", "--k=3", "--seen")
    assert (nothing.exit_code, again.exit_code) == (0, 0)
    assert nothing.stdout == "user,rank,item,score\n" and again.stdout.count("\nall,") == 3


@pytest.mark.parametrize("model", ["AlibabaLightGCN", "BPR"])
def test_embeddings_beyond_memory_are_refused_with_numbers(command: Command, two_tastes: Path, model: str) -> None:
    words = ["run", "--dataset=two-tastes", f"--data_path={two_tastes}", f"--model={model}"]
    refused = command(*words, "--embedding_size=1000000000")
    one_sentence(refused, 2, "embedding_size: 1,000,000,000 needs about", "GB are free. Set embedding_size to at most")
    assert not Path("saved").exists() or not list(Path("saved").rglob("*"))


@contextmanager
def nan_after(step: int) -> Iterator[None]:
    """The weights are NaN after a step of the optimiser."""
    taken = [0]

    def spoil(optimizer: Any, *_: Any) -> None:
        taken[0] += 1
        if taken[0] == step:
            with torch.no_grad():
                optimizer.param_groups[0]["params"][0].fill_(torch.nan)

    hook = register_optimizer_step_post_hook(spoil)
    try:
        yield
    finally:
        hook.remove()
    assert taken[0] >= step


@pytest.mark.parametrize("model", ["AlibabaLightGCN", "BPR"])
@pytest.mark.parametrize("step", [1, 8, 12, 16], ids=["first", "last of an epoch", "later", "last of all"])
def test_weights_of_nan_after_a_step(command: Command, two_tastes: Path, model: str, step: int) -> None:
    """Eight steps an epoch. After the last one no loss is computed; then the weights of the first epoch are kept."""
    words = ["run", "--dataset=two-tastes", f"--data_path={two_tastes}", f"--model={model}", "--train_batch_size=100"]
    with nan_after(step):
        stopped = command(*words, "--epochs=2", "--preflight=False", "--learning_rate=1e-9")
    if step == 16:
        assert stopped.exit_code == 0, stopped.output
        assert np.isfinite(load("latest").vectors().users).all()
        return
    assert stopped.exit_code == 1 and "Traceback" not in stopped.output
    assert re.search("nan.*Try a smaller learning_rate", stopped.stderr.splitlines()[-1], re.IGNORECASE)
    assert not list(Path("saved").glob("*/run.json"))


@pytest.mark.parametrize("model", ["AlibabaLightGCN", "BPR"])
def test_weights_of_nan_are_not_saved(command: Command, two_tastes: Path, model: str) -> None:
    words = ["run", "--dataset=two-tastes", f"--data_path={two_tastes}", f"--model={model}", "--train_batch_size=100"]
    with nan_after(8):
        stopped = command(*words, "--epochs=1", "--preflight=False")
    one_sentence(stopped, 1, f"epoch 0: weights of {model} are NaN or infinite with learning_rate")
    assert not [name for name in files_of(Path("saved")) if name.endswith((".pth", "run.json", "state.pt"))]


def test_a_clock_that_is_set_back_during_a_training(
    command: Command, two_tastes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names stay apart and durations positive: each look at the clock is an hour before the one before."""
    looks = [time.time()]

    def back() -> float:
        looks[0] -= 3600
        return looks[0]

    class Back(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.fromtimestamp(back(), tz)

    for place in ("recbole_alibaba.training", "recbole_alibaba.saved.run_record", "recbole_alibaba.saved.run_folder"):
        monkeypatch.setattr(f"{place}.datetime", Back)
    monkeypatch.setattr("recbole.trainer.trainer.time", back)
    words = ["run", "--dataset=two-tastes", f"--data_path={two_tastes}", "--epochs=2", "--preflight=False"]
    for _ in range(2):
        assert command(*words).exit_code == 0
    records = [json.loads(file.read_text("utf-8")) for file in Path("saved").glob("*/run.json")]
    assert len(records) == 2
    for record in records:
        assert 0 < record["seconds"] < 3600 and record["ended"] < record["started"]
        assert all(epoch["seconds"] > 0 for epoch in record["history"])


def test_a_second_training_of_a_run_is_told(command: Command, two_tastes: Path) -> None:
    words = ["run", "--dataset=two-tastes", f"--data_path={two_tastes}", "--preflight=False"]
    assert command(*words, "--epochs=1").exit_code == 0
    (run,) = (file.parent for file in Path("saved").glob("*/config.yaml"))
    before = files_of(run)
    told: list[Any] = []

    def second(*_: Any) -> None:
        if not told:
            told.append(None)
            told[0] = command(*words, "--epochs=3", f"--resume={run}")

    hook = register_optimizer_step_pre_hook(second)
    try:
        assert command(*words, "--epochs=2", f"--resume={run}").exit_code == 0
    finally:
        hook.remove()
    one_sentence(told[0], 2, f"{run}: another process is training this run")
    with held(run):
        assert set(files_of(run)) == {*before, ".lock"}
    assert set(files_of(run)) == set(before)
