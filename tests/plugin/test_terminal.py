"""What a training shows: one line an epoch and bars on stderr, the result on stdout, one run in TensorBoard."""

import fcntl
import io
import os
import pty
import re
import struct
import termios
from collections.abc import Callable
from pathlib import Path

import pytest
import recbole.trainer.trainer as host
from click.testing import Result
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from recbole_alibaba.console import terminal
from recbole_alibaba.console.result_table import result_table
from recbole_alibaba.console.terminal import Bar
from tests.conftest import Terminal


@pytest.mark.parametrize(("model", "step"), [("AlibabaLightGCN", 2), ("BPR", 1)])
def test_one_line_an_epoch_and_its_warnings_after_it(
    model: str, step: int, two_tastes: Path, command: Callable[..., Result]
) -> None:
    words = [f"--data_path={two_tastes}", "--epochs=5", "--embedding_size=8", "--learning_rate=1e-8"]
    done = command("run", "--dataset=two-tastes", f"--model={model}", f"--eval_step={step}", *words)
    assert done.exit_code == 0, done.output
    epochs = re.findall(r"INFO  (epoch (\d) training \[.*\](?: valid hit@10: 0\.\d{4}(?: \(best\))?)?)\n", done.stderr)
    assert [int(number) for _, number in epochs] == [0, 1, 2, 3, 4]
    assert [number for line, number in epochs if "valid hit@10" in line] == list("01234"[step - 1 :: step])
    assert epochs[step - 1][0].endswith(" (best)")
    for left_out in ("evaluating", "valid result", "Saving current"):
        assert left_out not in done.stderr
    warned = done.stderr.index("WARNING  updates-too-small")
    assert done.stderr.index("epoch 0 training") < warned < done.stderr.index("epoch 1 training")
    title, header, *_ = done.stdout.splitlines()
    assert title == f"{model} on two-tastes"
    assert " ".join(header.split()) == "metric best valid test popularity on test"
    assert "\x1b" not in done.output


def test_a_run_is_one_run_of_tensorboard(two_tastes: Path, command: Callable[..., Result]) -> None:
    """torch gives `add_hparams` a folder of its own."""
    command("run", "--dataset=two-tastes", f"--data_path={two_tastes}", "--epochs=2", "--embedding_size=8")
    (file,) = Path("log_tensorboard").rglob("events*")
    read = EventAccumulator(str(file.parent)).Reload()
    assert len(read.Scalars("Loss/BPR")) == 2
    assert [point.step for point in read.Scalars("hparam/best_valid_result")] == [2]  # behind the last epoch


def test_a_bar_fits_the_terminal_and_leaves_nothing() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 50, 0, 0))
    shown = ""
    with os.fdopen(theirs, "w") as out:
        assert list(Bar(range(3), ncols=100, desc="\x1b[1;35mTrain     0\x1b[0m", file=out, mininterval=0)) == [0, 1, 2]
        print("END", file=out, flush=True)
        while "END" not in shown:
            shown += os.read(ours, 10_000).decode()
    os.close(ours)
    *states, last = shown.partition("END")[0].split("\r")
    assert len(states) > 3 and max(map(len, states)) <= 50 and not last
    assert host.tqdm is Bar  # RecBole's own trainers, too


def test_colours_need_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert terminal.takes_colours(Terminal()) and not terminal.takes_colours(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not terminal.takes_colours(Terminal())


def test_a_table_says_what_is_missing() -> None:
    table = result_table({"best valid": {"hit@5": 0.5}, "test": None, "popularity": {"mrr@5": 0.25}}, 2)
    assert table.splitlines() == [
        "metric      best valid    popularity",
        "hit@5             0.50             -",
        "mrr@5                -          0.25",
    ]
