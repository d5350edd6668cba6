"""Refusals: what is too thin, and the other settings that were tried on the same data."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
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
    return [remedy.command_line for remedy in error.remedies]


def test_every_remedy_added_to_the_command_leaves_what_it_promises(sample: tuple[Path, Path], tmp_path: Path) -> None:
    command = [
        "mobile", "--users", str(sample[0]), "--items", str(sample[1]), "--output", str(tmp_path), "--name", "x",
        "--behaviors", "buy", "--min-user", "5", "--min-item", "5", "--strict",
    ]  # fmt: skip
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 2
    assert "EmptyDatasetError: The k-core (5, 5) leaves 0 pairs" in refused.output
    remedies = [line for line in refused.output.splitlines() if "   leaves " in line]
    assert len(remedies) >= 4
    for number, line in enumerate(remedies):
        options, promised = line.strip().split("   leaves ")
        done = CliRunner().invoke(main, [*command, *shlex.split(options), "--name", f"x{number}"])
        assert done.exit_code == 0, done.output
        assert promised in done.output.splitlines()[-1]


@pytest.mark.parametrize("core_on", ["all", "train"])
@pytest.mark.parametrize("protocol", ["novel", "repeat"])
def test_the_smallest_change_comes_first(core_on: str, protocol: str, tmp_path: Path) -> None:
    """Lower thresholds, then without the subset, then weaker behaviours one by one, each with the subset first."""
    rows: list[Row] = []
    for rank, behavior in enumerate((4, 3, 2)):
        for item in (rank, 10 + rank):  # items below 10 are the subset
            rows += [(u, item, behavior, 1, f"2014-12-0{d} 0{rank}") for u in range(3) for d in (1, 2)]
    rows += [(u, 20 + i, 4, 1, "2014-12-08 00") for u in range(3) for i in range(2)]
    rows += [(u, i, 4, 1, "2014-12-09 00") for u in range(3) for i in (0, 5)]
    log = mobile_log(tmp_path / "log.csv", rows)
    (tmp_path / "items.csv").write_text("".join(f"{i}\n" for i in range(10)))
    options: dict[str, Any] = {
        "items": tmp_path / "items.csv", "behaviors": "4", "min_user": 99, "min_item": 3, "min_interactions": 3,
        "min_users": 1, "min_items": 1, "protocol": protocol, "cold": "keep",
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
    base = ["mobile", "--users", str(log), "--output", str(tmp_path)]
    for option, value in options.items():
        base += [f"--{option.replace('_', '-')}", str(value)]
    for number, remedy in enumerate(error.remedies):
        assert remedy.thresholds.item == 3
        done = CliRunner().invoke(main, [*base, *shlex.split(remedy.command_line), "--name", str(number)])
        assert f"k-core {remedy.thresholds}" in done.output, done.output


def test_what_the_conversion_itself_tried_is_no_remedy(log: Callable[..., Path], tmp_path: Path) -> None:
    """Without strict the thresholds were lowered already."""
    users = log([*SQUARE, *[(u, 9, 3, 1, "2014-12-01 00") for u in range(9)]])
    found = refusal(users, tmp_path / "out", behaviors="4", min_interactions=9, min_users=5, min_items=1)
    wider = ("3,4", "2,3,4", "1,2,3,4")
    assert options_of(found) == [f"--behaviors {behaviors} --min-user 1" for behaviors in wider]
    assert found.remedies[0].size == Size(13, 9, 3)
    assert (found.remedies[0].thresholds, str(found.remedies[0])) == (
        Thresholds(1, 2),
        "--behaviors 3,4 --min-user 1   leaves 13 pairs, 9 users, 3 items",
    )


def test_where_nothing_helps_the_message_says_so(log: Callable[..., Path], tmp_path: Path) -> None:
    found = refusal(log(SQUARE), tmp_path / "out")
    assert not found.remedies and not isinstance(found, EmptyDatasetError)
    text = str(found)
    assert "leaves 4 pairs, 2 users, 2 items; needed are 1,000 pairs, 50 users, 50 items" in text
    assert "The k-core (1, 1) (asked for (2, 2), relaxed down to it)" in text
    assert "this log is too small" in text and "rows of the log: 4 rows (100.0%)" in text
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
    options |= {"behavior_values": "look at it,buy", "min_interactions": 4, "min_users": 2, "min_items": 2}
    found = refusal(log, tmp_path / "out", "csv", **options)
    assert options_of(found) == ["--behaviors 'look at it,buy'"]
    asked = [
        "--user-column",
        "1",
        "--item-column",
        "2",
        "--behavior-column",
        "3",
        "--behavior-values",
        "look at it,buy",
    ]
    asked += ["--min-interactions", "4", "--min-users", "2", "--min-items", "2", "--behaviors", "buy"]
    command = ["csv", "--log", str(log), "--output", str(tmp_path), "--name", "x", *asked]
    done = CliRunner().invoke(main, [*command, *shlex.split(options_of(found)[0])])
    assert done.exit_code == 0, done.output
