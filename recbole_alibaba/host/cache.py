"""RecBole's caches of data sets and loaders are used only for the data that they were made of.

RecBole loads `<checkpoint_dir>/<dataset>-<class>.pth`, or the file that `dataset_save_path` names, if the settings in
`dataset_arguments` are unchanged. Caches of loaders work in the same way. RecBole does not notice that the files were
converted again. So the fingerprint of the data becomes one more of these settings, in `run.py` and in `run_recbole`.
The caches are pickles; those that this program did not write are not read at all.
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

from recbole_alibaba.host.own_pickles import OwnPickles, is_own
from recbole_alibaba.saved.run_folder import sha256

KEY = "data_fingerprint"  # computed: a value that a user gives is overwritten
NO_FILES = "no files"  # for a data set that RecBole will download; caches of stock RecBole have None


def data_fingerprint(folder: str | Path, name: str) -> str:
    """16 hexadecimal digits of the atomic files and of the fingerprint in `funnel.json`, or `NO_FILES`.

    The bytes of the files are hashed (1.5 GB/s, 0.2 s for 10 million rows). Times of change would not do: a copy of
    the data has another time, and two conversions can have the same time and size.
    """
    root = Path(folder)
    found = sorted(file for file in root.glob(f"{glob.escape(name)}.*") if file.is_file() and file.suffix != ".yaml")
    if not found:
        return NO_FILES
    parts = [_of_conversion(root / "funnel.json")]
    for path in found:
        parts.append(f"{path.name} {sha256(path)}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _of_conversion(funnel: Path) -> str:
    try:
        return str(json.loads(funnel.read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, LookupError, TypeError):  # not written by dataset_prep: the files alone count
        return ""


def install() -> None:
    """Let RecBole compare the fingerprint, and log it when a cache is not used. Idempotent."""
    if KEY in dataset_arguments:
        return
    dataset_arguments.append(KEY)
    Config._recbole_set_default_parameters = Config._set_default_parameters
    Config._set_default_parameters = _set_default_parameters
    Dataset._recbole_from_scratch = Dataset._from_scratch
    Dataset._from_scratch = _from_scratch
    utils: Any = importlib.import_module("recbole.data.utils")
    for name in ("recbole.data.utils", "recbole.data.dataset.dataset"):
        module: Any = importlib.import_module(name)
        module.pickle = OwnPickles()
    load = utils.load_split_dataloaders

    def load_split_dataloaders(config: Config) -> Any:
        default = f"{config['dataset']}-for-{config['model']}-dataloader.pth"
        file = _cache(config, config["dataloaders_save_path"], default)
        loaders = load(config) if file.is_file() and is_own(file) else None
        if loaders is None:
            _warn_unused(config, file)
        return loaders

    utils.load_split_dataloaders = load_split_dataloaders


def _set_default_parameters(config: Config) -> None:
    config._recbole_set_default_parameters()
    config[KEY] = data_fingerprint(config["data_path"], config["dataset"])  # by now the folder of the data set itself


def _from_scratch(dataset: Any) -> None:
    """RecBole's first step for a data set that is not taken from a cache."""
    config = dataset.config
    _warn_unused(
        config, _cache(config, config["dataset_save_path"], f"{config['dataset']}-{type(dataset).__name__}.pth")
    )
    dataset._recbole_from_scratch()


def _cache(config: Config, named: str | None, default: str) -> Path:
    return Path(named or Path(config["checkpoint_dir"]) / default)


def _warn_unused(config: Config, file: Path) -> None:
    if file.is_file():
        getLogger().warning(
            f"{file} is not used: it was made of other data or with other settings, or not by this program on this "
            f"machine. The data in {config['data_path']} are read (fingerprint {config[KEY]})."
        )
