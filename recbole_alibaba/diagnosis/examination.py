"""The examination: settings, checks before training, a short training, and what they say together."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbole_alibaba.diagnosis.causes.cause_ranking import merged
from recbole_alibaba.diagnosis.checks.data_checks import amounts, leaks, population
from recbole_alibaba.diagnosis.checks.evaluation_check import evaluation
from recbole_alibaba.diagnosis.checks.forward_check import forward
from recbole_alibaba.diagnosis.checks.gradient_checks import gradients, overfits
from recbole_alibaba.diagnosis.checks.graph_check import graph
from recbole_alibaba.diagnosis.checks.interactions import Interactions
from recbole_alibaba.diagnosis.checks.loss_checks import loss
from recbole_alibaba.diagnosis.checks.model_access import (
    first_batches,
    is_known,
    is_trained,
    needs_own_training,
    of_kind,
    undisturbed,
)
from recbole_alibaba.diagnosis.checks.negative_checks import negatives
from recbole_alibaba.diagnosis.checks.popularity_check import after_short_training
from recbole_alibaba.diagnosis.checks.signal_check import signal
from recbole_alibaba.diagnosis.cures.outcome import Examination
from recbole_alibaba.diagnosis.findings import Finding, Verdict, not_examined
from recbole_alibaba.diagnosis.load_failure import sizes_of_file, why_not_loaded
from recbole_alibaba.diagnosis.monitor.short_training import EPOCHS, train_briefly
from recbole_alibaba.diagnosis.progress import step as progress_step
from recbole_alibaba.diagnosis.settings_lint import lint
from recbole_alibaba.diagnosis.signs import find_signs
from recbole_alibaba.host.config import deep_update
from recbole_alibaba.host.errors import AtomicFileError, disk_fault

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

SECONDS = 20.0  # for the short training
MOST_BATCHES = 200
FEWEST_BATCHES = 10  # fewer steps do not move a healthy model of a large catalogue
# After one of these every further measure would be wrong for the same reason.
BREAKS_THE_REST = ("forward-not-finite", "forward-shape", "half-precision")
BATCH_ROWS = 256  # of the batch that is overfitted

Build = Callable[[Mapping[str, Any]], "Experiment"]


def examine(
    model: str | None = None,
    dataset: str | None = None,
    config_file_list: Sequence[str | Path] | None = None,
    config_dict: Mapping[str, Any] | None = None,
    *,
    epochs: int = EPOCHS,
    seconds: float = SECONDS,
) -> Examination:
    """Find out why a loss does not move: the doctor as a function. Nothing is printed.

    Settings and data are checked, then the model is trained for a few short epochs and its readings are judged.

    Args:
        model: name of a RecBole model or of this plugin's; AlibabaLightGCN if nothing names one.
        dataset: name of a folder under ``data_path`` that holds ``<dataset>.inter``.
        config_file_list: property files, the later over the earlier.
        config_dict: settings with their types, over the files.
        epochs: number of epochs of the short training.
        seconds: about how long the short training may take.

    Returns:
        ``findings`` (the worst first), ``causes`` (the likeliest first), ``verdicts`` (one for each measure),
        ``history`` (one record for each epoch) and ``ill`` (whether there is an error or a warning). What keeps the
        data set from being loaded is a finding, too.

    Raises:
        BadInput: an unknown model, setting or data set, or a file that cannot be read.
    """
    with quiet_host():
        build, settings = builder(model, dataset, config_file_list, config_dict)
        return consult(build, {}, settings, epochs=epochs, seconds=seconds)


def builder(
    model: str | None,
    dataset: str | None,
    config_file_list: Sequence[str | Path] | None,
    config_dict: Mapping[str, Any] | None,
) -> tuple[Build, dict[str, Any]]:
    """A function from changed settings to an ``Experiment``, and the settings without a change.

    Raises:
        BadInput: see ``examine``.
    """
    from recbole_alibaba import experiment  # it imports this module

    experiment.guards.check_words(model, dataset, config_file_list, config_dict)

    def config(changes: Mapping[str, Any]) -> Any:
        asked = deep_update(dict(config_dict or {}), changes)
        return experiment.build_config(model, dataset, config_file_list, asked, checked=False)

    return lambda changes: experiment.prepare(config(changes)), dict(config({}).final_config_dict)


@contextmanager
def quiet_host() -> Iterator[None]:
    """Keep RecBole's log lines and warnings off the console: the findings say it better."""
    root, silent = logging.getLogger(), logging.NullHandler()
    root.addHandler(silent)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="recbole")
            yield
    finally:
        root.removeHandler(silent)


def examine_experiment(
    experiment: Experiment, *, batches_an_epoch: int | None = None, epochs: int = EPOCHS, seconds: float = SECONDS
) -> Examination:
    """Examine what is built already. The model is left trained.

    Args:
        experiment: what ``prepare`` built.
        batches_an_epoch: length of the epochs, if two examinations are to be compared. By default the epochs are as
            long as ``seconds`` allow.
        epochs: number of epochs of the short training.
        seconds: about how long the short training may take.
    """
    started = time.perf_counter()
    progress_step("checking the data")
    data = Interactions.of(experiment)
    settings = experiment.settings | data.sizes()
    findings = lint(settings, data.sizes())
    with undisturbed(experiment):
        verdicts, step = before_training(experiment, data)
    found_before = {verdict.finding.id for verdict in verdicts if verdict.finding}
    settings |= {"unknown": data.unknown, "found": found_before, "another_model": not is_known(experiment.model)}
    findings += [verdict.finding for verdict in verdicts if verdict.finding]
    history: list[dict[str, Any]] = []
    batches = batches_an_epoch or 0
    if is_trained(experiment.model):
        batches = batches or int(min(MOST_BATCHES, max(FEWEST_BATCHES, seconds / (step * epochs))))
        measured = [verdict.id for verdict in verdicts if not verdict.skipped]
        try:
            history = train_briefly(experiment, batches, epochs=epochs, ranking="loss-differs" in measured)
        except Exception as error:  # of any model, its trainer or its evaluation
            values = {"error": str(error) or type(error).__name__}
            findings.append(Finding("training-fails", "error", 0, 0, values, causes=("training-fails",)))
        findings += find_signs(history, settings)
        ask = (experiment, history, settings, findings)
        stands = guarded("evaluation", "popularity-wins", after_short_training, *ask)
        findings += [verdict.finding for verdict in stands if verdict.finding]
        verdicts += stands
    found = merged(findings)
    writer: Any = getattr(experiment.trainer, "tensorboard", None)
    for finding in found if writer is not None else ():
        writer.add_text(f"Doctor/{finding.id}", f"{finding.message} {finding.remedy}")
    return Examination(settings, found, verdicts, history, batches, time.perf_counter() - started)


def before_training(experiment: Experiment, data: Interactions) -> tuple[list[Verdict], float]:
    """All checks, and the seconds that one training step takes."""
    verdicts = of_data(data, experiment)
    verdicts += guarded("population", "no-signal", signal, data)
    if not is_trained(experiment.model):
        return [*verdicts, not_examined("gradients", "cannot-overfit", "no-training")], 1.0
    verdicts += guarded("negatives", "sampler-hits-positives", negatives, experiment, data)
    verdicts += guarded("forward", "constant-scores", forward, experiment)
    if any(verdict.finding and verdict.finding.id in BREAKS_THE_REST for verdict in verdicts):
        return of_kind(verdicts, experiment.model), 1.0
    verdicts += guarded("graph", "graph-empty", graph, experiment, data)
    step = 1e-3
    if needs_own_training(experiment.model):
        verdicts += [not_examined("loss", "loss-differs", "own-training")]
        verdicts += [not_examined("gradients", "no-gradient", "own-training")]
    else:
        batch = first_batches(experiment, 1)[0]
        verdicts += guarded("loss", "loss-differs", loss, experiment, batch)
        timed = time.perf_counter()
        verdicts += guarded("gradients", "no-gradient", gradients, experiment, batch)
        step = time.perf_counter() - timed
        verdicts += guarded("gradients", "cannot-overfit", overfits, experiment, batch[:BATCH_ROWS])
    verdicts += guarded("evaluation", "evaluation-broken", evaluation, experiment)
    return of_kind(verdicts, experiment.model), max(step, 1e-3)


def of_data(data: Interactions, experiment: Experiment) -> list[Verdict]:
    """The cheap checks of the data."""
    verdicts = guarded("interactions", "thin-data", amounts, data)
    verdicts += guarded("population", "few-users", population, data)
    return verdicts + guarded("population", "repeats-leak", leaks, data, experiment.settings)


def guarded(check: str, measure: str, look: Callable[..., list[Verdict]], *arguments: Any) -> list[Verdict]:
    """The check's verdicts. If the check itself fails, one verdict that says so: a check never ends a run."""
    progress_step(f"checking: {check}")
    try:
        return look(*arguments)
    except Exception as error:  # of any model, data set or loader
        return [not_examined(check, measure, "check-stopped", f"{type(error).__name__}: {error}")]


def preflight(experiment: Experiment) -> list[Finding]:
    """The cheap checks before every training: about a second on 100,000 interactions. The experiment is not changed.

    A check that fails itself is one line in the log.

    Returns:
        Warnings and errors, the worst first. Advice is left out.
    """
    try:
        data = Interactions.of(experiment)
        findings = lint(experiment.settings | data.sizes(), data.sizes())
        with undisturbed(experiment):
            verdicts = of_data(data, experiment)
            if is_trained(experiment.model):
                verdicts += guarded("negatives", "sampler-hits-positives", negatives, experiment, data, 1)
                verdicts += guarded("forward", "constant-scores", forward, experiment)
                if not needs_own_training(experiment.model):
                    verdicts += guarded("gradients", "no-gradient", on_first_batch, experiment)
            verdicts = of_kind(verdicts, experiment.model)
    except Exception as error:  # of a data set or a loader of another kind
        findings, verdicts = [], [not_examined("interactions", "thin-data", "check-stopped", f"{error!r}")]
    for verdict in verdicts:
        if verdict.skipped == "check-stopped":
            logging.getLogger().info(verdict.say())
    findings += [verdict.finding for verdict in verdicts if verdict.finding]
    return [finding for finding in merged(findings) if finding.severity != "advice"]


def on_first_batch(experiment: Experiment) -> list[Verdict]:
    """The check of gradients on a batch of the experiment's own loader."""
    return gradients(experiment, first_batches(experiment, 1)[0])


def consult(build: Build, changes: Mapping[str, Any], settings: Mapping[str, Any], **how: Any) -> Examination:
    """Build an experiment with ``changes`` and examine it. What keeps it from being built is a finding, too.

    Args:
        build: builds an experiment from changed settings.
        changes: the changed settings.
        settings: the settings without a change, for the findings of an experiment that cannot be built.
        how: keyword arguments of ``examine_experiment``.
    """
    started = time.perf_counter()
    progress_step("loading the data")
    try:
        experiment = build(changes)
    except AtomicFileError:
        raise  # its sentence names the line; a finding would hide it
    except (ValueError, LookupError, OSError, ArithmeticError) as error:
        if disk_fault(error):
            raise
        known = {**settings, **changes}
        sizes = sizes_of_file(known)
        known |= sizes
        findings = lint(known, sizes)
        explained = any(found.severity == "error" for found in findings)
        reasons = why_not_loaded(known, error)
        findings += [found for found in reasons if found.id != "cannot-start" or not explained]
        return Examination(known, merged(findings), seconds=time.perf_counter() - started)
    examined = examine_experiment(experiment, **how)
    examined.seconds = time.perf_counter() - started
    return examined
