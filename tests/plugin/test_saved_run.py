"""A run's folder is whole, verified, and never executed; a pickle is read only when it is trusted."""

import json
import math
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import torch
from click.testing import Result

from recbole_alibaba import load, run
from recbole_alibaba.console.next_steps import next_steps
from recbole_alibaba.host.errors import SavedRunError
from recbole_alibaba.saved.json_values import in_json
from recbole_alibaba.saved.run_folder import sha256


class Evil:
    """A pickle of it makes a file while it is read."""

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.file,)


@pytest.fixture
def copied(trained: dict[str, Any], tmp_path: Path) -> Path:
    """A copy of the run's folder, to be damaged."""
    return Path(shutil.copytree(trained["run"], tmp_path / "run"))


def test_what_the_record_says(trained: dict[str, Any]) -> None:
    folder = Path(trained["run"])
    record = json.loads((folder / "run.json").read_text("utf-8"))
    assert record["format"] == 1 and record["model"] == "AlibabaLightGCN" and record["seed"] == 2020
    assert record["data"]["users"] == 943 and sum(record["data"]["interactions"].values()) == 100_000
    assert record["test_result"] == trained["test_result"] and len(record["history"]) == 3
    best = max(record["history"], key=lambda one: one["valid"]["ndcg@20"])
    assert record["best_epoch"] == best["epoch"] and record["best_valid_result"] == best["valid"]
    assert record["files"] == {
        name: sha256(folder / name)
        for name in ("config.yaml", "model.safetensors", "ids.parquet", "interactions.parquet")
    }
    assert sorted(file.name for file in folder.iterdir() if file.suffix != ".pt") == sorted(
        [*record["files"], "run.json"]
    )


@pytest.mark.parametrize("command_line", ["recommend {}", "similar {} --item=1", "export {}", "serve {} --port=0"])
def test_a_pickle_is_refused_without_trust(
    command: Callable[..., Result], tmp_path: Path, copied: Path, command_line: str
) -> None:
    trap = tmp_path / "trap"
    evil = pickle.dumps(Evil(trap))
    (tmp_path / "evil.pth").write_bytes(evil)
    for name in ("model.safetensors", "ids.parquet"):
        file = copied / name
        kept = file.read_bytes()
        file.write_bytes(evil)
        _accept(copied)
        refused = command(*command_line.format(copied).split())
        assert refused.exit_code == 2 and "damaged" in refused.output, refused.output
        file.write_bytes(kept)
    refused = command(*command_line.format(tmp_path / "evil.pth").split())
    assert refused.exit_code == 2 and "add --trust" in refused.output
    assert not trap.exists()
    command(*command_line.format(tmp_path / "evil.pth").split(), "--trust")
    assert trap.exists()  # the pickle does what it says


def _accept(folder: Path) -> None:
    """Let run.json agree with the files as they are now."""
    record = json.loads((folder / "run.json").read_text("utf-8"))
    record["files"] = {name: sha256(folder / name) for name in record["files"]}
    (folder / "run.json").write_text(json.dumps(record))


def _changed_header(data: bytes) -> bytes:
    return data[:12] + b"#" + data[13:]


def _cut(data: bytes) -> bytes:
    return data[:-100]


@pytest.mark.parametrize("agreeing", [False, True], ids=["hash differs", "hash agrees"])
@pytest.mark.parametrize(
    ("name", "damage"),
    [("model.safetensors", _changed_header), ("model.safetensors", _cut), ("interactions.parquet", _cut)],
)
def test_a_damaged_file_is_named(copied: Path, damage: Callable[[bytes], bytes], agreeing: bool, name: str) -> None:
    file = copied / name
    file.write_bytes(damage(file.read_bytes()))
    if agreeing:
        _accept(copied)
    with pytest.raises(SavedRunError, match=f"{name}: {'damaged' if agreeing else 'altered or cut'}.*Copy the whole"):
        load(copied)


def test_missing_files_other_versions_and_unfinished_runs(copied: Path, tmp_path: Path) -> None:
    (copied / "ids.parquet").rename(tmp_path / "ids.parquet")
    with pytest.raises(SavedRunError, match=r"ids\.parquet: missing\. Copy the whole folder"):
        load(copied)
    record = (copied / "run.json").read_text("utf-8")
    (copied / "run.json").write_text(record.replace('"format": 1', '"format": 2'))
    with pytest.raises(SavedRunError, match="format 2, and this version reads format 1"):
        load(copied)
    (copied / "run.json").write_text(record[:-100])
    with pytest.raises(SavedRunError, match="damaged"):
        load(copied)
    (copied / "run.json").unlink()
    (copied / "run.json").symlink_to("/proc/self/mem")
    with pytest.raises(SavedRunError, match=r"run\.json: cannot be read \("):
        load(copied)
    (copied / "run.json").unlink()
    with pytest.raises(SavedRunError, match=r"not finished.*--resume="):
        load(copied)
    with pytest.raises(SavedRunError, match="no finished run"):
        load("latest")
    Path("latest").mkdir()  # a folder of that name is meant first
    with pytest.raises(SavedRunError, match="latest: there is no saved run"):
        load("latest")
    Path("latest").rmdir()
    with pytest.raises(SavedRunError, match="There is no nowhere"):
        load("nowhere")
    (copied / "config.yaml").unlink()
    with pytest.raises(SavedRunError, match=r"there is no saved run\. A run's folder holds config\.yaml and run\.json"):
        load(copied)
    (copied / "run.json").write_text(json.dumps({**json.loads(record), "files": {}, "kind": "sequential"}))
    with pytest.raises(SavedRunError, match=r"has no tables\. It is a sequential model; only general ones"):
        load(copied)
    (copied / "run.json").write_text(json.dumps({**json.loads(record), "files": {}, "kind": "general"}))
    with pytest.raises(SavedRunError, match=r"has no tables\. Name RecBole's checkpoint instead.* --trust"):
        load(copied)


def test_a_command_reads_a_run_without_recbole(trained: dict[str, Any], tmp_path: Path) -> None:
    script = tmp_path / "recbole-alibaba"
    script.write_text("import sys\nfrom recbole_alibaba.cli import main\nsys.exit(main())\n")
    words = [sys.executable, "-X", "importtime", script, "recommend", trained["run"], "--users=196", "--k=2"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.stdout.startswith("user,rank,item,score\n196,1,"), done.stderr
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "torch" in imported and "recbole" not in imported


def test_a_training_ends_with_what_comes_next(
    two_tastes: Path, caplog: pytest.LogCaptureFixture, started_as: Callable[..., None]
) -> None:
    with caplog.at_level("INFO"):
        result = run("AlibabaLightGCN", "two-tastes", config_dict={"data_path": str(two_tastes), "epochs": 1})
    recommend, go_on = (record.getMessage() for record in caplog.records[-2:])
    assert recommend.endswith(f"recbole-alibaba recommend {result['run']}")
    assert go_on.endswith(f'recbole_alibaba.run(..., {{..., "epochs": 2}}, resume="{result["run"]}")')
    started_as("run.py", "--dataset=x y", "--epochs", "5", "--resume", "--topk=[5]")
    lines = next_steps("saved/a", "saved/a.pth", False, "general", 5)
    assert "not for a sequential model" in next_steps("saved/a", "saved/a.pth", False, "sequential", 5)[0]
    assert lines[0].endswith("recbole-alibaba recommend saved/a.pth --trust")
    assert lines[1].endswith("python run.py '--dataset=x y' '--topk=[5]' --resume=saved/a --epochs=10")


def test_ids_of_another_run_are_refused(copied: Path) -> None:
    ids, shorter = copied / "ids.parquet", copied / "shorter.parquet"
    duckdb.sql(f"COPY (FROM '{ids}' WHERE id <> (SELECT max(id) FROM '{ids}')) TO '{shorter}'")
    shorter.replace(ids)
    _accept(copied)
    with pytest.raises(SavedRunError, match=r"ids\.parquet has [\d,]+ (user|item)s and model\.safetensors [\d,]+"):
        load(copied)


def test_values_of_a_record_in_the_types_of_json() -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd"

    values = {
        1: [True, 2, "x", None],
        "t": (torch.tensor(0.5), np.float32(0.25)),
        "n": [math.nan, math.inf],
        "o": Odd(),
    }
    assert in_json(values) == {"1": [True, 2, "x", None], "t": [0.5, 0.25], "n": [None, None], "o": "odd"}
