"""Ctrl-C: one line, exit code 130, and every file is whole."""

import json
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pandas as pd
import pytest
from evil_names import Command, Evil, files_of, one_sentence
from torch.optim.optimizer import register_optimizer_step_pre_hook

from recbole_alibaba.recommending.files.output import table_writer

LOG = "user_id,item_id,behavior_type,user_geohash,item_category,time\n" + "".join(
    f"{user},{item},4,,1,2014-12-01 00\n" for user in range(9) for item in range(9)
)


@contextmanager
def at_step(number: int) -> Iterator[None]:
    """Ctrl-C at a step of any optimiser."""
    taken = [0]

    def step(*_: Any) -> None:
        taken[0] += 1
        if taken[0] == number:
            raise KeyboardInterrupt

    hook = register_optimizer_step_pre_hook(step)
    try:
        yield
    finally:
        hook.remove()
    assert taken[0] >= number


@contextmanager
def at_line(logger: str, words: str) -> Iterator[None]:
    """Ctrl-C at a line of a log."""

    class AtLine(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if words in record.getMessage():
                raise KeyboardInterrupt

    handler = AtLine()
    logging.getLogger(logger).addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger(logger).removeHandler(handler)


@contextmanager
def while_reading(pipe: Path) -> Iterator[None]:
    """Ctrl-C as the system sends it, while the process waits for what it reads from a pipe."""
    os.mkfifo(pipe)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

    def press() -> None:
        with pipe.open("w"):
            os.kill(os.getpid(), signal.SIGINT)

    thread = Thread(target=press)
    thread.start()
    yield
    thread.join()


@pytest.mark.parametrize("line", ["rows of the log", "k-core: asked for", "k-core (2, 2)"])
def test_the_converter(command: Command, alone: Path, line: str) -> None:
    Path("log.csv").write_text(LOG)
    words = ["--min-interactions=1", "--min-users=1", "--min-items=1", "--min-known=0"]
    with at_line("dataset_prep", line):
        stopped = command("prep", "mobile", "--log=log.csv", "--name=x", *words)
    one_sentence(stopped, 130, "Stopped: nothing was written")
    assert set(files_of(alone)) <= {"log.csv", "dataset"}


def test_a_training_says_how_to_go_on(command: Command, two_tastes: Path, alone: Path) -> None:
    words = ["run", "--dataset=two-tastes", f"--data_path={two_tastes}", "--train_batch_size=100", "--preflight=False"]
    with at_step(20):  # in the third epoch
        stopped = command(*words, "--epochs=5")
    one_sentence(stopped, 130, "Stopped. 2 epochs are kept. Go on with")
    (run,) = (file.parent for file in Path("saved").glob("*/config.yaml"))
    assert not [name for name in files_of(run) if name.startswith(".")]
    assert not (run / "run.json").exists()
    gone_on = command(*words, "--epochs=5", f"--resume={run}")
    assert gone_on.exit_code == 0, gone_on.output
    assert len(json.loads((run / "run.json").read_text("utf-8"))["history"]) == 5


def test_a_training_before_its_first_step(command: Command, two_tastes: Path, alone: Path) -> None:
    with at_line("", "The number of users"):
        stopped = command("run", "--dataset=two-tastes", f"--data_path={two_tastes}")
    one_sentence(stopped, 130, "Stopped before the training: nothing is kept.")
    assert not Path("saved").exists() or not list(Path("saved").glob("*/config.yaml"))


def test_the_doctor(command: Command, two_tastes: Path, alone: Path) -> None:
    with at_step(10):
        stopped = command("doctor", "--dataset=two-tastes", f"--data_path={two_tastes}", "--output=out")
    one_sentence(stopped, 130, "Stopped: the doctor has changed nothing.")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("recommend", "RUN", "--users=pipe", "--output=lists.csv"),
        ("recommend", "RUN", "--new-users=pipe", "--output=lists.csv"),
        ("score-tianchi", "pipe", "--truth=pipe"),
    ],
    ids=lambda words: words[0],
)
def test_the_commands_of_a_saved_model(command: Command, evil: Evil, alone: Path, words: tuple[str, ...]) -> None:
    Path("lists.csv").write_text("mine")
    with while_reading(Path("pipe")):
        stopped = command(*(str(evil.run) if word == "RUN" else word for word in words))
    one_sentence(stopped, 130, "Stopped: no file was written or changed.")
    assert Path("lists.csv").read_text() == "mine" and len(list(alone.iterdir())) == 2


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_between_two_tables_of_a_long_list(alone: Path, suffix: str) -> None:
    file = Path(f"lists.{suffix}")
    file.write_text("mine")
    with pytest.raises(KeyboardInterrupt), table_writer(file) as write:
        write(pd.DataFrame({"user": ["a"], "item": ["b"]}))
        raise KeyboardInterrupt
    assert files_of(alone) == {file.name: b"mine"}
