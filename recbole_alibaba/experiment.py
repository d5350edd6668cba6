"""One experiment: settings -> data -> model -> trainer -> result. Only this file connects RecBole's parts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from logging import getLogger
from pathlib import Path
from typing import Any, TypeVar

import torch
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.transform import construct_transform
from recbole.utils import get_flops, get_trainer, init_seed

from recbole_alibaba.data.loaders import prepare_loaders
from recbole_alibaba.diagnosis.checks.popularity_check import beside_popularity, standing
from recbole_alibaba.diagnosis.examination import preflight
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import settings_of
from recbole_alibaba.diagnosis.signs.popularity_sign import popularity_wins
from recbole_alibaba.evaluation.full_sort import install_fast_evaluation, load_weights
from recbole_alibaba.evaluation.result_table import result_table
from recbole_alibaba.host import config as host_config
from recbole_alibaba.host import guards, logs, settings
from recbole_alibaba.host.errors import BadSettingError
from recbole_alibaba.host.explicit_negatives import warn_of_negatives
from recbole_alibaba.host.properties import read_mapping
from recbole_alibaba.host.registry import find_model, is_ours, packages_of
from recbole_alibaba.saved.earlier_run import EarlierRun, earlier_run
from recbole_alibaba.saved.next_steps import next_steps
from recbole_alibaba.saved.run_folder import new_run_folder
from recbole_alibaba.saved.run_record import run_record
from recbole_alibaba.saved.write_run import write_run
from recbole_alibaba.trainer.continued import fit, same_curves
from recbole_alibaba.trainer.cost_estimate import announce
from recbole_alibaba.trainer.epoch_lines import one_line_an_epoch
from recbole_alibaba.trainer.freed_memory import keep_freed_memory
from recbole_alibaba.trainer.host_trainers import watch
from recbole_alibaba.trainer.interruption import says_what_is_kept
from recbole_alibaba.trainer.zero_metrics import stop_at_zero, unknown_share

DEFAULT_MODEL = "AlibabaLightGCN"
T = TypeVar("T")


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
        settings.check_layer(read_mapping(file), model_class, file)
    settings.check_layer(config_dict or {}, model_class)
    data_path = str(named.get("data_path", "dataset/"))
    dataset = guards.find_dataset(dataset, data_path)
    for path in host_config.dataset_files(data_path, dataset):
        settings.check_layer(read_mapping(path), model_class, str(path), for_every_model=True)
    with host_config.without_argv():
        config = Config(model, dataset, files, host_config.Parsed(config_dict or {}))
    if checked:
        guards.check_settings(config)
    return config


def prepare(config: Config) -> Experiment:
    """Load and split the data, build the model and its trainer, in the order of RecBole and with its seeds.

    Raises:
        UnusableDatasetError: the data set or its training, validation or test part is empty.
        BadSettingError: a setting does not fit the data or another setting.
        UnknownModelError: the model needs a package that is not installed.
    """
    with packages_of(config["model"]):
        return _prepared(config)


def _prepared(config: Config) -> Experiment:
    init_seed(config["seed"], config["reproducibility"])
    model_class = find_model(config["model"])
    dataset = guards.loaded(create_dataset, config)
    warn_of_negatives(config, dataset, model_class)
    getLogger().info(dataset)
    train_data, valid_data, test_data = guards.split(prepare_loaders, config, dataset)
    init_seed(config["seed"] + config["local_rank"], config["reproducibility"])
    # Importing any of RecBole's sequential models turns this slow check on for the whole process (its sine.py).
    torch.autograd.set_detect_anomaly(False)
    model = model_class(config, train_data._dataset).to(config["device"])
    getLogger().info(model)
    _refuse_more_clusters_than_points(config, model)
    if not is_ours(config["model"]):  # this plugin's draw nothing when they predict
        _count_flops(config, model, dataset)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    guards.name_loss_that_is_not_finite(trainer, config)
    install_fast_evaluation(trainer)
    return Experiment(config, dataset, train_data, valid_data, test_data, model, trainer)


def run(
    model: str | None = None,
    dataset: str | None = None,
    config_file_list: Sequence[str | Path] | None = None,
    config_dict: Mapping[str, Any] | None = None,
    saved: bool = True,
    resume: bool | str | Path = False,
) -> dict[str, Any]:
    """Train and test one model. Arguments and results are those of RecBole's `run_recbole`, and some more.

    Args:
        model, dataset, config_file_list, config_dict: see `build_config`.
        saved: whether to keep the best weights in `checkpoint_dir` and test with them; `resume` implies it.
        resume: the folder of a run that goes on from its last finished epoch, or True for the latest run of this model
            and data set in `checkpoint_dir`. On the same machine the result is that of a run that never stopped, to the
            bit. Data and settings must be those of the run, but `epochs` and `stopping_step` may grow.

    Returns:
        `best_valid_score`, `valid_score_bigger`, `best_valid_result` and `test_result` as in RecBole;
        `popularity_result` (the same metrics of a ranking by training counts, on validation where there is no test
        part; None for Pop and where it does not apply); `history` (one dictionary for each epoch; RecBole's models
        have none with `watch: False`), `model_file`, `run` (the folder of the run), `dataset`, `model`.

    Raises:
        BadInput: see `build_config` and `prepare`; with `resume`: no such run, or another one.
        Interrupted: Ctrl-C during the training; the message says how to go on.
        NothingLearnedError: every metric of the first validations is zero.
        NotFiniteLossError: a loss part or the gradient became NaN or infinite.
    """
    config = build_config(model, dataset, config_file_list, config_dict)
    asked = dict(config.final_config_dict)  # RecBole's sequential models add to it while they are built
    with earlier_run(config, resume) as earlier:
        logs.start(config)
        try:
            with same_curves(earlier):
                made = prepare(config)
            with packages_of(config["model"]):
                return _train_and_test(made, saved, earlier, asked)
        finally:
            logs.stop()


def _train_and_test(made: Experiment, saved: bool, earlier: EarlierRun | None, asked: dict[str, Any]) -> dict[str, Any]:
    config, trainer, logger = made.config, made.trainer, getLogger()
    started = datetime.now().astimezone()
    findings = list(preflight(made)) if config["preflight"] is not False else []
    for finding in findings:
        logger.warning(f"{finding.id}: {finding.message} {finding.remedy}")
    if hasattr(made.model, "graph"):
        keep_freed_memory()
        announce(made.model, made.train_data, config, logger)
    if config["watch"] is not False:
        watch(made)
        if hasattr(trainer, "epoch_warnings"):
            found = {finding.id for finding in findings}
            trainer.epoch_warnings.measured |= {"unknown": unknown_share(made), "found": found}
        stop_at_zero(made)
    folder = earlier.folder if earlier else None
    if saved and folder is None:
        folder = new_run_folder(config["checkpoint_dir"], config["model"], config["dataset"], asked)
    saved = folder is not None
    with says_what_is_kept(trainer, saved):
        with one_line_an_epoch(trainer, bool(made.valid_data)):
            best_score, best_result = fit(made, folder, earlier, asked)
        part, data = ("test", made.test_data) if made.test_data else ("valid", made.valid_data)
        popularity = _aside(beside_popularity, made, data)
        test_result = trainer.evaluate(made.test_data, load_best_model=saved, show_progress=config["show_progress"])
    if hasattr(trainer, "epoch_warnings"):
        trainer.epoch_warnings.summary()
        findings += trainer.epoch_warnings.findings
    columns = {"best valid": best_result, "test": test_result}
    if popularity is not None:
        columns[f"popularity on {part}"] = popularity[0]
        stood = _aside(standing, made, part, test_result or best_result or {}, *popularity)
        beaten = popularity_wins(stood, getattr(trainer, "history", []), made.settings) if stood else None
        if beaten is not None:
            logger.warning(f"{beaten.id}: {beaten.message} {beaten.remedy}")
            findings.append(beaten)
    table = result_table(columns, config["metric_decimal_place"] or 4)
    logs.result(f"{config['model']} on {config['dataset']}\n{table}")
    result = {
        "best_valid_score": best_score,
        "valid_score_bigger": config["valid_metric_bigger"],
        "best_valid_result": _plain(best_result),
        "test_result": _plain(test_result),
        "popularity_result": popularity[0] if popularity else None,
        "history": getattr(trainer, "history", []),
        "model_file": str(trainer.saved_model_file) if saved else None,
        "run": str(folder) if folder else None,
        "dataset": config["dataset"],
        "model": config["model"],
    }
    if folder is not None:
        _finish(made, folder, result, started, findings)
    return result


def _finish(
    made: Experiment, folder: Path, result: Mapping[str, Any], started: datetime, findings: Sequence[Finding]
) -> None:
    """Write the run's folder, and say what can be done with it."""
    if not made.test_data:  # then the evaluation has not loaded the best weights
        load_weights(made.trainer, made.trainer.saved_model_file)
    record = run_record(made, result, started, findings)
    has_tables = write_run(folder, made, record)
    for line in next_steps(str(folder), result["model_file"], has_tables, record["kind"], made.config["epochs"]):
        getLogger().info(line)


def _aside(look: Callable[..., T], *arguments: Any) -> T | None:
    """What a look beside the training returns; None, with one line in the log, where it fails itself."""
    try:
        return look(*arguments)
    except Exception as error:  # of any model, data set or trainer
        getLogger().info(f"{look.__name__} was left out: {type(error).__name__}: {error}")
        return None


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


def _plain(result: Mapping[str, Any] | None) -> dict[str, float] | None:
    return None if result is None else {metric: float(value) for metric, value in result.items()}
