"""What does `run.json` say about a run?"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.saved.json_values import in_json
from recbole_alibaba.saved.run_folder import FORMAT

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

PACKAGES = ("recbole-alibaba", "recbole", "torch", "numpy", "scipy", "pandas", "duckdb", "safetensors")


def run_record(
    made: Experiment, result: Mapping[str, Any], started: datetime, seconds: float, findings: Sequence[Finding]
) -> dict[str, Any]:
    """The record of a run that ends now, as JSON's own types; only the files are missing.

    Args:
        result: what `training.run` returns.
        started, seconds: when the run began, and how long it took by a clock that nobody sets.
        findings: every warning of the run, in order.
    """
    config, sizes, ended = made.config, counts(made), datetime.now().astimezone()
    keys = ("best_valid_score", "best_valid_result", "test_result", "popularity_result", "history")
    record = {
        "format": FORMAT,
        "model": config["model"],
        "kind": kind_of(config),
        "dataset": config["dataset"],
        "command": sys.argv,
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "versions": versions(),
        "machine": {
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "device": str(config["device"]),
        },
        "seed": config["seed"],
        "data": {
            "fingerprint": config["data_fingerprint"],
            **{side: sizes.pop(side) for side in ("users", "items")},
            "interactions": sizes,
        },
        "best_epoch": _best_epoch(made, result["history"]),
        **{key: result[key] for key in keys},
        "warnings": [{"id": one.id, "message": one.message, "remedy": one.remedy} for one in findings],
        "funnel": _funnel(Path(config["data_path"]) / "funnel.json"),
        "checkpoint": result["model_file"],
    }
    return {key: in_json(value) for key, value in record.items()}


def kind_of(config: Any) -> str:
    """RecBole's kind of model: general, traditional, sequential, ..."""
    return str(config["MODEL_TYPE"].name).lower()


def parts(made: Experiment) -> tuple[Any, Any, Any]:
    """The loaders of training, validation and test; one is None where the split leaves that part out."""
    return made.train_data, made.valid_data, made.test_data


def counts(made: Experiment) -> dict[str, int]:
    """`users`, `items`, and the interactions of `train`, `valid` and `test`."""
    rows = zip(("train", "valid", "test"), parts(made), strict=True)
    return {
        "users": int(made.dataset.user_num) - 1,
        "items": int(made.dataset.item_num) - 1,
        **{name: len(part._dataset) if part is not None else 0 for name, part in rows},
    }


def _best_epoch(made: Experiment, history: Sequence[Mapping[str, Any]]) -> int | None:
    """None where it is not known: the history of RecBole's own trainers has no validations."""
    if made.valid_data and not any("valid" in one for one in history):
        return None
    return best_epoch(history, str(made.config["valid_metric"]), bool(made.config["valid_metric_bigger"]))


def best_epoch(history: Sequence[Mapping[str, Any]], metric: str, bigger: bool) -> int | None:
    """The epoch whose weights are kept: RecBole keeps the last of equal ones, and the last one without validation."""
    scores = {one["epoch"]: one["valid"][metric.lower()] for one in history if metric.lower() in one.get("valid", {})}
    if not scores:
        return int(history[-1]["epoch"]) if history else None
    best = max(scores.values()) if bigger else min(scores.values())
    return max((epoch for epoch, score in scores.items() if score == best), default=None)


def versions() -> dict[str, str]:
    """Python's and those of the installed packages that count."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a folder that is not installed
            continue
    return found


def _funnel(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
