"""A log whose names and ids are attacks and accidents, converted, trained on and saved."""

import csv
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from evil_names import COLUMNS, ITEMS, USERS, Evil


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Evil:
    folder = tmp_path_factory.mktemp("ev il'd\"ir ☃")
    log, output = folder / "lo'g; DROP TABLE x.csv", folder / "o'ut <b>\nx ☃"
    rng = random.Random(0)
    with log.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for user in USERS:
            rows.writerows((user, item, rng.randrange(1_417_000_000, 1_418_000_000)) for item in rng.sample(ITEMS, 25))

    def done(*words: Any) -> None:
        from recbole_alibaba.cli import main

        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == 0, result.output

    named = zip(("--user-column", "--item-column", "--time-column"), COLUMNS, strict=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done("prep", "csv", "--log", log, *sum(named, ()), "--name", "evil", "--output", output)
        done("run", "--dataset=evil", f"--data_path={output}", "--epochs=1", "--embedding_size=8", "--topk=[5]",
             "--valid_metric=NDCG@5")  # fmt: skip
        run = next(Path("saved").resolve().glob("*/run.json")).parent
        done("report", run)
    return Evil(log, output / "evil", run)
