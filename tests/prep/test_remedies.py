"""Refusals: what is too thin, and the other settings that were tried on the same data."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from prep_data import ENOUGH, mobile_log

from dataset_prep import EmptyDatasetError, Size, ThinDatasetError, Thresholds, convert
from dataset_prep.__main__ import main

Row = tuple[object, ...]
SQUARE: list[Row] = [(u, i, 4, 1, f"2014-12-0{u + 1} 00") for u in range(2) for i in range(2)]


def refusal(log: Path, output: Path, source: str = "mobile", **options: Any) -> ThinDatasetError:
    with pytest.raises(ThinDatasetError) as caught:
        convert(source, log, output=output, name="x", **options)
    assert not (output / "x").exists()
    return caught.value


def options_of(error: ThinDatasetError) -> list[str]:
    """What each remedy changes, but for the level."""
    changed = [remedy.options for remedy in error.remedies if "level" not in remedy.options]
    return [" ".join(_option(name, value) for name, value in options.items()) for options in changed]


def _option(name: str, value: str | int | None) -> str:
    return f"--all-{name}" if value is None else f"--{name.replace('_', '-')} {shlex.quote(str(value))}"


def promised(command: str, name: str) -> Result:
    """Run a remedy as it is printed, under another name."""
    return CliRunner().invoke(main, [*shlex.split(command)[3:], "--name", name])


@pytest.mark.parametrize("core_on", ["all", "train"])
@pytest.mark.parametrize("protocol", ["novel", "repeat"])
def test_the_smallest_change_comes_first(core_on: str, protocol: str, tmp_path: Path) -> None:
    """Lower thresholds, then without the subset, then weaker behaviours one by one, each with the subset first."""
    rows: list[Row] = []
    for rank, behavior in enumerate((4, 3, 2)):
        for item in (rank, 10 + rank):  # items below 10 are the subset
            rows += [(u, item, behavior, 1, f"2014-12-0{d} 0{rank}") for u in range(3) for d in (1, 2)]
    rows += [(u, 20 + i, 4, 1, "2014-12-08 00") for u in range(3) for i in range(2)]
    rows += [(u, 6, 4, 1, "2014-12-08 01") for u in range(3)]
    rows += [(u, i, 4, 1, "2014-12-09 00") for u in range(3) for i in (0, 5)]
    log = mobile_log(tmp_path / "log.csv", rows)
    (tmp_path / "items.csv").write_text("".join(f"{i}\n" for i in range(10)))
    options: dict[str, Any] = {
        "items": tmp_path / "items.csv", "behaviors": "4", "min_user": 99, "min_item": 3, "min_interactions": 3,
        "min_users": 1, "min_items": 1, "min_known": 0, "protocol": protocol, "cold": "keep",
        "split": "date 2014-12-08,2014-12-09", "core_on": core_on,
    }  # fmt: skip
    error = refusal(log, tmp_path / "out", strict=True, **options)
    found = options_of(error)
    assert [" ".join(word for word in o.split() if not word.isdigit()) for o in found] == [
        "--min-user",
        "--all-items --min-user",
        "--behaviors 3,4 --min-user",
        "--behaviors 3,4 --all-items --min-user",
        "--behaviors 2,3,4 --min-user",
        "--behaviors 2,3,4 --all-items --min-user",
        "--behaviors 1,2,3,4 --min-user",
        "--behaviors 1,2,3,4 --all-items --min-user",
    ]
    for number, remedy in enumerate(error.remedies):
        done = promised(remedy.command, str(number))
        assert done.exit_code == 0 and f"k-core {remedy.thresholds}" in done.output, done.output


def test_what_the_conversion_itself_tried_is_no_remedy(log: Callable[..., Path], tmp_path: Path) -> None:
    """Without strict the thresholds were lowered already."""
    users = log([*SQUARE, *[(u, 9, 3, 1, "2014-12-01 00") for u in range(9)]])
    found = refusal(users, tmp_path / "out", behaviors="4", min_interactions=9, min_users=5, min_items=1, min_known=0)
    wider = ("3,4", "2,3,4", "1,2,3,4")
    assert options_of(found) == [f"--behaviors {behaviors} --min-user 1" for behaviors in wider]
    assert found.remedies[0].size == Size(13, 9, 3)
    assert found.remedies[0].thresholds == Thresholds(1, 2)
    assert str(found.remedies[0]).endswith("   leaves 13 pairs, 9 users, 3 items")


def test_where_nothing_helps_the_message_says_so(log: Callable[..., Path], tmp_path: Path) -> None:
    found = refusal(log(SQUARE), tmp_path / "out")
    assert not found.remedies and not isinstance(found, EmptyDatasetError)
    text = str(found)
    assert "leaves 4 pairs, 2 users, 2 items; needed are 1,000 pairs, 50 users, 50 items" in text
    assert "The k-core (1, 1) (asked for (2, 2), relaxed down to it)" in text
    assert "too thin to learn from" in text and "rows of the log: 4 rows (100.0%)" in text
    strict = refusal(log(SQUARE), tmp_path / "out", strict=True)
    assert strict.message.startswith("The k-core (2, 2) leaves 4 pairs")


def test_nothing_left_before_the_core_names_the_step(log: Callable[..., Path], tmp_path: Path) -> None:
    found = refusal(log(SQUARE), tmp_path / "out", behaviors="3", **ENOUGH)
    assert isinstance(found, EmptyDatasetError)
    assert found.message == "Nothing is left after the step 'behaviours 3': every row was dropped (another behaviour)."
    assert options_of(found) == ["--behaviors 3,4", "--behaviors 2,3,4", "--behaviors 1,2,3,4"]
    dates = refusal(log(SQUARE), tmp_path / "out", since="2015-01-01", **ENOUGH)
    assert "after the step 'inside the dates'" in dates.message and not dates.remedies


def test_a_remedy_is_quoted_for_the_shell(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = [f"{u},{i},look at it" for u in range(3) for i in range(3)] + ["1,1,buy"]
    log.write_text("".join(f"{row}\n" for row in rows))
    options: dict[str, Any] = {"user_column": "1", "item_column": "2", "behavior_column": "3", "behaviors": "buy"}
    options |= {"behavior_values": "look at it,buy"}
    options |= {"min_interactions": 4, "min_users": 2, "min_items": 2, "min_known": 0}
    found = refusal(log, tmp_path / "out", "csv", **options)
    assert options_of(found) == ["--behaviors 'look at it,buy'"]
    done = promised(found.remedies[0].command, "y")
    assert done.exit_code == 0, done.output
