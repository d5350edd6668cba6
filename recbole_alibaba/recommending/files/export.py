"""Vectors as files for other programs: NumPy, Parquet, or an index of faiss; each with the data's own ids."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from recbole_alibaba.host.errors import SavedRunError
from recbole_alibaba.recommending.model import SavedModel, Vectors
from recbole_alibaba.saved.parquet import write_parquet


def export(model: SavedModel, kind: str, folder: Path, history: str = "full") -> list[Path]:
    """Write the vectors into a new folder, whole or not at all. Row i of a file belongs to line i of its ids.

    Args:
        kind: `npy`: users.npy, items.npy, users.txt, items.txt. `parquet`: users.parquet and items.parquet with the
            columns token and vector. `faiss`: items.faiss, an exact index of dot products, with items.txt, users.npy
            and users.txt.
        history: see `SavedModel.recommend`.

    Returns:
        The files.

    Raises:
        SavedRunError: the folder exists, the model has no vectors, or faiss is not installed.
    """
    vectors = model.vectors(history)
    if folder.exists():
        raise SavedRunError(f"{folder} exists already: name another folder with --output, or remove it.")
    building = folder.with_name(f".{folder.name}.{os.getpid()}.building")
    try:
        building.mkdir(parents=True)
        WRITERS[kind](vectors, building)
        building.rename(folder)
    except OSError as error:
        raise SavedRunError(f"{folder}: cannot be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return sorted(folder.iterdir())


def _npy(vectors: Vectors, folder: Path) -> None:
    np.save(folder / "users.npy", vectors.users)
    np.save(folder / "items.npy", vectors.items)
    _ids(vectors, folder)


def _parquet(vectors: Vectors, folder: Path) -> None:
    sides = {"users": (vectors.user_tokens, vectors.users), "items": (vectors.item_tokens, vectors.items)}
    for name, (tokens, table) in sides.items():
        columns = pd.DataFrame({"token": tokens, "vector": list(table)})
        write_parquet(folder / f"{name}.parquet", columns, f"token, vector::FLOAT[{table.shape[1]}] AS vector")


def _faiss(vectors: Vectors, folder: Path) -> None:
    try:
        import faiss
    except ImportError as error:
        raise SavedRunError("faiss is not installed: pip install 'recbole-alibaba[index]'") from error
    index = faiss.IndexFlatIP(vectors.items.shape[1])
    index.add(np.ascontiguousarray(vectors.items))
    faiss.write_index(index, str(folder / "items.faiss"))
    np.save(folder / "users.npy", vectors.users)
    _ids(vectors, folder)


def _ids(vectors: Vectors, folder: Path) -> None:
    for name, tokens in (("users.txt", vectors.user_tokens), ("items.txt", vectors.item_tokens)):
        (folder / name).write_text("\n".join(tokens) + "\n", encoding="utf-8")


WRITERS: dict[str, Callable[[Vectors, Path], None]] = {"npy": _npy, "parquet": _parquet, "faiss": _faiss}
