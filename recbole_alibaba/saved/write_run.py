"""Writes into a run's folder what the run has learned, and last `run.json`: a folder without it is unfinished."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from safetensors.torch import save_file
from torch import Tensor

from dataset_prep.writing.whole_file import written
from recbole_alibaba.data.ranking_loader import user_item_ids
from recbole_alibaba.saved.parquet import write_parquet
from recbole_alibaba.saved.run_folder import FORMAT, RECORD, sha256
from recbole_alibaba.saved.run_record import parts
from recbole_alibaba.saved.vector_tables import softmax_temperature, vector_tables

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

PARTS = ("train", "valid", "test")


def write_run(folder: Path, made: Experiment, record: dict[str, Any]) -> bool:
    """Write the tables of `made.model`, ids, interactions and the record; the model has its best weights.

    A model whose scores are no dot products gets the record only.

    Returns:
        Whether the folder can be recommended from.
    """
    (folder / RECORD).unlink(missing_ok=True)  # until all files are written, the run is unfinished
    tables = vector_tables(made.model, made.dataset, made.config["MODEL_TYPE"])
    if tables is not None:
        _write_tables(folder / "model.safetensors", tables, made.model)
        write_parquet(folder / "ids.parquet", ids_table(made.dataset))
        write_parquet(folder / "interactions.parquet", interactions_table(made))
    names = ("config.yaml", "model.safetensors", "ids.parquet", "interactions.parquet")
    files = {name: sha256(folder / name) for name in names if (folder / name).is_file()}
    with written(folder / RECORD) as part:
        text = json.dumps({**record, "files": files}, ensure_ascii=False, indent=1, allow_nan=False)
        part.write_text(text + "\n", encoding="utf-8")
    return tables is not None


def ids_table(dataset: Any) -> pd.DataFrame:
    """Columns kind (`user` or `item`), id, token, in this order; id 0 is RecBole's padding."""
    tables = []
    for kind, field in (("user", dataset.uid_field), ("item", dataset.iid_field)):
        tokens = np.asarray(dataset.field2id_token[field]).astype(str).astype(object)
        tables.append(pd.DataFrame({"kind": kind, "id": np.arange(len(tokens), dtype=np.int32), "token": tokens}))
    return pd.concat(tables, ignore_index=True)


def interactions_table(made: Experiment) -> pd.DataFrame:
    """Columns user, item (internal ids), part (train, valid, test) and, where the data have it, time (float64)."""
    tables = []
    for number, part in enumerate(parts(made)):
        if part is None:
            continue
        dataset = part._dataset
        users, items = user_item_ids(dataset)
        table = pd.DataFrame({"user": users.astype(np.int32), "item": items.astype(np.int32)})
        table["part"] = pd.Categorical.from_codes(np.full(len(table), number), pd.Index(PARTS))
        if dataset.time_field in dataset.inter_feat:
            table["time"] = np.asarray(dataset.inter_feat[dataset.time_field], np.float64)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _write_tables(path: Path, tables: dict[str, Tensor], model: Any) -> None:
    kept = {"format": FORMAT, "n_layers": getattr(model, "n_layers", 0)}
    if (temperature := softmax_temperature(model)) is not None:
        kept["temperature"] = temperature
    with written(path) as part:
        save_file(tables, part, {name: str(value) for name, value in kept.items()})
        shutil.copymode(path.parent / "config.yaml", part)  # safetensors lets only the owner read it
