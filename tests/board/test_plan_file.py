"""What a board's file may say, and what is said where it says something else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from recbole_alibaba.board.plan_file import check_files, default_plan, read_plan
from recbole_alibaba.board.trial import counted
from recbole_alibaba.host.errors import BadInput
from recbole_alibaba.host.known_settings import separate

WHOLE = "datasets: [a]\nmodels: {BPR: }\n"


def plan(folder: Path, text: str, **typed: object):  # type: ignore[no-untyped-def]
    file = folder / "my.yaml"
    file.write_text(text, encoding="utf-8")
    return read_plan(file, typed)


def test_every_board_has_models_that_need_no_luck(tmp_path: Path) -> None:
    labels = [entry.label for entry in plan(tmp_path, "datasets: a\nmodels: {Popular: {model: Pop}, BPR: }\n").entries]
    assert labels == ["Popular", "BPR", "ItemKNN", "EASE"]


def test_a_board_of_a_data_set_compares_a_small_set() -> None:
    found = default_plan("a", {"epochs": 3})
    assert (found.name, list(found.datasets), found.typed) == ("a", ["a"], {"epochs": 3})
    assert {"AlibabaLightGCN", "LightGCN", "Pop", "ItemKNN", "EASE"} <= {entry.model for entry in found.entries}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: {BPR: }\n", "datasets is missing"),
        ("datasets: [a]\n", "models is missing"),
        (WHOLE + "seed: [1]\n", "no 'seed' here. Did you mean 'seeds'?"),
        (WHOLE + "seeds: []\n", "a list of whole numbers"),
        (WHOLE + "seeds: [1, 1]\n", "each once"),
        (WHOLE + "topk: [x]\n", "a list of whole numbers"),
        (WHOLE + "valid_metric: NDCG@7\n", "NDCG@20"),
        (WHOLE + "valid_metric: AUC\n", "needed is one of Recall"),
        (WHOLE + "limits: {second: 3}\n", "Did you mean 'seconds'?"),
        (WHOLE + "limits: {seconds: 0}\n", "number above 0"),
        (WHOLE + "search: {trials: 2.5}\n", "whole number above 0"),
        (WHOLE + "settings: {topk: [5]}\n", "topk cannot be set here"),
        (WHOLE + "competition: {before: day.csv}\n", "items is missing"),
        ("datasets: [a]\nmodels: {BPR: {setting: {}}}\n", "Did you mean 'settings'?"),
        ("datasets: [a]\nmodels: {BPR: {settings: {eval_args: {order: TO}}}}\n", "the same for all"),
        ("datasets: [a]\nmodels: {BPR: {settings: {epochs: 3}, search: {epochs: [1]}}}\n", "Keep one of them"),
        ("datasets: [a]\nmodels: {BPR: {search: {topk: [1]}}}\n", "it is not searched"),
    ],
)
def test_what_a_board_does_not_know_is_refused_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        plan(tmp_path, text)
    assert said in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / "my.yaml"))


def test_a_competition_needs_its_files_to_run_and_not_to_be_drawn(tmp_path: Path) -> None:
    made = plan(tmp_path, WHOLE + "competition: {items: nowhere.csv}\n")
    with pytest.raises(BadInput, match=r"items is nowhere\.csv, and there is no such file"):
        check_files(made)


def test_what_is_searched_is_not_set_on_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--epochs is searched for BPR"):
        plan(tmp_path, "datasets: [a]\nmodels: {BPR: {search: {epochs: [1, 2]}}}\n", epochs=3)


def test_a_missing_file_is_answered_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"default\.yaml"):
        read_plan(tmp_path / "none.yaml", {})


def test_a_setting_that_is_younger_than_a_record_makes_no_other_trial() -> None:
    older = {"model": "AlibabaLightGCN", "n_layers": 3}
    softmax = older | {"loss": "softmax", "temperature": 0.1, "popularity_exponent": 1.0}
    assert counted(softmax | {"loss": "bpr", "seed": 1}) == older
    assert counted(softmax | {"seed": 1}) == softmax


@pytest.mark.parametrize(
    ("words", "typed", "others"),
    [
        (["a.yaml", "--epochs=2", "--topk", "5"], {"epochs": 2, "topk": 5}, ["a.yaml"]),
        (["--epochs", "2", "a.yaml", "--topk=5"], {"epochs": 2, "topk": 5}, ["a.yaml"]),
        (["--epochs=2"], {"epochs": 2}, []),
        (["a.yaml", "b.yaml"], {}, ["a.yaml", "b.yaml"]),
        ([], {}, []),
    ],
)
def test_settings_may_stand_before_the_file_or_without_one(
    words: list[str], typed: dict[str, int], others: list[str]
) -> None:
    assert separate(words) == (typed, others)


def test_two_files_are_refused(command: Callable[..., Result]) -> None:
    result = command("board", "a.yaml", "--epochs=2", "b.yaml")
    assert result.exit_code == 2
    assert "one FILE, and here are 2: a.yaml, b.yaml. A setting is --key=value." in result.stderr
