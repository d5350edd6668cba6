"""Does the doctor name thin data first, with a conversion that works, and does a hopeless run stop?"""

from __future__ import annotations

import json
import random
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from dataset_prep.__main__ import main as prep
from recbole_alibaba.cli import main

MADE_UP = {"purchases seen once": 120, "users of two rows": 200}


def taste(user: int) -> range:
    """The thirty items that a third of the users choose from."""
    return range(user % 3 * 30 + 1, user % 3 * 30 + 31)


def write_log(path: Path, kind: str) -> Path:
    """Purchases that nobody shares beside clicks on a small catalogue; or mostly users with two rows."""
    rng, rows = random.Random(7), []
    for user in range(1, MADE_UP[kind] + 1):
        if kind == "purchases seen once":
            rows += [(user, 10_000 + user * 20 + k, 4, k + 1) for k in range(18)]
            rows += [(user, item, 1, day + 1) for day, item in enumerate(rng.sample(taste(user), 18))]
        else:
            rows += [(user, item, 4, day + 1) for day, item in enumerate(rng.sample(taste(user), 2))]
    if kind == "users of two rows":
        for user in range(1000, 1090):
            rows += [(user, item, 4, day + 1) for day, item in enumerate(rng.sample(taste(user), 18))]
    lines = [f"{u},{i},{b},,{i % 5},2014-12-{day:02} 10" for u, i, b, day in rows]
    path.write_text("user_id,item_id,behavior_type,user_geohash,item_category,time\n" + "\n".join(lines) + "\n")
    return path


def converted(kind: str, folder: Path) -> Path:
    raw = write_log(folder / "log.csv", kind)
    done = CliRunner().invoke(
        prep, ["mobile", "--users", str(raw), "--behaviors", "buy", "--min-known", "0", "--name=x"]
    )
    assert done.exit_code == 0, done.output
    return raw


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "named", "cure"),
    [
        ("purchases seen once", "held-out-unknown", "--behaviors"),
        ("users of two rows", "users-seen-once", "--min-user 5"),
    ],
)
def test_a_thin_log_is_named_and_its_conversion_is_healthy(kind: str, named: str, cure: str, folder: Path) -> None:
    converted(kind, folder)
    told = CliRunner().invoke(main, ["doctor", "--dataset=x"]).output
    assert "Likeliest causes: " in told
    assert f"({named})" in told.split("Likeliest causes: ")[1].split(";")[0]
    assert "evaluation is broken" not in told
    command = re.search(r"tried and is healthy: python -m dataset_prep (.*)", told)
    assert command and cure in command[1], told
    mended = CliRunner().invoke(prep, shlex.split(command[1]))
    assert mended.exit_code == 0, mended.output
    again = CliRunner().invoke(main, ["doctor", "--dataset=x"])
    assert again.exit_code == 0, again.output


def test_a_log_that_was_moved_gets_no_command(folder: Path) -> None:
    converted("purchases seen once", folder).unlink()
    told = CliRunner().invoke(main, ["doctor", "--dataset=x"]).output
    assert "held-out-unknown" in told and "tried and is healthy" not in told


def test_data_that_no_converter_made_get_the_lowest_thresholds_that_cure(folder: Path) -> None:
    converted("users of two rows", folder)
    Path("dataset/x/source.json").unlink()
    told = CliRunner().invoke(main, ["doctor", "--dataset=x"]).output
    threshold = re.search(r"Set user_inter_num_interval: (\[\d,inf\)):", told)
    assert "doubtful users-seen-once" in told and threshold, told
    again = CliRunner().invoke(main, ["doctor", "--dataset=x", f"--user_inter_num_interval={threshold[1]}"])
    assert again.exit_code == 0, again.output


def test_a_published_split_gets_no_converter_options(folder: Path) -> None:
    rng = random.Random(1)
    users = range(1, 301)
    (folder / "train.txt").write_text("".join(f"{u} {rng.randrange(90)}\n" if u % 4 else
        f"{u} {' '.join(map(str, rng.sample(range(90), 20)))}\n" for u in users))  # fmt: skip
    (folder / "test.txt").write_text("".join(f"{u} {rng.randrange(90, 120)}\n" for u in users))
    done = CliRunner().invoke(prep, ["split", "--train=train.txt", "--test=test.txt", "--name=x"])
    assert done.exit_code == 0, done.output
    assert json.loads((folder / "dataset/x/source.json").read_text())["source"] == "split"
    told = CliRunner().invoke(main, ["doctor", "--dataset=x"]).output
    assert "users-seen-once" in told and "--min-user" not in told and "The parts are given" in told


def test_a_run_of_zeros_stops_with_its_reason(folder: Path) -> None:
    converted("purchases seen once", folder)
    done = CliRunner().invoke(main, ["run", "--dataset=x", "--topk=[1]", "--valid_metric=NDCG@1", "--epochs=60"])
    assert done.exit_code == 2
    assert "every metric was 0 in the first 10 validations, because training never saw" in done.output
