"""What a training shows: one line an epoch and bars on stderr, the result on stdout, one run in TensorBoard."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import recbole.trainer.trainer as host
from click.testing import Result
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from recbole_alibaba.evaluation.result_table import result_table
from recbole_alibaba.host import terminal
from recbole_alibaba.host.terminal import Bar


@pytest.mark.parametrize("model", ["AlibabaLightGCN", "BPR"])
def test_one_line_an_epoch_and_its_warnings_after_it(
    model: str, two_tastes: Path, command: Callable[..., Result]
) -> None:
    words = [f"--data_path={two_tastes}", "--epochs=5", "--eval_step=2", "--embedding_size=8", "--learning_rate=1e-8"]
    done = command("run", "--dataset=two-tastes", f"--model={model}", *words)
    assert done.exit_code == 0, done.output
    epochs = [line.partition("INFO  ")[2] for line in done.stderr.splitlines() if "epoch" in line and "INFO" in line]
    epochs = [line for line in epochs if line.startswith("epoch ")]
    assert [line.split(" [")[0] for line in epochs] == [f"epoch {epoch} training" for epoch in range(5)]
    assert [bool(re.search(r"\] valid hit@10: 0\.\d{4}( \(best\))?$", line)) for line in epochs] == [
        False,
        True,
    ] * 2 + [False]
    assert epochs[1].endswith(" (best)")
    for left_out in ("evaluating", "valid result", "Saving current"):
        assert left_out not in done.stderr
    assert (
        done.stderr.index("epoch 1 training")
        < done.stderr.index("WARNING  stuck-at-ln2")
        < done.stderr.index("epoch 2")
    )
    assert done.stdout.splitlines()[:2] == [
        f"{model} on two-tastes",
        "metric        best valid      test  popularity on test",
    ]
    assert "\x1b" not in done.output


def test_a_run_is_one_run_of_tensorboard(two_tastes: Path, command: Callable[..., Result]) -> None:
    """torch gives `add_hparams` a folder of its own."""
    command("run", "--dataset=two-tastes", f"--data_path={two_tastes}", "--epochs=2", "--embedding_size=8")
    (file,) = Path("log_tensorboard").rglob("events*")
    read = EventAccumulator(str(file.parent)).Reload()
    assert len(read.Scalars("Loss/BPR")) == 2 and "hparam/best_valid_result" in read.Tags()["scalars"]


def test_a_bar_fits_the_terminal_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("LINES", "20")
    out = io.StringIO()
    assert list(Bar(range(3), ncols=100, desc="\x1b[1;35mTrain     0\x1b[0m", file=out, mininterval=0)) == [0, 1, 2]
    shown = out.getvalue().split("\r")
    assert len(shown) > 3 and max(map(len, shown)) <= 50 and not shown[-1].strip()
    assert host.tqdm is Bar  # RecBole's own trainers, too


def test_colours_need_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    assert not terminal.takes_colours(stream)
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert terminal.takes_colours(stream)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not terminal.takes_colours(stream)


def test_a_table_says_what_is_missing() -> None:
    table = result_table({"best valid": {"hit@5": 0.5}, "test": None, "popularity": {"mrr@5": 0.25}}, 2)
    assert table.splitlines() == [
        "metric  best valid  popularity",
        "hit@5         0.50           -",
        "mrr@5            -        0.25",
    ]
