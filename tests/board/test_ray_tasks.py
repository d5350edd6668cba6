"""`--ray`: the same records as processes of this machine; where Ray cannot be used, the sentence that says how."""

import importlib.metadata
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

MEASURED = {"seconds", "peak_memory_mb", "at", "test_read"}  # what differs from run to run
BOARD = """
datasets: {two-tastes: {data_path: DATA}}
models:
  BPR: {settings: {embedding_size: 8}, search: {learning_rate: [0.001, 0.01]}}
  Broken: {model: DMF, settings: {item_hidden_size_list: [64, 32]}}
seeds: [1, 2]
settings: {epochs: 2}
topk: [5]
valid_metric: NDCG@5
search: {trials: 2}
"""


def ray_is_current() -> bool:
    try:
        return tuple(map(int, importlib.metadata.version("ray").split(".")[:2])) >= (2, 40)
    except importlib.metadata.PackageNotFoundError:
        return False


@pytest.fixture
def board(two_tastes: Path, tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(BOARD.replace("DATA", str(two_tastes)))
    return file


def records(file: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for line in file.read_text().splitlines():
        record = json.loads(line)
        for epoch in record["history"] or []:
            epoch.pop("seconds")
        found[record["id"]] = {key: value for key, value in record.items() if key not in MEASURED}
    return found


@pytest.mark.skipif(
    not ray_is_current(), reason="needs ray>=2.40, which cannot stand beside RecBole's pin by pip alone"
)
def test_tasks_of_ray_make_the_same_records(board: Path, command: Callable[..., Result]) -> None:
    for words in (["--ray=local"], []):
        done = command("board", board, "--jobs=2", *words, f"--records=records{len(words)}")
        assert done.exit_code == 0, done.output
    ours, rays = (records(Path(f"records{number}") / "small.jsonl") for number in (0, 1))
    assert ours == rays
    assert sorted((one["label"], one["state"]) for one in rays.values()) == [
        *[("BPR", "done")] * 4,
        *[("Broken", "failed")] * 2,
        *[("EASE", "done")] * 2,
        *[("ItemKNN", "done")] * 2,
        *[("Pop", "done")] * 2,
    ]


@pytest.mark.parametrize(
    ("version", "said"),
    [("2.6.3", "needs Ray 2.40 or later, and 2.6.3 is installed: pip install"), (None, "not installed: pip install")],
)
def test_ray_that_cannot_be_used_is_named(
    board: Path, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, version: str | None, said: str
) -> None:
    installed = importlib.metadata.version

    def of(name: str) -> str:
        if name == "ray" and version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version if name == "ray" and version else installed(name)

    monkeypatch.setattr(importlib.metadata, "version", of)
    done = command("board", board, "--ray=local")
    assert done.exit_code == 2
    assert said in done.stderr
