"""Checks around RecBole's loading and splitting: a clear sentence where RecBole fails late or with a riddle."""

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole.config import Config

from dataset_prep.settings import is_downloaded
from recbole_alibaba.data.atomic.atomic_check import absent, check_files
from recbole_alibaba.host.errors import (
    BadInput,
    BadSettingError,
    DatasetNotFoundError,
    NotFiniteLossError,
    NothingHeldOutError,
    UnusableDatasetError,
    nearest,
)
from recbole_alibaba.settings.ranking_metrics import computed_metrics, longest_list, valid_metric_is_computed

_KINDS = {"model": "model", "dataset": "folder under data_path"}
# What RecBole raises while it loads and filters.
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, AssertionError)
BUNDLED = "ml-100k"  # ships inside RecBole


def check_words(
    model: Any, dataset: Any, config_file_list: Sequence[str | Path] | str | Path | None, config_dict: Any
) -> list[str]:
    """The names of the property files, if the arguments of the Python functions have types that can be meant.

    Raises:
        BadSettingError: the first argument that has not, with what is needed.
    """
    for name, value in (("model", model), ("dataset", dataset)):
        if value is not None and not isinstance(value, str):
            needed = (
                "dataset_prep.convert(...) writes a table to" if name == "dataset" else "RecBole or this plugin has"
            )
            raise BadSettingError(
                f"{name} is a {type(value).__name__}; needed is the name of a {_KINDS[name]} that {needed}."
            )
    if config_dict is not None and not isinstance(config_dict, Mapping):
        raise BadSettingError(
            f"config_dict is a {type(config_dict).__name__}; needed is a dictionary of settings, such as "
            "{'epochs': 20}."
        )
    if isinstance(config_file_list, str | Path):
        return [str(config_file_list)]
    try:
        return [os.fspath(file) for file in config_file_list or ()]
    except TypeError as error:
        raise BadSettingError(
            f"config_file_list: {error}; needed is a list of property files, such as ['my.yaml']."
        ) from error


def find_dataset(name: str | None, data_path: str) -> str:
    """The name, if it has atomic files under `data_path` or RecBole ships or downloads it.

    Raises:
        DatasetNotFoundError: it has none; the message gives the nearest name and how to make a data set.
    """
    root = Path(data_path)
    there = sorted({file.parent.name for file in root.glob("*/*.inter")})
    if name is None:
        raise DatasetNotFoundError(f"No data set was named. {_offer(root, there)}")
    folder = root / str(name)
    if name == BUNDLED or any(folder.glob("*.inter")) or (not folder.exists() and is_downloaded(str(name))):
        return str(name)
    if folder.is_dir() and any(folder.iterdir()):
        raise DatasetNotFoundError(absent(folder / f"{name}.inter"))
    if (lone := root / f"{name}.inter").is_file():
        raise DatasetNotFoundError(
            f"There is a {lone}, and RecBole wants it in a folder of its name: "
            f"mkdir {shlex.quote(str(folder))} && mv {shlex.quote(str(lone))} {shlex.quote(str(folder))}/"
        )
    raise DatasetNotFoundError(
        f"There is no data set '{name}': no {folder / f'{name}.inter'}."
        f"{nearest(str(name), there)} {_offer(root, there)}"
    )


def _offer(root: Path, there: list[str]) -> str:
    if there:
        more = f" and {len(there) - 20} more" if len(there) > 20 else ""
        return f"In {root} there are: {', '.join(there[:20])}{more}."
    make = f"python -m dataset_prep mobile --users FILE --output {shlex.quote(str(root))} --name NAME"
    return f"There are no data sets in {root}. Make one: {make}"


def check_settings(config: Config) -> None:
    """Refuse settings that RecBole accepts and fails on after the first epoch.

    Raises:
        BadSettingError: `valid_metric` is not one of the metrics that are computed.
    """
    settings = config.final_config_dict
    if not valid_metric_is_computed(settings):
        metric = str(config["valid_metric"])
        raise BadSettingError(
            f"valid_metric is '{metric}', which is never computed: metrics {config['metrics']} at topk "
            f"{config['topk']} give {', '.join(computed_metrics(settings))}. Name one of these, or add "
            f"{metric.partition('@')[2] or 'its length'} to topk."
        )


def name_loss_that_is_not_finite(trainer: Any, config: Config) -> None:
    """Let RecBole's trainers say what to do about a loss of NaN, and stop at an infinite one as well.

    A step after which no loss is computed can spoil the weights, too: they are looked at before they are saved.
    """
    advice = (
        f"with learning_rate {config['learning_rate']:g}. Try a smaller learning_rate, and clip_grad_norm: "
        "{max_norm: 1.0, norm_type: 2}."
    )
    save: Callable[..., None] = getattr(trainer, "_save_checkpoint", lambda *_: None)

    def check(loss: Any) -> None:
        if not loss.isfinite().all():
            raise NotFiniteLossError(f"The training loss of {config['model']} is {loss.detach().sum().item()} {advice}")

    def save_finite(epoch: int, *args: Any, **kwargs: Any) -> None:
        if not all(bool(table.isfinite().all()) for table in trainer.model.parameters()):
            raise NotFiniteLossError(f"epoch {epoch}: weights of {config['model']} are NaN or infinite {advice}")
        save(epoch, *args, **kwargs)

    trainer._check_nan, trainer._save_checkpoint = check, save_finite


def loaded(create_dataset: Callable[[Config], Any], config: Config) -> Any:
    """The data set of `config`, loaded and filtered by RecBole.

    Raises:
        AtomicFileError: a file is missing or malformed.
        UnusableDatasetError: the filters left nothing; the message names them.
        BadSettingError: `topk` asks for more items than there are.
    """
    check_files(config)
    try:
        dataset = create_dataset(config)
    except BadInput:
        raise
    except UNREADABLE as error:
        if "Some feat is empty" not in str(error):
            check_files(config, proved=False)
            raise UnusableDatasetError(
                f"RecBole cannot load the data set in {config['data_path']}: {type(error).__name__}: {error}"
            ) from error
        keys = ("user_inter_num_interval", "item_inter_num_interval", "val_interval", "rm_dup_inter")
        asked = ", ".join(f"{key}: {config[key]}" for key in keys if config[key] not in (None, "[0,inf)"))
        raise UnusableDatasetError(
            f"{config['dataset']}: RecBole's own filters left no interaction ({asked or 'the file has no row'}). "
            "A fixed core can empty a thin data set. Remove these filters and let `python -m dataset_prep` find the "
            "strictest core that leaves enough."
        ) from error
    dataset.config = config  # a cached data set has the config, so the eval_args, of the run that saved it
    longest = longest_list(config.final_config_dict)
    if longest >= dataset.item_num:
        raise BadSettingError(
            f"topk asks for lists of {longest} items, and {config['dataset']} has only {dataset.item_num - 1:,}: "
            f"set topk to at most {dataset.item_num - 1}."
        )
    return dataset


def split(data_preparation: Callable[..., Any], config: Config, dataset: Any) -> tuple[Any, Any, Any]:
    """RecBole's three loaders.

    Raises:
        UnusableDatasetError: the training part is empty.
        NothingHeldOutError: the validation or the test part is empty.
    """
    what = f"{config['dataset']}: {dataset.inter_num:,} interactions of {dataset.user_num - 1:,} users"
    try:
        parts = data_preparation(config, dataset)
    except ValueError as error:
        if "num_samples" in str(error):
            raise UnusableDatasetError(f"{what} leave the training part empty under {config['eval_args']}.") from error
        if "interacted with all items" in str(error):
            raise UnusableDatasetError(
                f"{what} on {dataset.item_num - 1:,} items: some user has all of them, so no negative can be drawn. "
                "Leave these users out, or keep more items."
            ) from error
        raise
    for name, part in zip(("training", "validation", "test"), parts, strict=True):
        if part is not None and len(part._dataset) == 0:
            kind = UnusableDatasetError if name == "training" else NothingHeldOutError
            raise kind(
                f"{what} leave the {name} part empty under {config['eval_args']}: "
                "with fewer than about three interactions a user nothing can be held out."
            )
    return parts
