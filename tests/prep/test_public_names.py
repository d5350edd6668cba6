"""What the package offers: its names, and the same options in Python and on the command line."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from prep_data import mobile_log

import dataset_prep
from dataset_prep.__main__ import main
from dataset_prep.pairs.core import Enough, Size, Thresholds

NAMES = [
    "SOURCES", "Conversion", "EmptyDatasetError", "Enough", "InputError", "Inspection", "OutputError", "PrepError",
    "Published", "Size", "Source", "ThinDatasetError", "Thresholds", "TooManyRejectsError", "UsageError", "convert",
    "convert_published", "inspect", "other_conversions", "write_sample",
]  # fmt: skip


def test_the_public_names() -> None:
    assert dataset_prep.__all__ == NAMES
    assert all(getattr(dataset_prep, name).__module__.startswith("dataset_prep") for name in NAMES if name != "SOURCES")
    assert list(dataset_prep.SOURCES) == ["mobile", "userbehavior", "tmall", "tmall-ijcai16"]
    assert not hasattr(dataset_prep, "converted")


def options_of(function: Any) -> dict[str, object]:
    """Option -> default, of a public function."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is not p.VAR_KEYWORD}


def options_of_command(name: str) -> dict[str, object]:
    """Option -> default, of a subcommand; None for an option without one."""
    found: dict[str, object] = {}
    for option in main.commands[name].params:
        assert option.name
        if option.name == "version":
            continue
        found[option.name] = option.default if isinstance(option.default, str | int | float | Path) else None
    return found


def commands_of(*names: str) -> dict[str, object]:
    return {option: default for name in names for option, default in options_of_command(name).items()}


@pytest.mark.parametrize(
    ("function", "commands", "only_in_python", "only_on_the_command_line"),
    [
        # The source is the name of the command. Progress bars go to a terminal only.
        (
            dataset_prep.convert,
            ("mobile", "userbehavior", "tmall", "csv"),
            {"source", "quiet"},
            {"all_items", "config"},
        ),
        (dataset_prep.convert_published, ("split",), set(), set()),
        (dataset_prep.inspect, ("inspect",), {"source"}, set()),
        (dataset_prep.write_sample, ("sample",), {"directory"}, {"output"}),
    ],
)
def test_the_same_options_in_python_and_on_the_command_line(
    function: Any, commands: tuple[str, ...], only_in_python: set[str], only_on_the_command_line: set[str]
) -> None:
    python, command_line = options_of(function), commands_of(*commands)
    assert python.keys() - command_line.keys() == only_in_python
    assert command_line.keys() - python.keys() == only_on_the_command_line
    for option in python.keys() & command_line.keys():
        given, default = command_line[option], python[option]
        assert default is inspect.Parameter.empty or given is None or str(given) == str(default), option


@pytest.mark.parametrize("function", [dataset_prep.convert, dataset_prep.convert_published])
def test_options_are_named_typed_and_documented(function: Any) -> None:
    parameters = list(inspect.signature(function).parameters.values())
    assert [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD] == [p.name for p in parameters[:2]]
    for p in parameters[:-1]:
        assert p.annotation is not p.empty
        assert p.name in (function.__doc__ or "") or p.name in ("output", "strict", "quiet"), p.name


def test_a_misspelt_option_names_the_nearest_one(tmp_path: Path) -> None:
    log = mobile_log(tmp_path / "log.csv", [(1, 1, 4, 1, "2014-12-01 00")])
    with pytest.raises(
        dataset_prep.PrepError, match=r"convert\(\) has no option 'behaviours'\. Did you mean 'behaviors'"
    ):
        dataset_prep.convert("mobile", log, output=tmp_path, name="x", behaviours="buy")
    with pytest.raises(
        dataset_prep.PrepError, match=r"convert_published\(\) has no option 'vald'\. Did you mean 'valid'"
    ):
        dataset_prep.convert_published(log, log, output=tmp_path, name="x", vald=log)
    with pytest.raises(dataset_prep.PrepError, match=r"no option 'zzz'\.$"):
        dataset_prep.convert("mobile", log, output=tmp_path, name="x", zzz=1)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("min_user", "3", "min_user is '3', and must be a whole number."),
        ("min_user", True, "must be a whole number"),
        ("max_bad", "0.1", "must be a number"),
        ("strict", "yes", "must be True or False"),
        ("split", 3, "must be text or None"),
    ],
)
def test_an_option_of_another_type_is_named(tmp_path: Path, option: str, value: Any, words: str) -> None:
    log = mobile_log(tmp_path / "log.csv", [(1, 1, 4, 1, "2014-12-01 00")])
    with pytest.raises(dataset_prep.UsageError, match=words):
        dataset_prep.convert("mobile", log, output=tmp_path, **{option: value})


@pytest.mark.parametrize("behaviors", ["cart,buy", ["cart", "buy"], [3, 4], ("3", "buy")])
def test_behaviours_are_a_list_or_the_words_of_the_command_line(tmp_path: Path, behaviors: Any) -> None:
    log = mobile_log(tmp_path / "log.csv", [(1, 1, 3, 1, "2014-12-01 00"), (2, 2, 4, 1, "2014-12-01 00")])
    least = {"min_interactions": 1, "min_users": 1, "min_items": 1, "min_known": 0, "min_user": 1, "min_item": 1}
    made = dataset_prep.convert("mobile", log, output=tmp_path, behaviors=behaviors, **least)
    assert made.size == Size(2, 2, 2)
    alone = dataset_prep.convert("mobile", log, output=tmp_path, behaviors=4, name="alone", **least)
    assert alone.size == Size(1, 1, 1)


def test_a_source_of_ones_own(tmp_path: Path) -> None:
    """A source may be an object; what convert returns tells what was asked for and what was used."""
    log = mobile_log(tmp_path / "log.csv", [(u, i, 4, 1, "2014-12-01 00") for u in range(3) for i in range(3)])
    mobile = dataset_prep.SOURCES["mobile"]
    least = {"min_interactions": 9, "min_users": 3, "min_items": 3, "min_known": 0}
    made = dataset_prep.convert(mobile, log, output=tmp_path, min_user=4, **least)
    assert (made.path, made.name) == (tmp_path / "mobile-log", "mobile-log")
    assert (made.asked, made.used, made.size, made.rows) == (Thresholds(4, 2), Thresholds(3, 2), Size(9, 3, 3), 9)
    assert Enough().met_by(Size(1000, 50, 50))
