"""One experiment: settings -> data -> model -> trainer. Only this file connects RecBole's parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import torch
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.transform import construct_transform
from recbole.utils import get_flops, get_trainer, init_seed

from recbole_alibaba.data.explicit_negatives import warn_of_negatives
from recbole_alibaba.data.loaders import prepare_loaders
from recbole_alibaba.diagnosis.readings import settings_of
from recbole_alibaba.evaluation.full_sort import install_fast_evaluation
from recbole_alibaba.host import config as host_config
from recbole_alibaba.host import guards, known_settings
from recbole_alibaba.host.errors import BadSettingError
from recbole_alibaba.host.registry import find_model, is_ours, packages_of
from recbole_alibaba.settings.property_files import read_mapping
from recbole_alibaba.trainer.cost_estimate import refuse_beyond_memory

DEFAULT_MODEL = "AlibabaLightGCN"
T = TypeVar("T")


@dataclass
class Experiment:
    """RecBole's own objects of one experiment: `prepare` builds them, `run` trains them, the doctor examines them.

    `model_seconds` is how long the model took to build; for ItemKNN and EASE that is their training.
    """

    config: Config
    dataset: Any
    train_data: Any
    valid_data: Any
    test_data: Any
    model: torch.nn.Module
    trainer: Any
    model_seconds: float = 0.0

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
    """RecBole's Config from all layers of settings. It does not read argv and evaluates no text.

    Args:
        model: name of a RecBole model or of this plugin's; AlibabaLightGCN if neither this nor a setting names one.
        dataset: name of a folder under `data_path` with `<dataset>.inter`.
        config_file_list: property files; a later file overrides an earlier one.
        config_dict: settings with their types; they override the files.
        checked: whether to refuse settings that contradict each other. The doctor wants them as they are.

    Raises:
        BadInput: an unknown model, setting or data set, a property file that cannot be read, or an argument of another
            type.
    """
    model = model.__name__ if isinstance(model, type) else model
    files = guards.check_words(model, dataset, config_file_list, config_dict)
    named: dict[str, Any] = {}
    for layer in (*map(read_mapping, files), config_dict or {}):
        named.update(layer)
    model = model or named.get("model") or DEFAULT_MODEL
    dataset = dataset or named.get("dataset")
    model_class = find_model(str(model))
    for file in files:
        known_settings.check_layer(read_mapping(file), model_class, file)
    known_settings.check_layer(config_dict or {}, model_class)
    data_path = str(named.get("data_path", "dataset/"))
    dataset = guards.find_dataset(dataset, data_path)
    for path in host_config.dataset_files(data_path, dataset):
        known_settings.check_layer(read_mapping(path), model_class, str(path), for_every_model=True)
    with host_config.without_argv():
        config = Config(model, dataset, files, host_config.Parsed(config_dict or {}))
    if checked:
        guards.check_settings(config)
    return config


def prepare(config: Config, split_seed: int | None = None) -> Experiment:
    """Load and split the data, build the model and its trainer, in the order of RecBole and with its seeds.

    Args:
        split_seed: of a random split; the run's own by default. With one for all, runs of other seeds share the split.

    Raises:
        UnusableDatasetError: the data set or its training, validation or test part is empty.
        BadSettingError: a setting does not fit the data or another setting.
        UnknownModelError: the model needs a package that is not installed.
    """
    with packages_of(config["model"]):
        return _prepared(config, config["seed"] if split_seed is None else split_seed)


def _prepared(config: Config, split_seed: int) -> Experiment:
    init_seed(split_seed, config["reproducibility"])
    model_class = find_model(config["model"])
    dataset = guards.loaded(create_dataset, config)
    warn_of_negatives(config, dataset, model_class)
    getLogger().info(dataset)
    refuse_beyond_memory(config, dataset.user_num, dataset.item_num, is_ours(config["model"]))
    train_data, valid_data, test_data = guards.split(prepare_loaders, config, dataset)
    init_seed(config["seed"] + config["local_rank"], config["reproducibility"])
    # Importing any of RecBole's sequential models turns this slow check on for the whole process (its sine.py).
    torch.autograd.set_detect_anomaly(False)
    began = perf_counter()
    model = model_class(config, train_data._dataset).to(config["device"])
    seconds = perf_counter() - began
    getLogger().info(model)
    _refuse_more_clusters_than_points(config, model)
    if not is_ours(config["model"]):  # this plugin's draw nothing when they predict
        _count_flops(config, model, dataset)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    guards.name_loss_that_is_not_finite(trainer, config)
    install_fast_evaluation(trainer)
    return Experiment(config, dataset, train_data, valid_data, test_data, model, trainer, seconds)


def _refuse_more_clusters_than_points(config: Config, model: Any) -> None:
    """NCL's default of 1,000 clusters of users, and of items, ends in an error of faiss on a smaller data set."""
    if not hasattr(model, "e_step"):
        return
    points = min(model.n_users, model.n_items)
    if config["num_clusters"] > points:
        raise BadSettingError(
            f"{config['model']} puts users and items into num_clusters: {config['num_clusters']:,} clusters each, and "
            f"{config['dataset']} has {points - 1:,} of one of them. Set num_clusters to about {max(points // 40, 1)}."
        )


def _count_flops(config: Config, model: torch.nn.Module, dataset: Any) -> None:
    """RecBole's count of operations, which draws random numbers with SGL, MacridVAE and BERT4Rec.

    Without it these models would give other metrics than in `run_recbole`.
    """
    try:
        flops = get_flops(model, dataset, config["device"], getLogger(), construct_transform(config))
        getLogger().info(f"FLOPs: {flops:,.0f}")
    except Exception as error:  # of any model
        getLogger().info(f"FLOPs were not counted: {type(error).__name__}: {error}")
