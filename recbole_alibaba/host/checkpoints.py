"""Does a checkpoint belong to this model and to these data? RecBole loads any other, and then ranks nonsense."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from logging import getLogger
from pathlib import Path
from types import FunctionType
from typing import Any

import torch
from recbole.config import Config
from recbole.trainer import Trainer

from recbole_alibaba.host import cache
from recbole_alibaba.host.errors import CheckpointError

# Other values give other users and items the same numbers.
NUMBERING = (
    "USER_ID_FIELD",
    "ITEM_ID_FIELD",
    "benchmark_filename",
    "val_interval",
    "filter_inter_by_user_or_item",
    "user_inter_num_interval",
    "item_inter_num_interval",
)
SPLIT = ("split", "order", "group_by")


def install() -> None:
    """Let RecBole's Trainer and `load_data_and_model` compare before they load. Idempotent."""
    from recbole.quick_start import load_data_and_model as host_function

    if hasattr(Trainer, "_recbole_evaluate"):
        return
    Trainer._recbole_evaluate, Trainer._recbole_resume = Trainer.evaluate, Trainer.resume_checkpoint
    Trainer.evaluate, Trainer.resume_checkpoint = _evaluate, _resume
    # The function stays the same object: a name that was imported before this package works, too.
    assert isinstance(host_function, FunctionType)
    host_function.__code__ = _load_data_and_model.__code__


def read_checkpoint(file: str | Path) -> dict[str, Any]:
    """The checkpoint that this program or RecBole wrote; its tensors are read when they are used.

    Raises:
        CheckpointError: there is no such file, or it is no checkpoint.
    """
    if not Path(file).is_file():
        raise CheckpointError(
            f"There is no checkpoint {file}. A run writes one when a validation improves valid_metric, and none when "
            "`saved` is False or the metric is never a number."
        )
    try:
        found = torch.load(file, map_location="cpu", weights_only=False, mmap=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, ValueError) as error:
        raise CheckpointError(
            f"{file} cannot be read as a checkpoint ({error}). Name the .pth file of a run."
        ) from error
    if not isinstance(found, Mapping) or not {"config", "state_dict"} <= set(found):
        raise CheckpointError(
            f"{file} holds a {type(found).__name__} without `config` and `state_dict`, so it is no checkpoint of "
            "RecBole. Name the .pth file of a run, not a saved data set or loader."
        )
    return dict(found)


def refuse_foreign(file: str | Path, config: Config, model: torch.nn.Module) -> None:
    """Refuse a checkpoint of another model, of other data, or with other numbers of users or items.

    Raises:
        CheckpointError: see above; the message says what differs.
    """
    checkpoint = read_checkpoint(file)
    trained = checkpoint["config"]
    if trained["model"] != config["model"]:
        raise CheckpointError(f"{file} is a checkpoint of {trained['model']}, and this run trains {config['model']}.")
    _refuse_other_data(file, trained, config["dataset"], config["data_path"], config[cache.KEY])
    for key in NUMBERING:
        if trained[key] != config[key]:
            raise CheckpointError(
                f"{file} was trained with {key}: {trained[key]}, and this run has {config[key]}. Users and items have "
                f"other numbers then; set {key} as it was."
            )
    _refuse_other_shapes(file, checkpoint["state_dict"], model)
    if _split(trained) != _split(config):
        getLogger().warning(
            f"{file} was trained on another split ({_split(trained)}, here {_split(config)}), so it may have seen the "
            "interactions that are held out now, and its metrics may be too high."
        )


def _refuse_other_data(file: str | Path, trained: Config, name: str, folder: str, fingerprint: str | None) -> None:
    if {trained[cache.KEY], fingerprint} & {None, cache.NO_FILES} or trained[cache.KEY] == fingerprint:
        return
    raise CheckpointError(
        f"{file} was trained on other data: on '{trained['dataset']}' with the fingerprint {trained[cache.KEY]}, and "
        f"the files of '{name}' in {folder} have {fingerprint}. Restore those files, or train again on these."
    )


def _refuse_other_shapes(file: str | Path, weights: Mapping[str, Any], model: torch.nn.Module) -> None:
    here = model.state_dict()
    for name in sorted(set(here) ^ set(weights)):
        where = "the checkpoint" if name in weights else "this run's model"
        raise CheckpointError(f"{file}: only {where} has the weights '{name}'; the settings of the model differ.")
    for name, table in here.items():
        if tuple(weights[name].shape) != tuple(table.shape):
            raise CheckpointError(
                f"{file}: '{name}' has the shape {tuple(weights[name].shape)}, and {tuple(table.shape)} here. The "
                "number of users or items or a size of the model differs: use the data and the settings of that run."
            )


def _split(config: Config) -> dict[str, Any]:
    asked = {key: (config["eval_args"] or {}).get(key) for key in SPLIT}
    return asked | ({"seed": config["seed"]} if asked["order"] == "RO" else {})


def _evaluate(
    trainer: Any,
    eval_data: Any,
    load_best_model: bool = True,
    model_file: str | None = None,
    show_progress: bool = False,
) -> Any:
    if eval_data and load_best_model:
        refuse_foreign(model_file or trainer.saved_model_file, trainer.config, trainer.model)
    return trainer._recbole_evaluate(eval_data, load_best_model, model_file, show_progress)


def _resume(trainer: Any, resume_file: str | Path) -> None:
    refuse_foreign(resume_file, trainer.config, trainer.model)
    trainer._recbole_resume(resume_file)


def _load_data_and_model(model_file):  # type: ignore[no-untyped-def]  # its code replaces RecBole's
    from recbole_alibaba.host.checkpoints import load_data_and_model

    return load_data_and_model(model_file)


def load_data_and_model(model_file: str | Path) -> tuple[Config, Any, Any, Any, Any, Any]:
    """What RecBole's function of this name returns: config, model, data set and the loaders of its three parts.

    Raises:
        CheckpointError: the file is no checkpoint, or the data are not those that it was trained on.
    """
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import init_seed

    from recbole_alibaba.console import logs
    from recbole_alibaba.host import guards, registry

    checkpoint = read_checkpoint(model_file)
    config = checkpoint["config"]
    if not torch.cuda.is_available():
        config["device"] = torch.device("cpu")
    folder = Path(config["data_path"])
    if not folder.is_dir():
        raise CheckpointError(
            f"{model_file} was trained on the data in '{folder}', and there is no such folder here ({Path.cwd()}). Go "
            "to the folder where it was trained."
        )
    fingerprint = cache.data_fingerprint(folder, config["dataset"])
    _refuse_other_data(model_file, config, config["dataset"], str(folder), fingerprint)
    init_seed(config["seed"], config["reproducibility"])
    logs.start(config)
    dataset = guards.loaded(create_dataset, config)
    getLogger().info(dataset)
    parts = guards.split(data_preparation, config, dataset)
    init_seed(config["seed"], config["reproducibility"])
    model: Any = registry.find_model(config["model"])(config, parts[0]._dataset).to(config["device"])
    _refuse_other_shapes(model_file, checkpoint["state_dict"], model)
    model.load_state_dict(checkpoint["state_dict"])
    model.load_other_parameter(checkpoint.get("other_parameter"))
    return config, model, dataset, *parts
