"""RecBole's caches are used for the data that they were made of; for other data the log says that they are not."""

import json
import logging
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dataset_prep.sources.sample import write_sample
from recbole_alibaba import build_config, prepare, run
from recbole_alibaba.host.cache import KEY, NO_FILES, data_fingerprint
from tests.conftest import two_taste_rows, write_inter

QUICK = {"epochs": 1, "train_batch_size": 512, "preflight": False, "watch": False, "show_progress": False}
UNUSED, LOADED = "is not used: it was made of other data", "Load filtered dataset from"


def tastes(seed: int = 0) -> Path:
    """`data/tastes`, written now."""
    return write_inter(Path("data"), "tastes", two_taste_rows(seed=seed))


def trained(model: str = "BPR", dataset: str = "tastes", **settings: Any) -> dict[str, float]:
    data = {} if dataset != "tastes" else {"data_path": "data"}
    return run(model, dataset, config_dict={**QUICK, **data, **settings})["test_result"]


@pytest.mark.parametrize("model", ["AlibabaLightGCN", "BPR"])
def test_data_converted_again_are_read_in_place_of_the_cache(
    model: str, command: Callable[..., Result], caplog: pytest.LogCaptureFixture
) -> None:
    log, _ = write_sample(Path("raw"))
    words = ["prep", "mobile", "--users", log, "--name", "log", "--behaviors"]
    assert command(*words, "2,3,4").exit_code == 0
    before = trained(model, "log", save_dataset=True)
    assert command(*words, "3,4", "--force").exit_code == 0
    with caplog.at_level(logging.INFO):
        after = trained(model, "log", save_dataset=True)
        assert UNUSED in caplog.text and LOADED not in caplog.text
        assert after == trained(model, "log", checkpoint_dir="elsewhere") != before
        caplog.clear()
        assert trained(model, "log") == after  # what the second run saved
        assert LOADED in caplog.text and UNUSED not in caplog.text


@pytest.mark.parametrize("named", [True, False])
def test_loaders_of_other_data_are_not_used(named: bool, caplog: pytest.LogCaptureFixture) -> None:
    tastes()
    before = trained(save_dataloaders=True)
    kept = Path("saved/tastes-for-BPR-dataloader.pth")
    settings = {}
    if named:
        settings = {"dataloaders_save_path": str(kept.rename("mine.pth"))}
    with caplog.at_level(logging.INFO):
        trained(**settings)
        assert "Load split dataloaders from" in caplog.text and UNUSED not in caplog.text
        caplog.clear()
        tastes(seed=1)
        after = trained(**settings)
    assert f"{settings.get('dataloaders_save_path', kept)} {UNUSED}" in caplog.text
    assert "Load split dataloaders from" not in caplog.text
    assert after == trained(checkpoint_dir="elsewhere") != before


def test_run_recbole_takes_no_cache_of_other_data_either(no_arguments: None) -> None:
    from recbole.quick_start import run_recbole

    settings = {"epochs": 1, "data_path": "data", "show_progress": False, "save_dataset": True}
    tastes()
    before = run_recbole("BPR", "tastes", config_dict=dict(settings))["test_result"]
    tastes(seed=1)
    after = run_recbole("BPR", "tastes", config_dict=dict(settings))["test_result"]
    alone = run_recbole("BPR", "tastes", config_dict={**settings, "checkpoint_dir": "elsewhere"})["test_result"]
    assert after == alone != before


def test_a_cache_that_names_no_data_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    """As stock RecBole writes it: its data are unknown."""
    tastes()
    config = build_config("BPR", "tastes", config_dict={"data_path": "data", "dataset_save_path": "stock.pth"})
    dataset = prepare(config).dataset
    del dataset.config.final_config_dict[KEY]
    Path("stock.pth").write_bytes(pickle.dumps(dataset))
    with caplog.at_level(logging.INFO):
        trained(dataset_save_path="stock.pth")
    assert f"stock.pth {UNUSED}" in caplog.text


def test_a_cached_data_set_is_split_as_this_run_asks() -> None:
    """RecBole splits it as the run asked that saved it: `eval_args` is not among what it compares."""
    tastes()
    trained(save_dataset=True)
    halves = {"data_path": "data", "eval_args": {"split": {"RS": [0.4, 0.2, 0.4]}}}
    made = prepare(build_config("BPR", "tastes", config_dict=halves))
    assert len(made.train_data._dataset) == 60 * 6


def test_the_fingerprint_is_of_the_content() -> None:
    """Two files of one size and one time differ; a copy of later time does not."""
    file = tastes()
    first, then, text = data_fingerprint("data/tastes", "tastes"), file.stat(), file.read_text()
    assert len(first) == 16
    file.write_text(text.replace("u10", "u1x"))
    os.utime(file, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (then.st_size, then.st_mtime_ns)
    assert data_fingerprint("data/tastes", "tastes") != first
    file.write_text(text)
    shutil.copytree("data/tastes", "copy")
    assert data_fingerprint("copy", "tastes") == first


def test_what_the_fingerprint_counts() -> None:
    folder = tastes().parent
    first = data_fingerprint(folder, "tastes")
    (folder / "tastes.yaml").write_text("topk: [5]\n")  # settings, compared one by one
    (folder / "tastes2.inter").write_text("user_id:token\n")  # another data set's
    (folder / "rejects.csv").write_text("1,2\n")
    assert data_fingerprint(folder, "tastes") == first
    (folder / "tastes.item").write_text("item_id:token\n")
    with_items = data_fingerprint(folder, "tastes")
    (folder / "funnel.json").write_text(json.dumps({"fingerprint": "0123456789abcdef"}))
    converted = data_fingerprint(folder, "tastes")
    assert len({first, with_items, converted}) == 3
    (folder / "funnel.json").write_text("no JSON")
    assert data_fingerprint(folder, "tastes") == with_items


def test_data_that_are_not_there_yet_have_a_config() -> None:
    """RecBole downloads some data sets after its Config was made."""
    assert data_fingerprint("nowhere", "yelp") == NO_FILES
    assert build_config("BPR", "yelp", config_dict={"data_path": "nowhere"})[KEY] == NO_FILES


def test_the_config_shows_the_fingerprint_and_nobody_can_set_it() -> None:
    tastes()
    config = build_config("BPR", "tastes", config_dict={"data_path": "data", KEY: "mine"})
    assert config[KEY] == data_fingerprint("data/tastes", "tastes")
    assert str(config).count(KEY) == 1
