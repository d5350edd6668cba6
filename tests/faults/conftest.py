"""A log whose names and ids are attacks and accidents, converted, trained on and saved."""

import csv
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

EVIL = (
    *("=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(A1)", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>"),
    *("'; DROP TABLE events; --", "sp ace", "emoji😀", "é", "a,b", "a;b", "&amp;", "{name}", "%s", "$(touch hit)"),
    *("`touch hit`", "\\n", "x" * 10_000, "]]>", "</script>"),
)
COLUMNS = ("us'er\"; DROP TABLE x; --", "it<b>em", "ti me")
USERS = (*EVIL, *(f"u{number}" for number in range(40)))
ITEMS = (*EVIL, *(f"i{number}" for number in range(40)))


class Evil(NamedTuple):
    """folder: where the commands ran. said: what each of them printed, by its first word."""

    folder: Path
    log: Path
    data: Path
    run: Path
    said: dict[str, str]


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Evil:
    folder = tmp_path_factory.mktemp("ev il'd\"ir ☃")
    log, output = folder / "lo'g; DROP TABLE x.csv", folder / "o'ut <b>\nx ☃"
    rng, said = random.Random(0), {}
    with log.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for user in USERS:
            rows.writerows((user, item, rng.randrange(1_417_000_000, 1_418_000_000)) for item in rng.sample(ITEMS, 25))

    def done(*words: Any) -> None:
        from recbole_alibaba.cli import main

        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == 0, result.output
        said[str(words[0])] = result.output

    named = zip(("--user-column", "--item-column", "--time-column"), COLUMNS, strict=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done("prep", "csv", "--log", log, *sum(named, ()), "--name", "evil", "--output", output)
        done("run", "--dataset=evil", f"--data_path={output}", "--epochs=1", "--embedding_size=8", "--topk=[5]",
             "--valid_metric=NDCG@5")  # fmt: skip
        run = next(Path("saved").resolve().glob("*/run.json")).parent
        done("report", run)
    return Evil(folder, log, output / "evil", run, said)


def files_of(folder: Path) -> dict[str, bytes | None]:
    """Every name below a folder, links not followed, with its content; None for a folder."""
    found = [Path(place) / name for place, folders, names in os.walk(folder) for name in (*folders, *names)]
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in found}


def one_sentence(result: Result, code: int, *words: str) -> None:
    """The command ended with this code, one line on stderr with these words, and no traceback."""
    said = result.stderr.strip().splitlines()
    assert result.exit_code == code, (result.exit_code, result.output, result.exception)
    assert isinstance(result.exception, SystemExit) and said and "Traceback" not in result.output
    assert all(word in said[-1] for word in words), said


Command = Callable[..., Result]
