"""Nothing runs from a file: neither from YAML, nor from a setting, nor from a pickle beside the data."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evil_names import Command, files_of, one_sentence

from recbole_alibaba.board.records import Records
from recbole_alibaba.board.trial import digest

TAG = "!!python/object/apply:os.mkdir [hit]"
CODE = "__import__('os').mkdir('hit')"
QUICK = ("--epochs=1", "--embedding_size=4", "--preflight=False", "--watch=False", "--show_progress=False")


class Trap:
    """A pickle of it makes the folder `hit` while it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("hit",)


def test_yaml_makes_no_objects(command: Command, alone: Path) -> None:
    Path("a.yaml").write_text(f"epochs: {TAG}\n")
    Path("b.yaml").write_text(f"prep: {TAG}\n")
    before = files_of(alone)
    for words in (("run", "--config_files=a.yaml"), ("doctor", "--config_files=a.yaml"), ("board", "a.yaml")):
        refused = command(*words)
        assert refused.exit_code == 2 and "a.yaml is not YAML: could not determine a constructor" in refused.stderr
    refused = command("prep", "mobile", "--config=b.yaml", "--log=x.csv", "--name=x")
    assert refused.exit_code == 2 and "b.yaml is no YAML: could not determine a constructor" in refused.stderr
    assert files_of(alone) == before


def test_nor_does_the_yaml_of_a_data_set(command: Command, alone: Path) -> None:
    folder = alone / "dataset" / "x"
    folder.mkdir(parents=True)
    (folder / "x.inter").write_text("user_id:token\titem_id:token\n")
    (folder / "x.yaml").write_text(f"topk: {TAG}\n")
    refused = command("run", "--dataset=x")
    assert refused.exit_code == 2 and "x.yaml is not YAML" in refused.stderr and not Path("hit").exists()


@pytest.mark.parametrize(
    "setting",
    ["learning_rate", "topk", "eval_args", "val_interval", "benchmark_filename", "threshold", "valid_metric", "model",
     "USER_ID_FIELD", "learner", "init", "clip_grad_norm", "train_neg_sample_args", "load_col", "device"],
)  # fmt: skip
def test_the_text_of_a_setting_is_not_evaluated(command: Command, setting: str, two_tastes: Path) -> None:
    refused = command("run", "--dataset=two-tastes", f"--data_path={two_tastes}", *QUICK, f"--{setting}={CODE}")
    one_sentence(refused, 2, "Error: ")
    assert not Path("hit").exists()


def test_recbole_evaluates_a_teacher_of_kd_dagfm(command: Command) -> None:
    refused = command("run", "--dataset=ml-100k", "--model=KD_DAGFM", *QUICK[:1], f"--teacher={CODE}")
    one_sentence(refused, 2, "teacher is", "must be one of CrossNet, CIN")
    assert not Path("hit").exists()


def test_a_setting_that_may_be_any_text_stays_text(command: Command, two_tastes: Path) -> None:
    done = command("run", "--dataset=two-tastes", f"--data_path={two_tastes}", *QUICK, f"--checkpoint_dir={CODE}")
    assert done.exit_code == 0, done.output
    assert list(Path(CODE).glob("*/run.json")) and not Path("hit").exists()


@pytest.mark.parametrize(
    ("model", "name", "setting"),
    [
        ("BPR", "saved/two-tastes-Dataset.pth", ""),
        ("AlibabaLightGCN", "saved/two-tastes-AlibabaLightGCNDataset.pth", ""),
        ("BPR", "saved/two-tastes-for-BPR-dataloader.pth", ""),
        ("BPR", "any.pth", "dataset_save_path"),
        ("BPR", "any.pth", "dataloaders_save_path"),
    ],
)
def test_a_foreign_cache_is_not_read(
    command: Command, two_tastes: Path, model: str, name: str, setting: str, caplog: pytest.LogCaptureFixture
) -> None:
    Path("saved").mkdir()
    Path(name).write_bytes(pickle.dumps(Trap()))
    words = [f"--{setting}={name}"] if setting else []
    done = command("run", "--dataset=two-tastes", f"--data_path={two_tastes}", f"--model={model}", *QUICK, *words)
    assert done.exit_code == 0, done.output
    assert f"{name} is not used" in caplog.text and not Path("hit").exists()
    assert pickle.loads(Path(name).read_bytes()) is None and Path("hit").exists()  # the trap works


def test_a_checkpoint_that_a_setting_names_is_not_unpickled(command: Command, two_tastes: Path) -> None:
    Path("any.pth").write_bytes(pickle.dumps(Trap()))
    words = ["--model=NeuMF", "--use_pretrain=True", "--mf_pretrain_path=any.pth", "--mlp_pretrain_path=any.pth"]
    refused = command("run", "--dataset=two-tastes", f"--data_path={two_tastes}", *QUICK, *words)
    one_sentence(refused, 2, "any.pth")
    assert not Path("hit").exists()


@pytest.mark.parametrize("name", ["../../../hit", "/hit", "..", "0123456789abcdef/../../hit"])
@pytest.mark.parametrize("key", ["id", "scores"])
def test_a_record_of_another_machine_names_no_file_elsewhere(alone: Path, key: str, name: str) -> None:
    record = {"id": "0123456789abcdef", "scores": "tiny/0123456789abcdef.npz", "dataset": "x", "label": "x", "seed": 1}
    record |= {"data": {"fingerprint": "f"}, "config": {}, "config_hash": digest({}), key: name}
    other, mine = Records(alone / "there" / "records", "tiny"), Records(alone / "here" / "records", "tiny")
    (alone / "there" / "records" / "tiny").mkdir(parents=True)
    for path in (alone / "hit.npz", alone / "there" / "records" / "tiny" / "0123456789abcdef.npz"):
        np.savez(path, users=np.arange(3))
    other.file.write_text(json.dumps(record) + "\n", encoding="utf-8")
    before = files_of(alone)
    taken, refused = mine.add(other.file.parent, {"x": "f"})
    assert taken == 0 and "is none that a board gives" in refused[0]
    assert files_of(alone) == before
