"""Which atomic files does a run read, and is each as RecBole needs it?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole.config import Config
from recbole.utils import ModelType

from recbole_alibaba.data.atomic.atomic_header import read_header
from recbole_alibaba.data.atomic.atomic_lines import refuse_wrong_lines
from recbole_alibaba.host.errors import AtomicFileError, nearest

BENCHMARK = "[train, valid, test]"
NAME_COLUMNS = ("threshold", "val_interval", "normalize_field", "discretization")
# What other tools call the two ids.
_USER, _ITEM = r"user|uid|member|buyer|customer|session", r"item|iid|sku|product|goods|movie|article|shop"


def check_files(config: Config, proved: bool = True) -> None:
    """Refuse a data set whose atomic files RecBole would misread or fail on. Files that are not loaded are not read.

    Args:
        config: RecBole's settings; `data_path` is the folder of the data set.
        proved: see `refuse_wrong_lines`.

    Raises:
        AtomicFileError: a file is missing or malformed; the message names the file and the line.
    """
    folder, name = Path(config["data_path"]), str(config["dataset"])
    if name and not folder.exists():
        return  # RecBole downloads it
    user, item = config["USER_ID_FIELD"], config["ITEM_ID_FIELD"]
    first: dict[str, str] = {}
    every: set[str] = set()
    for suffix in _parts(config, folder, name):
        file = _present(folder, f"{name}{suffix}.inter")
        columns = _checked(config, file, "inter", [user, item], _time(config), proved)
        if first and columns != first:
            raise AtomicFileError(
                f"{file}, line 1: the columns {_shown(columns)} are loaded, and {_shown(first)} of the first part. The "
                "parts of benchmark_filename need the same columns."
            )
        first = columns
    every |= set(first)
    for suffix, field in (("user", user), ("item", item)):
        if (folder / f"{name}.{suffix}").exists():
            every |= set(_checked(config, folder / f"{name}.{suffix}", suffix, [field], None, proved))
    for suffix, fields in _others(config).items():
        every |= set(_checked(config, _present(folder, f"{name}.{suffix}"), suffix, fields, None, proved))
    for key in NAME_COLUMNS:
        for column in config[key] or ():
            if column not in every:
                raise AtomicFileError(
                    f"{key} names the column '{column}', which is not loaded from {folder}; loaded are "
                    f"{', '.join(sorted(every))}.{nearest(str(column), every)} Add it to load_col, or remove {key}."
                )


def _parts(config: Config, folder: Path, name: str) -> list[str]:
    """What stands between the name and `.inter`: nothing, or the parts of `benchmark_filename`."""
    parts: Any = config["benchmark_filename"]
    if parts is None:
        return [""]
    if not isinstance(parts, list | tuple) or len(parts) != 3:
        raise AtomicFileError(
            f"benchmark_filename is {parts!r}; needed are three names, for training, validation and test, such as "
            f"{BENCHMARK} for {folder / name}.train.inter and so on."
        )
    return [f".{part}" for part in parts]


def _others(config: Config) -> dict[str, list[str]]:
    """Further files that the model or `additional_feat_suffix` needs, with the ids that each must have."""
    found: dict[str, list[str]] = {str(suffix): [] for suffix in config["additional_feat_suffix"] or ()}
    if config["MODEL_TYPE"] == ModelType.KNOWLEDGE:
        triple = ("HEAD_ENTITY_ID_FIELD", "RELATION_ID_FIELD", "TAIL_ENTITY_ID_FIELD")
        found["kg"] = [config[key] for key in triple]
        found["link"] = [config["ITEM_ID_FIELD"], config["ENTITY_ID_FIELD"]]
    return found


def _time(config: Config) -> str | None:
    """The time column, if the run needs it: for a split in the order of time or a sequential model."""
    in_order = str((config["eval_args"] or {}).get("order")) == "TO" and config["benchmark_filename"] is None
    return config["TIME_FIELD"] if in_order or config["MODEL_TYPE"] == ModelType.SEQUENTIAL else None


def _present(folder: Path, name: str) -> Path:
    file = folder / name
    if not file.exists():
        raise AtomicFileError(absent(file))
    return file


def absent(file: Path) -> str:
    """That this atomic file is missing, what its folder has instead, and what to do."""
    folder, name = file.parent, file.name
    there = sorted(other.name for other in folder.iterdir()) if folder.is_dir() else []
    for other in there:
        if other.lower() in (name.lower(), f"{name.lower()}.txt"):
            return f"There is no {file}, but {folder / other}. Rename it: mv '{folder / other}' '{file}'."
    text = f"There is no {file}; {folder} has {', '.join(there[:8]) or 'no file'}."
    parts = [other for other in there if other.endswith(".inter") and other.startswith(f"{file.stem}.")]
    if file.suffix == ".inter" and len(parts) > 1:
        return f"{text} For parts of a split made before, set benchmark_filename, such as {BENCHMARK}."
    if file.suffix == ".inter" and any(other.endswith((".csv", ".tsv", ".txt", ".parquet")) for other in there):
        return f"{text} `recbole-alibaba prep csv` makes an atomic file of a CSV file."
    return text + nearest(name, [other for other in there if other.endswith(file.suffix)])


def _checked(
    config: Config, file: Path, suffix: str, ids: Sequence[str], time: str | None, proved: bool
) -> dict[str, str]:
    """The columns that are loaded, once the file is as it must be."""
    separator, encoding = str(config["field_separator"]), str(config["encoding"] or "utf-8")
    if not _loads(config, suffix):
        return {}
    columns = read_header(file, separator, encoding)
    loaded = {name: kind for name, kind in columns.items() if _is_loaded(config, suffix, name)}
    for name, kind in [*((name, "token") for name in ids), *([(time, "float")] if time else [])]:
        _refuse_absent(config, file, suffix, str(name), kind, columns, loaded)
    if config["TIME_FIELD"] in loaded and suffix == "inter":
        time = config["TIME_FIELD"]
    needed = [*ids, time] if time and columns[time] == "float" else ids
    refuse_wrong_lines(file, separator, encoding, columns, loaded, needed, proved)
    return loaded


def _refuse_absent(
    config: Config,
    file: Path,
    suffix: str,
    name: str,
    kind: str,
    columns: Mapping[str, str],
    loaded: Mapping[str, str],
) -> None:
    if name not in columns and suffix == "inter" and kind == "token":
        raise AtomicFileError(_other_ids(config, file, name, columns))
    key = next((key for key in ("USER_ID_FIELD", "ITEM_ID_FIELD", "TIME_FIELD") if config[key] == name), None)
    yaml = file.parent / f"{config['dataset']}.yaml"
    if name not in columns:
        other = f"or say in {yaml} which one it is (`{key}: ...`, and the same name in load_col)" if key else ""
        if key == "TIME_FIELD":
            if config["MODEL_TYPE"] == ModelType.SEQUENTIAL:
                other += f"; {config['model']} needs the order of time"
            else:
                other += "; or set `eval_args: {order: RO}` for a split in random order"
        raise AtomicFileError(
            f"{file}, line 1: there is no column '{name}'; the columns are {_shown(columns)}.{nearest(name, columns)} "
            f"Name it {name}:{kind}{', ' + other if other else ''}."
        )
    if columns[name] != kind:
        raise AtomicFileError(
            f"{file}, line 1: the column '{name}' has the type {columns[name]}, and {kind} is needed: {name}:{kind}."
        )
    if name not in loaded:
        raise AtomicFileError(
            f"load_col leaves out the column '{name}' of {file}, which this run needs. Put it into {yaml}: "
            f"`load_col: {{{suffix}: [{', '.join([*loaded, name])}]}}`."
        )


def _other_ids(config: Config, file: Path, name: str, columns: Mapping[str, str]) -> str:
    """That the column of an id is missing, with the two ways to name it."""
    text = f"{file}, line 1: there is no column '{name}'; the columns are {_shown(columns)}. Name it {name}:token"
    guessed = [next((one for one in columns if re.search(words, one, re.IGNORECASE)), None) for words in (_USER, _ITEM)]
    if None in guessed or guessed[0] == guessed[1]:
        return f"{text}, or set USER_ID_FIELD, ITEM_ID_FIELD and load_col in {file.parent / config['dataset']}.yaml."
    return (
        f"{text}, or put into {file.parent / config['dataset']}.yaml the lines `USER_ID_FIELD: {guessed[0]}`, "
        f"`ITEM_ID_FIELD: {guessed[1]}` and `load_col: {{inter: [{guessed[0]}, {guessed[1]}]}}`."
    )


def _loads(config: Config, suffix: str) -> bool:
    return config["load_col"] is None or bool(config["load_col"].get(suffix))


def _is_loaded(config: Config, suffix: str, name: str) -> bool:
    load, unload = ((config[key] or {}).get(suffix) for key in ("load_col", "unload_col"))
    return (load is None or load == "*" or name in load) and name not in (unload or ())


def _shown(columns: Mapping[str, str]) -> str:
    return ", ".join(columns) or "none"
