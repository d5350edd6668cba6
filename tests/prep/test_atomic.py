"""Whole or absent, wherever the converter is killed."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prep_data import ANY, files, mobile_log

from dataset_prep import convert
from dataset_prep.writing.atomic import replaced


def digest(folder: Path) -> str | None:
    """Of every file's name and content; None where there is no folder."""
    if not folder.exists():
        return None
    found = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def fill(output: Path, text: str) -> None:
    with replaced(output, "x") as folder:
        for name in ("one", "two"):
            (folder / name).write_text(text)


def killed_at(step: int, output: Path, exchange: bool, act: Callable[[], object]) -> bool:
    """Run *act* in a child that dies before its n-th step below *output*; False where it has fewer steps.

    A step is an audit event: a file is opened, a folder made, moved or removed, the system library asked for the
    exchange of two folders. exchange: the system has that.
    """
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    steps = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal steps
        if event == "ctypes.dlopen" and args == (None,) and not exchange:
            raise OSError("no such library")
        at_output = event in ("open", "os.mkdir", "os.rename", "shutil.rmtree") and str(output) in str(args[0])
        if at_output or event in ("os.remove", "os.rmdir") or (event == "ctypes.dlopen" and args == (None,)):
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)
            steps += 1

    try:
        sys.addaudithook(hook)
        act()
        os._exit(0)
    except BaseException:
        os._exit(1)


@pytest.mark.parametrize("exchange", [True, False], ids=["exchange", "rename twice"])
def test_killed_before_every_single_step(exchange: bool, tmp_path: Path) -> None:
    fill(tmp_path / "old", "old")
    fill(tmp_path / "new", "new")
    old, new = digest(tmp_path / "old" / "x"), digest(tmp_path / "new" / "x")
    step, dead, found = 0, True, set()
    while dead:
        output = tmp_path / f"out-{step}"
        fill(output, "old")
        dead = killed_at(step, output, exchange, partial(fill, output, "new"))
        found.add(digest(output / "x"))
        if exchange:
            assert found <= {old, new}
        # Without the exchange there is a step before which the former is moved away. The next run puts it back.
        with pytest.raises(RuntimeError), replaced(output, "x"):
            assert digest(output / "x") in (old, new)
            raise RuntimeError
        assert [path.name for path in output.iterdir()] == ["x"]
        step += 1
    assert digest(output / "x") == new
    assert found == {old, new} if exchange else {old, new, None}
    assert step > 8


def test_a_conversion_killed_before_every_single_step(tmp_path: Path) -> None:
    log = mobile_log(tmp_path / "log.csv", [(u, i, 4, 1, f"2014-12-0{u + 1} 00") for u in range(5) for i in range(5)])

    def made(output: Path, **options: Any) -> None:
        convert("mobile", log, output=output, name="x", force=True, **(ANY | options))

    made(tmp_path / "old")
    made(tmp_path / "new", split="last", cold="keep")
    old, new = digest(tmp_path / "old" / "x"), digest(tmp_path / "new" / "x")
    assert old and new and old != new
    output = tmp_path / "out"
    made(output)
    step, killed = 0, 0
    while killed_at(step, output, True, lambda: made(output, split="last", cold="keep")):
        assert digest(output / "x") in (old, new)
        killed += digest(output / "x") == old
        made(output)
        assert digest(output / "x") == old and [path.name for path in output.iterdir()] == ["x"]
        step += 3
    assert digest(output / "x") == new
    assert killed > 5


def test_another_running_conversion_is_left_alone(tmp_path: Path) -> None:
    """A folder that a living process is filling is not removed; one of a dead process is."""
    fill(tmp_path, "old")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for process in (os.getppid(), dead.pid, "odd"):
        (tmp_path / f".x.{process}.building").mkdir()
    (tmp_path / f".y.{dead.pid}.building").mkdir()
    fill(tmp_path, "new")
    assert {path.name for path in tmp_path.iterdir()} == {
        "x", f".x.{os.getppid()}.building", f".y.{dead.pid}.building"
    }  # fmt: skip


def test_a_failure_inside_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    before = digest(tmp_path / "x")
    with pytest.raises(RuntimeError), replaced(tmp_path, "x") as folder:
        (folder / "one").write_text("new")
        raise RuntimeError
    assert digest(tmp_path / "x") == before
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_full_disk_leaves_the_former_data_set(tmp_path: Path) -> None:
    """The report page is larger than a file may become."""
    log = mobile_log(tmp_path / "log.csv", [(u, i, 4, 1, "2014-12-01 00") for u in range(3) for i in range(3)])
    made = convert("mobile", log, output=tmp_path / "out", name="x", **ANY)
    before = files(made.path)
    words = ["mobile", "--users", log, "--output", tmp_path / "out", "--name", "x", "--force", "--behaviors", "1,4"]
    words += ["--min-interactions", 1, "--min-users", 1, "--min-items", 1, "--min-known", 0]
    done = subprocess.run(
        [sys.executable, "-m", "dataset_prep", *map(str, words)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 13, 1 << 13)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "could not be written" in done.stderr and "File too large" in done.stderr
    assert files(made.path) == before and [path.name for path in (tmp_path / "out").iterdir()] == ["x"]
