"""A whole run: checks, training, test, popularity beside it, and the run's folder."""

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from logging import getLogger
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any, TypeVar

from recbole.config import Config

from recbole_alibaba.console import logs
from recbole_alibaba.console.epoch_lines import one_line_an_epoch
from recbole_alibaba.console.interruption import says_what_is_kept
from recbole_alibaba.console.next_steps import next_steps
from recbole_alibaba.console.result_table import result_table
from recbole_alibaba.diagnosis.checks.popularity_check import beside_popularity, standing
from recbole_alibaba.diagnosis.examination import preflight
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.signs.popularity_sign import popularity_wins
from recbole_alibaba.evaluation.full_sort import load_weights
from recbole_alibaba.experiment import Experiment, build_config, prepare
from recbole_alibaba.host.registry import packages_of
from recbole_alibaba.processes import group
from recbole_alibaba.saved.earlier_run import EarlierRun, earlier_run
from recbole_alibaba.saved.run_folder import new_run_folder
from recbole_alibaba.saved.run_record import run_record
from recbole_alibaba.saved.write_run import write_run
from recbole_alibaba.trainer.continued import fit, same_curves
from recbole_alibaba.trainer.cost_estimate import announce
from recbole_alibaba.trainer.freed_memory import keep_freed_memory
from recbole_alibaba.trainer.host_trainers import watch
from recbole_alibaba.trainer.zero_metrics import stop_at_zero, unknown_share

T = TypeVar("T")


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
    if group.rank():
        return _follow(config, saved)
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
    config, trainer = made.config, made.trainer
    started = datetime.now().astimezone(), perf_counter()
    group.as_the_first(made.model)
    with group.alone():
        findings = _look_before(made)
    folder = earlier.folder if earlier else None
    if saved and folder is None:
        folder = new_run_folder(config["checkpoint_dir"], config["model"], config["dataset"], asked)
    with says_what_is_kept(trainer, folder is not None):
        with one_line_an_epoch(trainer, bool(made.valid_data)):
            best_score, best_result = fit(made, folder, earlier, asked)
        part, data = ("test", made.test_data) if made.test_data else ("valid", made.valid_data)
        with group.alone():
            popularity = _aside(beside_popularity, made, data)
        best_weights, progress = folder is not None, config["show_progress"]
        test_result = trainer.evaluate(made.test_data, load_best_model=best_weights, show_progress=progress)
    with group.alone():
        findings += _look_after(made, part, test_result or best_result or {}, popularity)
    columns = {"best valid": best_result, "test": test_result}
    columns |= {f"popularity on {part}": popularity[0]} if popularity else {}
    table = result_table(columns, config["metric_decimal_place"] or 4)
    logs.result(f"{config['model']} on {config['dataset']}\n{table}")
    result = {
        "best_valid_score": best_score,
        "valid_score_bigger": config["valid_metric_bigger"],
        "best_valid_result": _plain(best_result),
        "test_result": _plain(test_result),
        "popularity_result": popularity[0] if popularity else None,
        "history": getattr(trainer, "history", []),
        "model_file": str(trainer.saved_model_file) if folder else None,
        "run": str(folder) if folder else None,
        "dataset": config["dataset"],
        "model": config["model"],
    }
    if folder is not None:
        _finish(made, folder, result, started, findings)
    return result


def _follow(config: Config, saved: bool) -> dict[str, Any]:
    """The same training and test in any process but the first: it writes, says and returns nothing."""
    logging.disable(logging.CRITICAL)
    config["show_progress"], config["log_wandb"] = False, False
    host: Any = importlib.import_module("recbole.trainer.trainer")
    host.get_tensorboard = lambda logger: SimpleNamespace(**dict.fromkeys(("add_scalar", "add_text"), _nothing))
    made = prepare(config)
    made.trainer._add_hparam_to_tensorboard = _nothing
    group.as_the_first(made.model)
    made.trainer.fit(made.train_data, made.valid_data, saved=False)
    made.trainer.evaluate(made.test_data, load_best_model=saved)
    return {}


def _nothing(*_: Any, **__: Any) -> None:
    pass


def _look_before(made: Experiment) -> list[Finding]:
    """What the checks find, each warned of; the watcher and the estimate of the cost are set to work."""
    config, trainer = made.config, made.trainer
    findings = list(preflight(made)) if config["preflight"] is not False else []
    for finding in findings:
        getLogger().warning(f"{finding.id}: {finding.message} {finding.remedy}")
    if hasattr(made.model, "graph"):
        keep_freed_memory()
        announce(made.model, made.train_data, config, getLogger())
    if config["watch"] is not False:
        watch(made)
        if hasattr(trainer, "epoch_warnings"):
            found = {finding.id for finding in findings}
            trainer.epoch_warnings.measured |= {"unknown": unknown_share(made), "found": found}
        stop_at_zero(made)
    return findings


def _look_after(
    made: Experiment, part: str, result: Mapping[str, float], popularity: tuple[Any, ...] | None
) -> list[Finding]:
    """What the epochs showed, and whether popularity is better than the result."""
    findings: list[Finding] = []
    if hasattr(made.trainer, "epoch_warnings"):
        made.trainer.epoch_warnings.summary()
        findings += made.trainer.epoch_warnings.findings
    if popularity is not None:
        stood = _aside(standing, made, part, result, *popularity)
        beaten = popularity_wins(stood, getattr(made.trainer, "history", []), made.settings) if stood else None
        if beaten is not None:
            getLogger().warning(f"{beaten.id}: {beaten.message} {beaten.remedy}")
            findings.append(beaten)
    return findings


def _finish(
    made: Experiment,
    folder: Path,
    result: Mapping[str, Any],
    started: tuple[datetime, float],
    findings: Sequence[Finding],
) -> None:
    """Write the run's folder, and say what can be done with it. started: the date, and `perf_counter` then."""
    if not made.test_data:  # then the evaluation has not loaded the best weights
        load_weights(made.trainer, made.trainer.saved_model_file)
    record = run_record(made, result, started[0], perf_counter() - started[1], findings)
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


def _plain(result: Mapping[str, Any] | None) -> dict[str, float] | None:
    return None if result is None else {metric: float(value) for metric, value in result.items()}
