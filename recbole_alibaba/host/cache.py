"""RecBole's caches of data sets and loaders: used only for the very data they were made of.

RecBole loads `<checkpoint_dir>/<dataset>-<class>.pth`, or what `dataset_save_path` names, when the settings listed in
`dataset_arguments` are the same as then, and its loaders alike; that the files were converted again it does not see.
One more entry of that list, the fingerprint of the data, makes it see, in `run.py` and in `run_recbole`.
"""

import glob
import hashlib
import importlib
import json
from logging import getLogger
from pathlib import Path
from typing import Any

from recbole.config import Config
from recbole.data.dataset import Dataset
from recbole.utils.argument_list import dataset_arguments

KEY = "data_fingerprint"  # a result, not a setting: what a user gives is overwritten
NO_FILES = "no files"  # of a data set that RecBole is about to download; a cache of stock RecBole has None


def data_fingerprint(folder: str | Path, name: str) -> str:
    """16 hexadecimal digits of the data set's atomic files and of the fingerprint in `funnel.json`, or `NO_FILES`.

    The files' bytes are read (1.5 GB/s, a fifth of a second for 10 million rows): times of change would tell a copied
    data set from its original, and take two conversions of one size within the clock's tick for the same.
    """
    root = Path(folder)
    found = sorted(file for file in root.glob(f"{glob.escape(name)}.*") if file.is_file() and file.suffix != ".yaml")
    if not found:
        return NO_FILES
    told = [_of_conversion(root / "funnel.json")]
    for path in found:
        with path.open("rb") as file:
            told.append(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}")
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _of_conversion(funnel: Path) -> str:
    try:
        return str(json.loads(funnel.read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, LookupError, TypeError):  # not of dataset_prep: the files alone tell
        return ""


def install() -> None:
    """Let RecBole compare the fingerprint, and say in the log when a cache is left aside. Idempotent."""
    if KEY in dataset_arguments:
        return
    dataset_arguments.append(KEY)
    Config._recbole_set_default_parameters = Config._set_default_parameters
    Config._set_default_parameters = _set_default_parameters
    Dataset._recbole_from_scratch = Dataset._from_scratch
    Dataset._from_scratch = _from_scratch
    utils: Any = importlib.import_module("recbole.data.utils")
    load = utils.load_split_dataloaders

    def load_split_dataloaders(config: Config) -> Any:
        loaders = load(config)
        if loaders is None:
            default = f"{config['dataset']}-for-{config['model']}-dataloader.pth"
            _say_left_aside(config, config["dataloaders_save_path"], default)
        return loaders

    utils.load_split_dataloaders = load_split_dataloaders


def _set_default_parameters(config: Config) -> None:
    config._recbole_set_default_parameters()
    config[KEY] = data_fingerprint(config["data_path"], config["dataset"])  # the data set's own folder by now


def _from_scratch(dataset: Any) -> None:
    """RecBole's first step of a data set that does not come out of a cache."""
    config = dataset.config
    _say_left_aside(config, config["dataset_save_path"], f"{config['dataset']}-{type(dataset).__name__}.pth")
    dataset._recbole_from_scratch()


def _say_left_aside(config: Config, named: str | None, default: str) -> None:
    file = Path(named or Path(config["checkpoint_dir"]) / default)
    if file.is_file():
        getLogger().warning(
            f"{file} is left aside: it was made of other data or with other settings. The data in "
            f"{config['data_path']} are read (fingerprint {config[KEY]})."
        )
