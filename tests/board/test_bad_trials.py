"""A trial that crashes, one that never ends, one that needs too much: rows of the table, and the rest is complete."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from recbole_alibaba.board.processes.limits import Watch
from tests.board.tiny_boards import BOARD, lay_out, records

MODELS = """\
models:
  Crashes: {model: BPR, settings: {learner: sparse_adam}}
  Endless: {model: BPR, settings: {epochs: 1000000000, stopping_step: 1000000000}}
  Large: {model: BPR, settings: {embedding_size: 1000000000}}
  BPR:
limits: {seconds: 20}
"""


def test_three_rows_with_their_reasons(board: Callable[..., Result], tmp_path: Path) -> None:
    start, end = BOARD.index("models:"), BOARD.index("seeds:")
    text = (BOARD[:start] + MODELS + BOARD[end:]).replace("seeds: [1, 2]", "seeds: [1]")
    assert board(lay_out(tmp_path, text), "--jobs=2").exit_code == 0
    states = {record["label"]: record["state"] for record in records(tmp_path)}
    assert states.pop("Large") in ("memory", "refused")  # the allocator's word, or ours before
    bad = {"Crashes": "failed", "Endless": "timeout"}
    assert states == bad | dict.fromkeys(("BPR", "Pop", "ItemKNN", "EASE"), "done")
    assert all(record["reason"] for record in records(tmp_path) if record["state"] != "done")
    page = (tmp_path / "results" / "tiny.md").read_text()
    assert all(label in page for label in ("Crashes", "Endless", "Large"))
    assert not list((tmp_path / "saved" / "board" / "tiny").glob("*/state.pt"))


@pytest.mark.parametrize("short", [False, True], ids=["looked at", "over before anyone looks"])
def test_a_board_whose_trials_all_take_too_much_has_a_page(
    board: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: bool
) -> None:
    if short:
        monkeypatch.setattr(Watch, "exceeded", lambda _: None)
    start, end = BOARD.index("models:"), BOARD.index("seeds:")
    text = BOARD[:start] + "models: [BPR]\nlimits: {memory_gb: 0.05}\n" + BOARD[end:].replace("[1, 2]", "[1]")
    assert board(lay_out(tmp_path, text)).exit_code == 0
    assert {record["state"] for record in records(tmp_path)} == {"memory"}
    assert "took more than 0.05 GB" in (tmp_path / "results" / "tiny.md").read_text()
