"""The command line: what it says, and its exit codes."""

from __future__ import annotations

import ast
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import dataset_prep
from dataset_prep.__main__ import main
from dataset_prep.sample import write_sample


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    users, items = write_sample(tmp_path_factory.mktemp("raw"))
    return str(users), str(items)


def test_without_arguments_it_shows_its_help() -> None:
    shown = subprocess.run([sys.executable, "-m", "dataset_prep"], capture_output=True, text=True, check=False)
    told = shown.stdout + shown.stderr
    for word in ("mobile", "userbehavior", "tmall", "split", "csv", "inspect", "sample"):
        assert word in told


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


def test_the_report_needs_no_network(raw: tuple[str, str], tmp_path: Path) -> None:
    words = ["mobile", "--users", raw[0], "--output", str(tmp_path), "--name", "x", "--split", "last"]
    assert CliRunner().invoke(main, words).exit_code == 0
    page = (tmp_path / "x" / "funnel.html").read_text()
    assert "<script src" not in page and "cdn.plot.ly" not in page.split("</script>")[-1]
    for told in (
        "Rows left after every step",
        "Interactions a day by behaviour",
        "Distinct items of the users",
        "cold",
    ):
        assert told in page


def test_the_package_stands_alone() -> None:
    """dataset_prep runs where neither RecBole nor torch is installed."""
    for path in Path(dataset_prep.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"recbole", "torch", "recbole_alibaba"}, path
