"""A board that was killed or stopped: the same command goes on, and the records are those of one that was not."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import sleep

import psutil
from click.testing import Result

from tests.board.tiny_boards import lay_out, records

# A job in the background of a script ignores Ctrl-C, and so would its processes.
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from recbole_alibaba.cli import main
main()
"""


def started(folder: Path) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", PROGRAM, "board", "tiny.yaml", "--jobs=2"]
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
    place = lay_out(tmp_path) / "saved" / "board" / "tiny"
    for kill, moment in (
        (os.killpg, lambda: any(place.glob("*/state.pt"))),
        (os.killpg, lambda: written(tmp_path) >= 2),
        (os.kill, lambda: written(tmp_path) >= 5),  # the parent alone: its processes end by themselves
    ):
        process = started(tmp_path)
        wait_for(process, moment)
        kill(process.pid, signal.SIGKILL)
        process.wait()
        wait_until_empty(process.pid)
    assert board(tmp_path).exit_code == 0
    assert records(tmp_path) == records(ran)


def test_ctrl_c_ends_the_processes_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = started(lay_out(tmp_path))
    wait_for(process, lambda: written(tmp_path) >= 1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert said.startswith("Stopped.") and "Go on with" in said and said.count("\n") == 1
    wait_until_empty(process.pid)


def wait_until_empty(group: int) -> None:
    """Until no process of the group is alive."""
    while any(_is_alive(one, group) for one in psutil.process_iter()):
        sleep(0.05)


def _is_alive(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.Error):
        return False
