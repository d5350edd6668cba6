"""Tuning cannot profit from the test part: whatever stands there, the search sees and chooses the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import Result

from tests.conftest import two_taste_rows, write_inter

BOARD = """
datasets: [honest, noise, leak]
models:
  BPR: {settings: {embedding_size: 8, weight_decay: 0.0}, search: {learning_rate: [1.0e-8, 0.05]}}
seeds: [1]
settings: {epochs: 12, eval_step: 4, train_batch_size: 64}
topk: [5]
valid_metric: NDCG@5
search: {trials: 2}
"""
Row = tuple[str, str, int]


def held_out(name: str, user: str, item: str, rng: np.random.Generator) -> Row:
    """The user's last item; one of any taste; one of the other taste, which only a model that learned nothing finds."""
    number = int(item[1:])
    return user, {"honest": item, "noise": f"i{rng.integers(60)}", "leak": f"i{number ^ 1}"}[name], 14


def test_the_test_part_decides_nothing(tmp_path: Path, command: Callable[..., Result]) -> None:
    by_user: dict[str, list[Row]] = {}
    for row in two_taste_rows():
        by_user.setdefault(row[0], []).append(row)
    for name in ("honest", "noise", "leak"):
        rng = np.random.default_rng(0)
        parts = {
            ".train": [row for rows in by_user.values() for row in rows[:-2]],
            ".valid": [rows[-2] for rows in by_user.values()],
            ".test": [held_out(name, *rows[-1][:2], rng) for rows in by_user.values()],
        }
        for suffix, rows in parts.items():
            write_inter(tmp_path / "dataset", name, rows, suffix)
        (tmp_path / "dataset" / name / f"{name}.yaml").write_text(
            "benchmark_filename: [train, valid, test]\nload_col: {inter: [user_id, item_id]}\n"
        )
    (tmp_path / "leaks.yaml").write_text(BOARD)
    done = command("board", "leaks.yaml", "--jobs=2")
    assert done.exit_code == 0, done.output

    found: dict[str, list[dict[str, Any]]] = {}
    for line in Path("results/records/leaks.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["label"] == "BPR":
            found.setdefault(record["dataset"], []).append(record)
    searches = {
        name: [(one["searched"], one["valid_score"]) for one in records if one["purpose"] == "search"]
        for name, records in found.items()
    }
    assert searches["honest"] == searches["noise"] == searches["leak"]
    for records in found.values():
        assert [one["searched"]["learning_rate"] for one in records if one["purpose"] == "final"] == [0.05]
        assert all(one["test"] is None and one["test_read"] is None for one in records if one["purpose"] == "search")
    tested = {name: records[-1]["test"]["ndcg@5"] for name, records in found.items()}
    assert tested["honest"] > tested["noise"] > tested["leak"]  # chosen on test, the leak would have the rate of 1e-8
