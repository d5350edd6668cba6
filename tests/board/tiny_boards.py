"""A board that is over in seconds, and what of its records does not depend on time."""

import json
from pathlib import Path
from typing import Any

from tests.conftest import two_taste_rows, write_inter

BOARD = """\
title: Two tastes
datasets: {two-tastes: {eval_args: {split: {RS: [0.8, 0.1, 0.1]}, order: RO, group_by: user, mode: full}}}
models:
  AlibabaLightGCN: {settings: {n_layers: 1}, search: {learning_rate: [0.001, 0.01, 0.1]}}
  BPR:
seeds: [1, 2]
settings: {epochs: 4, embedding_size: 8}
topk: [5, 10]
valid_metric: NDCG@10
search: {trials: 2}
"""
TRIALS = 2 + 5 * 2
TIMES = {"seconds", "at", "test_read", "peak_memory_mb"}


def lay_out(folder: Path, board: str = BOARD) -> Path:
    """The data set and the board's file, in a folder to work in."""
    write_inter(folder / "dataset", "two-tastes", two_taste_rows())
    settings = folder / "dataset" / "two-tastes" / "two-tastes.yaml"
    settings.write_text("load_col: {inter: [user_id, item_id, timestamp]}\n", encoding="utf-8")
    (folder / "tiny.yaml").write_text(board, encoding="utf-8")
    return folder


def records(folder: Path) -> list[dict[str, Any]]:
    """The records in the order of their ids, without what depends on time."""
    lines = (folder / "results" / "records" / "tiny.jsonl").read_text(encoding="utf-8").splitlines()
    found = [{key: value for key, value in json.loads(line).items() if key not in TIMES} for line in lines]
    for record in found:
        record["history"] = [{**epoch, "seconds": None} for epoch in record["history"]]
    return sorted(found, key=lambda record: record["id"])


def files(folder: Path) -> dict[str, bytes]:
    """Everything that the board has written but locks and logs."""
    found = (path for path in (folder / "results").rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}
