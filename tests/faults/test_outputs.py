"""Where something is written: links, full disks, folders that may not be written, names, two processes at once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from evil_names import Command, Evil, files_of, one_sentence

from dataset_prep import convert
from dataset_prep.errors import OutputError
from dataset_prep.writing.lock import HeldError, held, locked
from tests.conftest import two_taste_rows, write_inter

ROOT = Path(__file__).resolve().parent.parent.parent
LOG = "user_id,item_id,behavior_type,user_geohash,item_category,time\n" + "".join(
    f"{user},{item},4,,1,2014-12-01 00\n" for user in range(9) for item in range(9)
)
CONVERT = ("prep", "mobile", "--log=log.csv", "--name=x", "--min-interactions=1", "--min-users=1", "--min-items=1",
           "--min-known=0", "--force")  # fmt: skip


@pytest.fixture
def log(alone: Path) -> Path:
    Path("log.csv").write_text(LOG)
    return alone


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB; skips the test where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield disk
    os.chdir("/")
    subprocess.run(["umount", "--lazy", disk], check=True)


def by_the_modes(folder: Path, *words: Any) -> subprocess.CompletedProcess[str]:
    """`python WORDS` in `folder`, where the modes of files count for root, too."""
    program = [sys.executable]
    if not os.geteuid():
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv, or another user than root")
        rights = "-dac_override,-dac_read_search"
        program = ["setpriv", f"--inh-caps={rights}", f"--bounding-set={rights}", *program]
    return subprocess.run([*program, *map(str, words)], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("dangling", [False, True], ids=["link", "link to nothing"])
def test_a_link_in_place_of_a_data_set_is_refused(command: Command, log: Path, dangling: bool) -> None:
    (log / "dataset").mkdir()
    if not dangling:
        (log / "elsewhere").mkdir()
        (log / "elsewhere" / "funnel.json").write_text("{}")
    (log / "dataset" / "x").symlink_to(log / "elsewhere")
    before = files_of(log)
    one_sentence(command(*CONVERT), 2, "x is a symbolic link to", "links are not followed")
    assert files_of(log) == before


def test_a_link_in_place_of_a_file_is_replaced(command: Command, evil: Evil, alone: Path) -> None:
    kept = alone / "kept"
    kept.write_text("mine")
    folder = alone / "doctor"
    folder.mkdir()
    for name in ("doctor.html", "doctor.json"):
        (folder / name).symlink_to(kept)
    for name in ("lists.csv", "report.html", "inspect.html"):
        Path(name).symlink_to(kept)
    words = [f"--data_path={evil.data.parent}", "--embedding_size=8", "--topk=[5]", "--valid_metric=NDCG@5"]
    assert command("doctor", "--dataset=evil", *words, "--output=doctor").exit_code in (0, 3)
    assert command("recommend", evil.run, "--k=2", "--output=lists.csv").exit_code == 0
    assert command("report", evil.run, "--output=report.html").exit_code == 0
    assert kept.read_text() == "mine"
    assert not any(path.is_symlink() for path in (folder / "doctor.html", folder / "doctor.json", Path("lists.csv")))


def test_a_full_disk_under_the_converter(command: Command, log: Path, small_disk: Path) -> None:
    assert command(*CONVERT, f"--output={small_disk}").exit_code == 0
    before = files_of(small_disk)
    Path("log.csv").write_text(LOG + "".join(f"{user},1,4,,1,2014-12-01 00\n" for user in range(10_000, 20_000)))
    refused = command(*CONVERT, f"--output={small_disk}")
    one_sentence(refused, 2, f"{small_disk}/x: could not be written: No space left on device", "Free some space")
    assert files_of(small_disk) == before


def test_a_full_disk_under_a_training(
    command: Command, two_tastes: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log, the curves and the weights are written to the folder where the training starts."""
    monkeypatch.chdir(small_disk)
    words = ["--epochs=2", "--preflight=False", "--embedding_size=256"]
    refused = command("run", "--dataset=two-tastes", f"--data_path={two_tastes}", *words)
    one_sentence(refused, 2, "The disk is full", "Free some space")
    assert not list(small_disk.rglob("run.json"))


def test_a_full_disk_under_recommendations(
    command: Command, evil: Evil, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suffix in ("csv", "jsonl", "parquet"):
        file = small_disk / f"lists.{suffix}"
        file.write_text("mine")
        refused = command("recommend", evil.run, "--k=40", "--seen", "--explain", f"--output={file}")
        one_sentence(refused, 2, f"lists.{suffix}: cannot be written")
        assert files_of(small_disk) == {f"lists.{suffix}": b"mine"}
        file.unlink()
    (small_disk / "other").write_bytes(bytes(60_000))
    refused = command("export", evil.run, f"--output={small_disk / 'vectors'}")
    one_sentence(refused, 2, "vectors: cannot be written (No space left on device)")
    assert set(files_of(small_disk)) == {"other"}


def test_a_folder_that_may_not_be_written(log: Path) -> None:
    write_inter(log / "dataset", "two-tastes", two_taste_rows())
    before = files_of(log)
    for folder in (log, log / "dataset"):
        folder.chmod(0o555)
    for words, sentence in (
        (
            ("-m", "dataset_prep", *CONVERT[1:]),
            "dataset: cannot be written (Permission denied). Choose another --output.",
        ),
        ((ROOT / "run.py", "--dataset=two-tastes", "--topk=[5]", "--valid_metric=Hit@5"), "Permission denied"),
    ):
        done = by_the_modes(log, *words)
        said = done.stderr.strip().splitlines()
        assert done.returncode == 2 and sentence in said[-1] and "Traceback" not in done.stderr, done.stderr
    assert files_of(log) == before


def test_a_log_that_may_not_be_read(log: Path) -> None:
    (log / "log.csv").chmod(0o000)
    done = by_the_modes(log, "-m", "dataset_prep", *CONVERT[1:])
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "log.csv: Permission denied" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("prep", "mobile", "--log=log.csv", f"--name={'x' * 300}"),
        ("prep", "mobile", f"--log={'x' * 300}", "--name=x"),
        ("prep", "inspect", "x" * 300),
        ("run", f"--dataset={'x' * 300}"),
        ("run", "--dataset=ml-100k", f"--config_files={'x' * 300}"),
        ("run", "--dataset=ml-100k", f"--checkpoint_dir={'x' * 300}", "--preflight=False"),
        ("recommend", "x" * 300),
        ("doctor", f"--dataset={'x' * 300}"),
    ],
)
def test_a_name_that_is_too_long(command: Command, log: Path, words: tuple[str, ...]) -> None:
    Path("dataset").mkdir()
    one_sentence(command(*words), 2, "x" * 300)


def test_two_processes_and_one_that_crashed(alone: Path) -> None:
    """The second is told; a process that is killed leaves no lock."""
    lock = alone / "lock"
    code = f"from dataset_prep.writing.lock import held; from pathlib import Path\nwith held(Path({str(lock)!r})):\n"
    code += " print('held', flush=True); input()"
    first = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert first.stdout is not None and first.stdout.readline() == b"held\n"
    with pytest.raises(HeldError), held(lock):
        pass
    first.kill()
    first.wait()
    with held(lock):
        pass
    assert not lock.exists()


def test_a_second_converter_is_told_and_leaves_the_first_alone(log: Path) -> None:
    with locked(log / "dataset" / "x"), pytest.raises(OutputError, match="another converter is writing"):
        convert("mobile", "log.csv", name="x")
    assert set(files_of(log)) == {"log.csv"}
