"""What is seen of a running board: a line a trial without a terminal, a table on one."""

import io
from contextlib import redirect_stdout
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from recbole_alibaba.board.processes.runner import Progress
from recbole_alibaba.board.shown import Shown, _cells, _Running, _time
from recbole_alibaba.board.trial import Trial
from tests.conftest import Terminal

PLAN: Any = SimpleNamespace(metric="ndcg@10")
DONE = {"state": "done", "valid_score": 0.25, "best_epoch": 3, "test": None, "seconds": {"total": 61.0}}
FAILED = {
    "state": "failed",
    "reason": "It broke.",
    "valid_score": None,
    "best_epoch": None,
    "test": None,
    "seconds": {},
}


def trial(label: str, purpose: Any = "search") -> Trial:
    return Trial("board", "data", label, "BPR", {}, {}, {}, 2020, purpose, 1, {}, label)


def test_without_a_terminal_a_trial_is_a_line() -> None:
    out = io.StringIO()
    with redirect_stdout(out), Shown(PLAN, 7, 2) as shown:
        for one, record in (
            (trial("A"), DONE), (trial("B", "final"), {**DONE, "test": {"ndcg@10": 0.5}}), (trial("C"), FAILED),
            (trial("D"), {**DONE, "best_epoch": None}),
        ):  # fmt: skip
            shown.started(one)
            shown.ended(one, record)
            shown.refresh()
    assert [line.partition(" ")[2] for line in out.getvalue().splitlines()] == [
        "3/7 data: A, search 1: valid ndcg@10 0.2500, at epoch 3 (1:01)",
        "4/7 data: B, seed 2020: valid ndcg@10 0.2500, at epoch 3, test 0.5000 (1:01)",
        "5/7 data: C, search 1: failed. It broke.",
        "6/7 data: D, search 1: valid ndcg@10 0.2500 (1:01)",
    ]


def drawn(shown: Shown) -> str:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(shown._table())
    return console.export_text()


def test_on_a_terminal_running_trials_stand_above_the_last_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with redirect_stdout(out), Shown(PLAN, 30, 4) as shown:
        for n in range(9):
            shown.started(trial(f"T{n}"))
            shown.ended(trial(f"T{n}"), DONE)
        shown.started(trial("Now"))
        shown.told(trial("Now"), Progress(2, 10, 0.125, 4.0))
        shown.started(trial("Broken"))
        shown.ended(trial("Broken"), FAILED)
        shown.refresh()
        table = drawn(shown)
    assert "14 of at most 30 trials, 0:00, about 0:00 left" in table
    rows = [line for line in table.splitlines() if "data" in line and "search" in line]
    names = [row.split("│")[2].strip().partition(",")[0] for row in rows]
    assert names == ["Now", "Broken", "T8", "T7", "T6", "T5", "T4", "T3", "T2"]
    assert "trains" in rows[0] and "2/10" in rows[0] and "0.1250" in rows[0] and "at most 0:16" in rows[0]
    assert "best 3" in rows[2] and "1:01" in rows[2] and "best" not in rows[1]
    assert "Broken, search 1: failed. It broke." in out.getvalue()  # it stays above the table
    assert "T8, search 1: valid" not in out.getvalue()


@pytest.mark.parametrize(
    ("purpose", "epoch", "state"), [("search", 1, "trains"), ("search", 2, "ends"), ("final", 2, "tests")]
)
def test_what_a_trial_does(purpose: str, epoch: int, state: str) -> None:
    running = _Running(trial("A", purpose), monotonic(), Progress(epoch, 2, None, 3.0))
    assert _cells(running)[:3] == (state, f"{epoch}/2", "")
    assert _cells(_Running(trial("A"), monotonic() - 70)) == ("prepares", "", "", "1:10", "")
    assert _cells(_Running(trial("A"), monotonic(), Progress(0, 5, None, 2.0)))[4] == "at most 0:10"


def test_times() -> None:
    assert [_time(seconds) for seconds in (0, 59.4, 59.6, 3599, 3600, 7325)] == [
        "0:00", "0:59", "1:00", "59:59", "1:00:00", "2:02:05"
    ]  # fmt: skip
