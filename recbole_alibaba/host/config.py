"""How layers of settings are combined: our property files, dictionaries merged deeply, no reading of argv.

The order is RecBole's: overall < model < sample < data set < quick start < files < dictionary < command line. For this
plugin's models, `properties/overall.yaml` and `properties/model/<model>.yaml` follow RecBole's files of these names;
RecBole's models keep RecBole's settings. `<data_path>/<dataset>/<dataset>.yaml` counts for all models.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recbole.config import Config

from recbole_alibaba.host import registry
from recbole_alibaba.settings.combinations import Host, check_combination
from recbole_alibaba.settings.merge import deep_update
from recbole_alibaba.settings.property_files import properties_folder, read_mapping


class Parsed(dict[str, Any]):
    """Settings whose values have their types already; RecBole must not `eval` their strings."""


def install() -> None:
    """Replace the four methods of RecBole's Config that read and merge. Idempotent.

    There is no subclass, because checkpoints pickle their Config and must load without this plugin.
    """
    if hasattr(Config, "_recbole_load_internal_config_dict"):
        return
    Config._recbole_load_internal_config_dict = Config._load_internal_config_dict
    Config._recbole_load_variable_config_dict = Config._load_variable_config_dict
    Config._load_internal_config_dict = _load_internal
    Config._load_variable_config_dict = _load_variable
    Config._load_config_files = _load_files
    Config._update_internal_config_dict = _update_internal
    Config._merge_external_config_dict = _merge_external
    Config._get_final_config_dict = _get_final


def _load_files(config: Config, files: Sequence[str] | None) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for file in files or ():
        deep_update(merged, read_mapping(file))
    return merged


def _load_variable(config: Config, settings: dict[str, Any] | None) -> dict[str, Any]:
    if isinstance(settings, Parsed):
        return settings
    return config._recbole_load_variable_config_dict(settings)


def _update_internal(config: Config, file: str) -> dict[str, Any]:
    """RecBole's reading of one internal file, then our files that follow it."""
    settings = read_mapping(file)
    deep_update(config.internal_config_dict, settings)
    for ours in getattr(config, "_files_after", {}).get(Path(file).resolve(), ()):
        deep_update(config.internal_config_dict, read_mapping(ours))
    return settings


def _load_internal(config: Config, model: str, model_class: type, dataset: str) -> None:
    root = Path(sys.modules[Config.__module__].__file__ or "").resolve().parent.parent / "properties"
    host_dataset = root / "dataset" / f"{dataset}.yaml"
    after_dataset = host_dataset if host_dataset.is_file() else root / "dataset" / "sample.yaml"
    external = config.external_config_dict
    config._files_after = {
        root / "overall.yaml": _model_files(model),
        after_dataset: dataset_files(external.get("data_path", "dataset/"), dataset),
    }
    try:
        config._recbole_load_internal_config_dict(model, model_class, dataset)
    finally:
        del config._files_after


def _model_files(model: str) -> list[Path]:
    if not registry.is_ours(model):
        return []
    return [properties_folder() / "overall.yaml", properties_folder() / "model" / f"{model}.yaml"]


def dataset_files(data_path: str, dataset: str) -> list[Path]:
    """The data set's own property file, if it has one."""
    file = Path(data_path) / dataset / f"{dataset}.yaml"
    return [file] if file.is_file() else []


def _merge_external(config: Config) -> None:
    config.external_config_dict = {}
    for layer in (config.file_config_dict, config.variable_config_dict, config.cmd_config_dict):
        deep_update(config.external_config_dict, layer)


def _get_final(config: Config) -> dict[str, Any]:
    final = deep_update(dict(config.internal_config_dict), config.external_config_dict)
    if isinstance(config.variable_config_dict, Parsed):
        check_combination(final, _host(config))
    return final


def _host(config: Config) -> Host:
    from recbole.data.dataloader import UserDataLoader
    from recbole.data.utils import get_dataloader
    from recbole.evaluator.register import metric_types, metrics_dict
    from recbole.utils import EvaluatorType, InputType, ModelType

    input_type = getattr(config.model_class, "input_type", None)
    kind = {"model": config.model, "MODEL_TYPE": config.internal_config_dict["MODEL_TYPE"]}
    if get_dataloader(kind, "train") is UserDataLoader:  # MacridVAE, RaCT and RecVAE take users, whatever they declare
        input_type = InputType.POINTWISE
    ranking, values = (
        {name: metrics_dict[name].__name__ for name, found in metric_types.items() if found == kind}
        for kind in (EvaluatorType.RANKING, EvaluatorType.VALUE)
    )
    return Host(
        model=config.model,
        sequential=config.internal_config_dict["MODEL_TYPE"] == ModelType.SEQUENTIAL,
        pairwise=None if input_type is None else input_type == InputType.PAIRWISE,
        ranking=ranking,
        values=values,
    )


@contextmanager
def without_argv() -> Iterator[None]:
    """Empty `sys.argv` for RecBole's Config, which reads it."""
    argv = sys.argv
    sys.argv = argv[:1]
    try:
        yield
    finally:
        sys.argv = argv
