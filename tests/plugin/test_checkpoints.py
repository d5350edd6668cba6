"""A checkpoint loads on the installed torch, and only with its own model and data."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import Result

import recbole_alibaba
from recbole_alibaba.host.errors import CheckpointError
from tests.conftest import two_taste_rows, write_inter

from recbole.data import create_dataset, data_preparation  # isort: skip  (importing the plugin first makes RecBole import)
from recbole.quick_start import load_data_and_model  # isort: skip
from recbole.utils import get_trainer  # isort: skip
from recbole.utils.case_study import full_sort_scores, full_sort_topk  # isort: skip


@pytest.fixture(scope="module")
def trained(two_tastes: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run of one epoch on a copy of the two-taste world, made in its own folder: the data path is relative to it."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(two_tastes, folder / "dataset")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = recbole_alibaba.run(dataset="two-tastes", config_dict={"epochs": 1, "state": "ERROR"})
    return {"folder": folder, "file": folder / result["model_file"], "result": result}


@pytest.fixture
def again(trained: dict[str, Any], tmp_path: Path) -> Callable[..., Any]:
    """A new experiment with the data of `trained`, changed or not."""

    def again(model: str = "AlibabaLightGCN", users: int = 60, seed: int = 0, **settings: Any) -> Any:
        shutil.copytree(trained["folder"] / "dataset", "dataset")
        if (users, seed) != (60, 0):
            write_inter(Path("dataset"), "two-tastes", two_taste_rows(users=users, seed=seed))
        settings = {"state": "ERROR", **settings}
        return recbole_alibaba.prepare(recbole_alibaba.build_config(model, "two-tastes", config_dict=settings))

    return again


def test_load_data_and_model_gives_the_metrics_of_the_run(
    trained: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained["folder"])
    config, model, dataset, train, valid, test = load_data_and_model(trained["file"])
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    found = trainer.evaluate(test, load_best_model=False)
    assert {name: float(value) for name, value in found.items()} == trained["result"]["test_result"]
    assert dataset.user_num == 61 and len(train) and len(valid)


def test_load_data_and_model_refuses_other_data(trained: dict[str, Any], again: Callable[..., Any]) -> None:
    again(seed=1)
    with pytest.raises(CheckpointError, match="was trained on other data"):
        load_data_and_model(trained["file"])


def test_load_data_and_model_from_another_folder(trained: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="no such folder here"):
        load_data_and_model(trained["file"])


@pytest.mark.parametrize("way", ["evaluate", "evaluate of RecBole", "resume"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "was trained on other data"),
        ({"users": 50}, "was trained on other data"),
        ({"model": "BPR"}, "is a checkpoint of AlibabaLightGCN, and this run trains BPR"),
        ({"embedding_size": 8}, r"has the shape \(61, 64\), and \(61, 8\) here"),
        ({"user_inter_num_interval": "[2,inf)"}, "was trained with user_inter_num_interval"),
    ],
)
def test_a_foreign_checkpoint_is_refused(
    trained: dict[str, Any], again: Callable[..., Any], way: str, changes: dict[str, Any], message: str
) -> None:
    made = again(**changes, fast_eval=way == "evaluate")
    with pytest.raises(CheckpointError, match=message):
        if way == "resume":
            made.trainer.resume_checkpoint(trained["file"])
        else:
            made.trainer.evaluate(made.test_data, model_file=trained["file"])


def test_its_own_checkpoint_is_taken(trained: dict[str, Any], again: Callable[..., Any]) -> None:
    made = again()
    found = made.trainer.evaluate(made.test_data, model_file=trained["file"])
    assert {name: float(value) for name, value in found.items()} == trained["result"]["test_result"]
    made.trainer.resume_checkpoint(trained["file"])
    assert made.trainer.start_epoch == 1


def test_what_is_no_checkpoint(again: Callable[..., Any], tmp_path: Path) -> None:
    made = again()
    torch.save([1], tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("no weights")
    for name, message in {
        "list.pth": "holds a list",
        "text.pth": "cannot be read as a checkpoint",
        "none.pth": "no checkpoint",
    }.items():
        with pytest.raises(CheckpointError, match=message):
            made.trainer.resume_checkpoint(tmp_path / name)


def test_recbole_s_top_k_takes_our_loaders(again: Callable[..., Any]) -> None:
    """The same lists as with RecBole's loader, also for a user who has nothing held out."""
    made = again(eval_args={"split": {"LS": "valid_and_test"}, "order": "TO"})
    _, _, theirs = data_preparation(made.config, create_dataset(made.config))
    users = theirs.uid_list.tolist()
    expected = full_sort_scores(users, made.model, theirs)
    assert torch.equal(full_sort_scores(users, made.model, made.test_data), expected)
    scores, items = full_sort_topk(np.array(users), made.model, made.test_data, k=5)
    assert items.shape == (60, 5) and torch.isfinite(scores).all()


@pytest.mark.parametrize(("taken", "words"), [("log", ()), ("some-file", ("--checkpoint_dir=some-file",))])
def test_a_file_in_place_of_a_folder(
    two_tastes: Path, command: Callable[..., Result], taken: str, words: tuple[str, ...]
) -> None:
    Path(taken).write_text("")
    result = command("run", "--dataset=two-tastes", f"--data_path={two_tastes}", "--epochs=1", *words)
    assert result.exit_code == 2
    assert f"{taken}" in result.stderr.splitlines()[-1] and "A file is in the way of a folder" in result.stderr
