"""A board that was killed or stopped: the same command goes on, and the records are those of one that was not."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import sleep

import pytest
from click.testing import Result

from tests.board.tiny_boards import lay_out, records


def started(folder: Path) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", "from recbole_alibaba.cli import main; main()", "board", "tiny.yaml", "--jobs=2"]
    return subprocess.Popen(words, cwd=folder, start_new_session=True, stderr=subprocess.PIPE, text=True)


def wait_for(process: "subprocess.Popen[str]", happened: Callable[[], bool]) -> None:
    while not happened():
        assert process.poll() is None, "it ended before"
        sleep(0.02)


def written(folder: Path) -> int:
    file = folder / "results" / "records" / "tiny.jsonl"
    return len(file.read_text().splitlines()) if file.is_file() else 0


def test_records_after_kills_are_those_of_a_board_that_was_not(
    ran: Path, board: Callable[..., Result], tmp_path: Path
) -> None:
    lay_out(tmp_path)
    place = tmp_path / "saved" / "board" / "tiny"
    for moment in (
        lambda: any(place.glob("*/state.pt")),
        lambda: written(tmp_path) >= 2,
        lambda: written(tmp_path) >= 5,
    ):
        process = started(tmp_path)
        wait_for(process, moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert board(tmp_path).exit_code == 0
    assert records(tmp_path) == records(ran)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to see processes")
def test_ctrl_c_ends_the_processes_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = started(lay_out(tmp_path))
    wait_for(process, lambda: written(tmp_path) >= 1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert said.startswith("Stopped.") and "Go on with" in said and said.count("\n") == 1
    while any(_of_group(process.pid)):
        sleep(0.02)


def _of_group(group: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(path.name)) == group:
                found.append(int(path.name))
        except ProcessLookupError:
            continue
    return found
