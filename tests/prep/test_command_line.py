"""The command line: what it says, and its exit codes."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from dataset_prep import convert
from dataset_prep.__main__ import main
from dataset_prep.command import changed_options, command_line


@pytest.fixture
def raw(sample: tuple[Path, Path]) -> tuple[str, str]:
    return str(sample[0]), str(sample[1])


def test_without_arguments_it_shows_its_help() -> None:
    shown = subprocess.run([sys.executable, "-m", "dataset_prep"], capture_output=True, text=True, check=False)
    text = shown.stdout + shown.stderr
    for word in ("mobile", "userbehavior", "tmall", "split", "csv", "inspect", "sample"):
        assert word in text


@pytest.mark.parametrize("command", ["mobile", "userbehavior", "tmall", "csv", "split", "inspect"])
def test_help_teaches_with_an_example(command: str) -> None:
    told = CliRunner().invoke(main, [command, "--help"])
    assert told.exit_code == 0
    assert f"python -m dataset_prep {command} " in told.output


def test_a_refusal_names_remedies_that_work(raw: tuple[str, str], tmp_path: Path) -> None:
    """Every remedy is a whole command that runs as it stands and leaves what it promises."""
    command = [
        "mobile", "--users", raw[0], "--items", raw[1], "--output", str(tmp_path), "--name", "x",
        "--behaviors", "buy", "--min-user", "5", "--min-item", "5", "--strict",
    ]  # fmt: skip
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 2
    assert "EmptyDatasetError: The k-core (5, 5) leaves 0 pairs" in refused.output
    remedies = [line for line in refused.output.splitlines() if "   leaves " in line]
    assert len(remedies) >= 4
    for number, line in enumerate(remedies):
        words, promised = line.strip().split("   leaves ")
        done = CliRunner().invoke(main, [*shlex.split(words)[3:], "--name", f"x{number}"])
        assert done.exit_code == 0, done.output
        assert promised in done.output.splitlines()[-1]


def test_words_that_cannot_be_meant_exit_2(raw: tuple[str, str], tmp_path: Path) -> None:
    for words in (
        ["mobile"],
        ["mobile", "--users", "nowhere.csv"],
        ["mobile", "--users", raw[0], "--split", "never"],
        ["mobil"],
        ["csv", "--log", raw[0], "--user-column", "nobody", "--item-column", "item_id"],
        ["split", "--train", raw[0], "--test", raw[0], "--name", "x", "--output", str(tmp_path)],
        ["inspect", "nowhere.csv"],
    ):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 2, (words, result.output)
        assert "Traceback" not in result.output


def test_the_yaml_is_all_recbole_needs(raw: tuple[str, str], tmp_path: Path) -> None:
    words = ["mobile", "--users", raw[0], "--items", raw[1], "--output", str(tmp_path)]
    assert CliRunner().invoke(main, [*words, "--name", "novel"]).exit_code == 0
    assert CliRunner().invoke(main, [*words, "--name", "repeat", "--protocol", "repeat"]).exit_code == 0
    novel, repeat = (yaml.safe_load((tmp_path / n / f"{n}.yaml").read_text()) for n in ("novel", "repeat"))
    assert novel["repeatable"] is False and repeat["repeatable"] is True
    assert novel["eval_args"] == {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "full"}
    header = (tmp_path / "novel" / "novel.inter").read_text().split("\n")[0]
    assert set(novel["load_col"]["inter"]) <= {column.split(":")[0] for column in header.split("\t")}


def test_the_report_counts_partners_before_and_after_the_core(log: Callable[..., Path], tmp_path: Path) -> None:
    """Four users of the same six items, and two users of one item each, one of which nobody else has."""
    users = log([(u, i, 4, 1, "2014-12-01 00") for u, i in [*product(range(4), range(6)), (9, 0), (8, 77)]])
    words = "--name x --min-interactions 1 --min-users 1 --min-items 1 --min-known 0"
    done = CliRunner().invoke(main, ["mobile", "--users", str(users), "--output", str(tmp_path), *words.split()])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "x" / "funnel.html").read_text()
    assert "before the core: 2 points, first 2, last 4, lowest 2, highest 4. after the core: 1 points, first 4" in page
    assert "before the core: 3 points, first 1, last 1, lowest 1, highest 5. after the core: 1 points, first 6" in page


def test_the_report_needs_no_network(raw: tuple[str, str], tmp_path: Path) -> None:
    words = ["mobile", "--users", raw[0], "--output", str(tmp_path), "--name", "x", "--split", "last"]
    assert CliRunner().invoke(main, [*words, "--min-item", "40"]).exit_code == 0
    page = (tmp_path / "x" / "funnel.html").read_text()
    assert len(page) < 1_200_000 and "<script" not in page and not re.search("(href|src)=.?http|url[(]|@import", page)
    for shown in (
        "Rows left after every step",
        "Interactions by behaviour",
        "Distinct items of the users",
        "Users with fewer than 2 interactions",
        "Thresholds: asked (2, 40), used (",
        "Cold",
    ):
        assert shown in page
    # The label of a threshold stands beside its line, on an axis of logarithms.
    asked, label = re.search(r'class="mark" d="M([0-9.]+) [^>]*><text x="([0-9.]+)"[^>]*>asked 40<', page).groups()
    assert abs(float(asked) - float(label)) < 6


def test_all_items_sets_the_subset_aside(raw: tuple[str, str], tmp_path: Path) -> None:
    words = ["mobile", "--users", raw[0], "--output", str(tmp_path)]
    for name, more in (("plain", []), ("all", ["--items", raw[1], "--all-items"]), ("subset", ["--items", raw[1]])):
        assert CliRunner().invoke(main, [*words, *more, "--name", name]).exit_code == 0
    plain, everything, subset = ((tmp_path / n / f"{n}.inter").read_bytes() for n in ("plain", "all", "subset"))
    assert plain == everything != subset


def test_the_log_tells_every_step(raw: tuple[str, str], tmp_path: Path) -> None:
    words = ["mobile", "--users", raw[0], "--output", str(tmp_path), "--name", "x", "--min-user", "30"]
    shown = CliRunner().invoke(main, words).stderr
    assert "rows of the log: 50,000 rows (100.0%)" in shown
    assert "k-core: asked for (30, 2), which leaves " in shown and "; using (" in shown
    assert shown.splitlines()[-1].startswith(f"wrote {tmp_path / 'x'}: ")


def test_options_as_they_were_given() -> None:
    """source.json and every printed command hold what differs from the defaults, and nothing else."""
    given = {
        "users": ["a log.csv"], "items": (), "output": Path("dataset"), "name": "x", "min_user": 2, "min_item": 5,
        "strict": True, "force": False, "split": None, "since": "", "no_option": 1,
    }  # fmt: skip
    changed = changed_options(convert, given)
    assert changed == {"users": ["a log.csv"], "name": "x", "min_item": 5, "strict": True, "since": ""}
    told = command_line("mobile", {**changed, "behaviors": ["3", "4"], "output": Path("out")})
    assert told == (
        "python -m dataset_prep mobile --log 'a log.csv' --name x --min-item 5 --strict --from '' "
        "--behaviors 3,4 --output out"
    )
