"""Reads a finished run's folder, and refuses one that is not whole. Nothing in it is executed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from duckdb import Error
from safetensors import SafetensorError, safe_open
from torch import Tensor

from recbole_alibaba.host.errors import SavedRunError
from recbole_alibaba.saved.parquet import read_parquet
from recbole_alibaba.saved.run_folder import FORMAT, RANKING_KINDS, RECORD, sha256

AGAIN = "Copy the whole folder again from where it was trained, or train again."


@dataclass(frozen=True)
class SavedRun:
    """What the folder holds.

    Args:
        record: the content of `run.json`.
        tables: float32 by name; see `tables.vector_tables`.
        n_layers: K of LightGCN.
        user_tokens, item_tokens: the data's own ids, by internal id; 0 is the padding.
        interactions: arrays user, item, part and, where the data have it, time; one entry an interaction.
        temperature: of a softmax, whose tables have one column more (softmax_scores.py); else None.
    """

    record: dict[str, Any]
    tables: dict[str, Tensor]
    n_layers: int
    user_tokens: np.ndarray
    item_tokens: np.ndarray
    interactions: dict[str, np.ndarray]
    temperature: float | None = None


def read_record(folder: Path) -> dict[str, Any]:
    """The content of `run.json`.

    Raises:
        SavedRunError: no such folder, an unfinished run, a damaged record, or one of another version.
    """
    file = folder / RECORD
    if not file.is_file():
        if (folder / "config.yaml").is_file():
            raise SavedRunError(
                f"{folder}: this run is not finished: it has no {RECORD}. Go on with it: run.py ... --resume={folder}"
            )
        raise SavedRunError(f"{folder}: there is no saved run. A run's folder holds config.yaml and {RECORD}.")
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        number = record["format"]
    except OSError as error:
        raise SavedRunError(f"{file}: cannot be read ({error.strerror}).") from error
    except (ValueError, LookupError, TypeError) as error:
        raise SavedRunError(f"{file}: damaged; it is no record of a run. {AGAIN}") from error
    if number != FORMAT:
        raise SavedRunError(
            f"{file}: format {number!r}, and this version reads format {FORMAT}. Install the version of "
            "recbole-alibaba that wrote it (`versions` in the file names it), or train again."
        )
    return dict(record)


def read_run(folder: Path) -> SavedRun:
    """Everything in the folder, after each file was compared with its SHA-256 in `run.json`.

    Raises:
        SavedRunError: see `read_record`; a file is missing, altered or cannot be read; the run has no tables.
    """
    record = read_record(folder)
    if "model.safetensors" not in record.get("files", {}):
        kind, checkpoint = record.get("kind"), record.get("checkpoint") or "FILE.pth"
        instead = f"Name RecBole's checkpoint instead, if you trust it: {checkpoint} --trust"
        if kind not in RANKING_KINDS:
            instead = f"It is a {kind} model; only general ones can be recommended from."
        raise SavedRunError(
            f"{folder}: {record.get('model')} is no model of user and item vectors, so the run has no tables. {instead}"
        )
    for name, expected in record["files"].items():
        _verify(folder / name, expected)
    tables, layers, temperature = _tables(folder / "model.safetensors")
    tokens = {kind: _tokens(folder / "ids.parquet", kind) for kind in ("user", "item")}
    interactions = _parquet(folder / "interactions.parquet", "SELECT * FROM source")
    for kind, found in tokens.items():
        if len(found) != len(tables[kind]):
            raise SavedRunError(
                f"{folder}: ids.parquet has {len(found):,} {kind}s and model.safetensors {len(tables[kind]):,}. {AGAIN}"
            )
    return SavedRun(record, tables, layers, tokens["user"], tokens["item"], interactions, temperature)


def _verify(file: Path, expected: str) -> None:
    if not file.is_file():
        raise SavedRunError(f"{file}: missing. {AGAIN}")
    if sha256(file) != expected:
        raise SavedRunError(f"{file}: altered or cut since the run wrote it (its SHA-256 differs). {AGAIN}")


def _tables(file: Path) -> tuple[dict[str, Tensor], int, float | None]:
    try:
        with safe_open(file, framework="pt") as source:
            tables = {name: source.get_tensor(name) for name in source.keys()}  # noqa: SIM118  (no mapping)
            kept = source.metadata() or {}
            layers = int(kept.get("n_layers", 0))
            temperature = float(kept["temperature"]) if "temperature" in kept else None
    except (SafetensorError, OSError, ValueError) as error:
        raise SavedRunError(f"{file}: damaged ({error}). {AGAIN}") from error
    if not {"user", "item"} <= tables.keys():
        raise SavedRunError(f"{file}: has no tables `user` and `item`, only {', '.join(tables)}. {AGAIN}")
    return tables, layers, temperature


def _tokens(file: Path, kind: str) -> np.ndarray:
    return np.asarray(_parquet(file, f"SELECT token FROM source WHERE kind = '{kind}' ORDER BY id")["token"], object)


def _parquet(file: Path, query: str) -> dict[str, Any]:
    try:
        return read_parquet(file, query)
    except Error as error:
        raise SavedRunError(f"{file}: damaged ({str(error).splitlines()[0]}). {AGAIN}") from error
