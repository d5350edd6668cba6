"""The demo tells the report's story, and README shows what it prints."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from recbole_alibaba.console.printed_commands import python_here, run_command

README = Path(__file__).resolve().parent.parent.parent / "README.md"
NUMBER = re.compile(r"\d[\d,]*\.?\d*(?:e-\d+)?")
REPORTED, STRONGER, REPAIRED = "Adam, weight_decay 1e-4", "Adam, weight_decay 1e-2", "AdamW, weight_decay 1e-5"


def numbers(line: str) -> list[float]:
    """The numbers of a line, without the seconds an epoch took."""
    return [float(text.replace(",", "")) for text in NUMBER.findall(re.sub(r"time: [\d.]+s, ", "", line))]


def test_the_demo_and_its_picture_in_readme(command: Callable[..., Result]) -> None:
    result = command("demo", "--output", "dataset")
    assert result.exit_code == 0, result.output
    printed = [line.strip() for line in result.output.splitlines()]

    def line_of(start: str, nth: int = 0) -> str:
        return [line for line in printed if line.startswith(start)][nth]

    # The chain of the report: 50,000 -> 5,037 -> 3,783 -> 0.
    assert "50,000 rows" in line_of("rows of the log")
    assert "5,037 rows" in line_of("behaviours 4")
    assert "3,783 rows" in line_of("items of the subset")
    assert "0 rows" in line_of("k-core (5, 5)")
    assert "Tried on this data" in result.output

    # Equal epochs: the losses begin alike and part; the last four numbers of a row are those of epochs 9, 19, 39, 59.
    loss = {name: numbers(line_of(name).removeprefix(name)) for name in (REPORTED, STRONGER, REPAIRED)}
    assert all(row[0] == pytest.approx(0.6931, abs=0.0025) for row in loss.values())
    assert loss[STRONGER][2:] == pytest.approx([0.6931] * 4, abs=0.0003)
    assert loss[REPAIRED][3] < loss[REPORTED][3] - 0.03
    assert loss[REPAIRED][5] < 0.3
    assert "stuck-at-ln2" in result.output

    # The table has each training, and the models that need none.
    rows = (*((name, 1) for name in loss), ("ItemKNN", 0), ("EASE", 0), ("Pop", 0))
    recall = {name: numbers(line_of(name, nth).removeprefix(name))[1] for name, nth in rows}
    best = max(recall[name] for name in ("ItemKNN", "EASE", "Pop"))
    assert recall[REPAIRED] > best > recall["Pop"] > 0
    assert "better than the best model without training" in result.output
    assert "NOT" not in line_of("On ndcg@20")

    shown = README.read_text(encoding="utf-8").split("```")[3].strip().splitlines()
    assert len(shown) > 20
    for line in (line.strip() for line in shown):
        if line and line != "...":
            words = NUMBER.sub("0", line)
            twins = [numbers(other) for other in printed if NUMBER.sub("0", other) == words]
            assert any(numbers(line) == pytest.approx(twin, abs=0.02) for twin in twins), line


def test_the_printed_interpreter_is_the_one_that_has_the_packages(
    tmp_path: Path, started_as: Callable[..., None]
) -> None:
    assert python_here() == "python"
    started_as("test", executable=str(tmp_path / ".venv" / "bin" / "python"))
    assert python_here() == str(Path(".venv") / "bin" / "python")


def test_the_printed_training_command_exists_for_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started_as: Callable[..., None]
) -> None:
    monkeypatch.chdir(README.parent)
    assert run_command().endswith("python run.py")
    monkeypatch.chdir(tmp_path)
    script = tmp_path / ".venv" / "bin" / "recbole-alibaba"
    script.parent.mkdir(parents=True)
    script.touch(mode=0o755)
    started_as("test", executable=str(script.with_name("python")))
    monkeypatch.setenv("PATH", "")
    assert run_command() == str(Path(".venv") / "bin" / "recbole-alibaba run")
    monkeypatch.setenv("PATH", str(script.parent))
    assert run_command() == "recbole-alibaba run"
