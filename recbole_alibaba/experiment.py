"""One experiment: settings -> data -> model -> trainer -> result; the only file that wires RecBole's parts together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

import torch
from recbole.config import Config
from recbole.data import create_dataset
from recbole.utils import dict2str, get_trainer, init_seed, set_color

from .diagnosis.examination import preflight
from .diagnosis.readings import settings_of
from .estimate import announce
from .evaluation import install_fast_evaluation
from .host import config as host_config
from .host import data as host_data
from .host import logs, settings
from .host.memory import keep_freed_memory
from .host.properties import read_mapping
from .host.registry import find_model
from .loaders import prepare_loaders
from .trainer.watching import watch

DEFAULT_MODEL = "AlibabaLightGCN"


@dataclass
class Experiment:
    """RecBole's own objects of one experiment: `prepare` builds them, `run` trains them, the doctor examines them."""

    config: Config
    dataset: Any
    train_data: Any
    valid_data: Any
    test_data: Any
    model: torch.nn.Module
    trainer: Any

    @property
    def settings(self) -> dict[str, Any]:
        """RecBole's settings as a plain dictionary."""
        return dict(settings_of(self.config))


def build_config(
    model: str | None = None,
    dataset: str | None = None,
    config_file_list: Sequence[str | Path] | None = None,
    config_dict: Mapping[str, Any] | None = None,
    checked: bool = True,
) -> Config:
    """RecBole's Config from our layers; argv is not read and no text is evaluated.

    `checked=False` leaves settings that contradict each other to the doctor.

    Raises:
        BadInput: an unknown model, setting or data set, or a property file that cannot be read; with the nearest name.
    """
    files = [str(file) for file in config_file_list or ()]
    named: dict[str, Any] = {}
    for layer in (*map(read_mapping, files), config_dict or {}):
        named.update(layer)
    model = model or named.get("model") or DEFAULT_MODEL
    dataset = dataset or named.get("dataset")
    model_class = find_model(model)
    for file in files:
        settings.refuse_unknown(read_mapping(file), model_class, file)
    settings.refuse_unknown(config_dict or {}, model_class, "settings")
    dataset = host_data.find_dataset(dataset, str(named.get("data_path", "dataset/")))
    with host_config.argv_kept_out():
        config = Config(model, dataset, files, host_config.Parsed(config_dict or {}))
    if checked:
        host_data.check_settings(config)
    return config


def prepare(config: Config) -> Experiment:
    """Load and split the data, build the model and its trainer, in the order and with the seeds of RecBole.

    Raises:
        UnusableDatasetError: the data set is empty, or its training, validation or test part is.
    """
    init_seed(config["seed"], config["reproducibility"])
    dataset = host_data.loaded(create_dataset, config)
    getLogger().info(dataset)
    train_data, valid_data, test_data = host_data.split(prepare_loaders, config, dataset)
    init_seed(config["seed"] + config["local_rank"], config["reproducibility"])
    model = find_model(config["model"])(config, train_data._dataset).to(config["device"])
    getLogger().info(model)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    install_fast_evaluation(trainer)
    return Experiment(config, dataset, train_data, valid_data, test_data, model, trainer)


def run(
    model: str | None = None,
    dataset: str | None = None,
    config_file_list: Sequence[str | Path] | None = None,
    config_dict: Mapping[str, Any] | None = None,
    saved: bool = True,
) -> dict[str, Any]:
    """Train and test one model; the arguments are those of RecBole's `run_recbole`, and so are the result's keys.

    Args:
        model: name of a RecBole model or of this plugin's; AlibabaLightGCN when nothing names one.
        dataset: name of a folder under `data_path` that holds `<dataset>.inter`.
        config_file_list: property files, the later over the earlier.
        config_dict: settings with their types, over the files.
        saved: whether to keep the best weights in `checkpoint_dir` and test with them.

    Returns:
        `best_valid_score`, `valid_score_bigger`, `best_valid_result`, `test_result` as RecBole has them, and
        `history` (one dictionary an epoch, empty for RecBole's trainers), `model_file`, `dataset`, `model`.

    Raises:
        BadInput: see `build_config` and `prepare`.
        NotFiniteLossError: the loss or the gradient left the finite numbers.
    """
    config = build_config(model, dataset, config_file_list, config_dict)
    logs.start(config)
    try:
        return _train_and_test(prepare(config), saved)
    finally:
        logs.stop()


def _train_and_test(made: Experiment, saved: bool) -> dict[str, Any]:
    config, trainer, logger = made.config, made.trainer, getLogger()
    if config["preflight"] is not False:
        for finding in preflight(made):
            logger.warning(f"{finding.id}: {finding.message} {finding.remedy}")
    if hasattr(made.model, "graph"):
        keep_freed_memory()
        announce(made.model, made.train_data, config, logger)
    if config["watch"] is not False:
        watch(made)
    best_score, best_result = trainer.fit(
        made.train_data, made.valid_data, saved=saved, show_progress=config["show_progress"]
    )
    test_result = trainer.evaluate(made.test_data, load_best_model=saved, show_progress=config["show_progress"])
    logger.info(f"{set_color('best valid', 'yellow')}: {dict2str(best_result or {})}")
    logger.info(f"{set_color('test result', 'yellow')}: {dict2str(test_result or {})}")
    return {
        "best_valid_score": best_score,
        "valid_score_bigger": config["valid_metric_bigger"],
        "best_valid_result": _plain(best_result),
        "test_result": _plain(test_result),
        "history": getattr(trainer, "history", []),
        "model_file": str(trainer.saved_model_file) if saved else None,
        "dataset": config["dataset"],
        "model": config["model"],
    }


def _plain(result: Mapping[str, Any] | None) -> dict[str, float] | None:
    return None if result is None else {metric: float(value) for metric, value in result.items()}
