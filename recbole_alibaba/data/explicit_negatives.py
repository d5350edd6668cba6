"""Does the interaction file mark rows as negative (label 0), and would they be trained as positives?"""

import inspect
from logging import getLogger
from pathlib import Path
from typing import Any

import pandas as pd
from recbole.utils import InputType


def warn_of_negatives(config: Any, dataset: Any, model_class: type) -> None:
    """Warn, with the setting that drops them, if the file has rows of label 0 and the model does not read labels."""
    label = config["LABEL_FIELD"]
    if _reads_labels(config, model_class) or (config["val_interval"] or {}).get(label) or config["threshold"]:
        return
    marked = [_zeros(file, label, config) for file in _files(config)]
    zeros, kinds = sum(count for count, _ in marked), {kind for _, kind in marked if kind}
    if not zeros:
        return
    kept = '["1"]' if "token" in kinds else '"[1,inf)"'
    loaded = (config["load_col"] or {}).get("inter") or ()
    columns = list(dict.fromkeys((*loaded, label)))
    load = f" --load_col='{{inter: [{', '.join(columns)}]}}'" if config["load_col"] else ""
    getLogger().warning(
        f"negatives-as-positives: {zeros:,} rows have {label} 0, and {config['model']} is trained with them as with "
        f"positives, since it reads no labels. Drop them with --val_interval='{{{label}: {kept}}}'{load}."
    )


def _reads_labels(config: Any, model_class: type) -> bool:
    """With negatives drawn, RecBole replaces the labels by its own: 1 for every row of the file."""
    drawn = config["train_neg_sample_args"]["distribution"] != "none"
    if drawn or config["MODEL_INPUT_TYPE"] != InputType.POINTWISE:
        return False
    return any("self.LABEL" in inspect.getsource(base) for base in model_class.__mro__ if "recbole" in base.__module__)


def _files(config: Any) -> list[Path]:
    stem = Path(config["data_path"]) / config["dataset"]
    parts = config["benchmark_filename"]
    names = [f"{stem}.{part}.inter" for part in parts[:1]] if parts else [f"{stem}.inter"]
    return [Path(name) for name in names if Path(name).is_file()]


def _zeros(file: Path, label: str, config: Any) -> tuple[int, str]:
    """The number of rows with label 0, and the type of the column; (0, "") without such a column."""
    form: dict[str, Any] = {"sep": config["field_separator"], "encoding": config["encoding"]}
    columns = pd.read_csv(file, nrows=0, **form).columns
    found = next((column for column in columns if column.partition(":")[0] == label), None)
    if found is None:
        return 0, ""
    values = pd.to_numeric(pd.read_csv(file, usecols=[found], **form)[found], errors="coerce")
    return int((values == 0).sum()), found.partition(":")[2]
