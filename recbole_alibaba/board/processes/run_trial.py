"""One trial in its own process: trained from its last state, validated, and with purpose `final` tested once."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from recbole_alibaba.board.measures.measured import measured
from recbole_alibaba.board.plan import Plan
from recbole_alibaba.board.processes.content import content_fingerprint
from recbole_alibaba.board.processes.fixed_settings import with_fixed
from recbole_alibaba.board.processes.limits import over_memory
from recbole_alibaba.board.processes.recorded import epoch_shown, measures, scores
from recbole_alibaba.board.processes.runner import Outcome, Report
from recbole_alibaba.board.processes.survey import about
from recbole_alibaba.board.processes.timed_epochs import TimedEpochs, TimeUsed
from recbole_alibaba.board.trial import Surveyed, Trial
from recbole_alibaba.console import logs
from recbole_alibaba.diagnosis.checks.model_access import is_trained
from recbole_alibaba.evaluation.full_sort import load_weights
from recbole_alibaba.experiment import Experiment, build_config, prepare
from recbole_alibaba.host.errors import BadInput, CannotResumeError
from recbole_alibaba.host.registry import packages_of
from recbole_alibaba.saved.earlier_run import EarlierRun
from recbole_alibaba.saved.json_values import in_json
from recbole_alibaba.saved.run_folder import held
from recbole_alibaba.saved.run_record import best_epoch
from recbole_alibaba.saved.state_file import NAME, read_state
from recbole_alibaba.trainer.continued import fit, same_curves
from recbole_alibaba.trainer.freed_memory import keep_freed_memory
from recbole_alibaba.trainer.host_trainers import watch
from recbole_alibaba.trainer.zero_metrics import stop_at_zero

STATES = 0.02
"""Share of a trial's time that its states take at most. What a killed trial repeats gives the same numbers."""
ALLOCATION = ("can't allocate memory", "out of memory", "Unable to allocate")


def run_trial(
    plan: Plan, trial: Trial, surveyed: Surveyed, folder: Path, report: Report, started: float | None = None
) -> Outcome:
    """Train and measure; whatever goes wrong is an outcome, too. The working folder is `folder` meanwhile.

    Args:
        folder: of this trial alone: its state, checkpoint and log.
        report: called after each epoch.
        started: when the trial was asked for (`time.time()`); the seconds until now are its `wait`.
    """
    began = time.time()
    settings = with_fixed(plan, trial.settings, trial.seed)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(plan.threads)
    with _inside(folder), threadpool_limits(plan.threads), held(Path()):
        try:
            outcome = _outcome(plan, trial, surveyed, settings, report)
        except BadInput as error:
            outcome = Outcome({"state": "refused", "reason": _sentence(error)})
        except MemoryError as error:
            outcome = Outcome({"state": "memory", "reason": f"An allocation failed: {_sentence(error)}"})
        except Exception as error:  # of any model
            memory = isinstance(error, RuntimeError) and any(words in str(error) for words in ALLOCATION)
            traceback.print_exc()  # to the trial's log
            what = "An allocation failed" if memory else type(error).__name__
            outcome = Outcome({"state": "memory" if memory else "failed", "reason": f"{what}: {_sentence(error)}"})
    peak = _peak()
    too_much = over_memory(peak * 1e6, plan.limits)  # a short trial ends before anyone looks at it from outside
    if too_much and outcome.fields["state"] == "done":
        outcome = Outcome({"state": "memory", "reason": too_much})
    wait = max(began - (started or began), 0.0)
    seconds = {"wait": wait, **outcome.fields.get("seconds", {}), "total": wait + time.time() - began}
    fields = {**outcome.fields, "seconds": seconds, "peak_memory_mb": peak, **about(plan)}
    return Outcome(fields, outcome.scores)


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """`contextlib.chdir`, which Python 3.10 lacks."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)


def _outcome(plan: Plan, trial: Trial, surveyed: Surveyed, settings: Mapping[str, Any], report: Report) -> Outcome:
    clock = time.perf_counter()
    config = build_config(trial.model, trial.dataset, config_dict=settings)
    asked = dict(config.final_config_dict)
    logs.start(config)
    earlier = EarlierRun(Path(), _state(config["device"]))
    with same_curves(earlier), packages_of(trial.model):
        made = prepare(config, split_seed=plan.seeds[0])
        if content_fingerprint(made) != surveyed.fingerprint:
            raise BadInput("It prepares other pairs than the other models of the board get, so it cannot be compared.")
        if trial.purpose == "search":
            made.test_data = None
        if hasattr(made.model, "graph"):
            keep_freed_memory()
        watch(made)
        stop_at_zero(made)
        timed = TimedEpochs(made, trial.train_seconds, report, earlier.state)
        prepared = time.perf_counter() - clock - made.model_seconds
        with contextlib.suppress(TimeUsed):
            # A model that is computed at once has no best epoch to come back to: EASE's would be a file of gigabytes.
            fit(made, Path() if is_trained(made.model) else None, earlier, asked, STATES)
        trainer = made.trainer
        if Path(trainer.saved_model_file).is_file():
            load_weights(trainer, trainer.saved_model_file)
        fields = {"state": "done", "reason": timed.stopped, **_fields(made, timed)}
        fields["seconds"] = {"prepare": prepared, "train": timed.train, "validate": timed.validate, "rank": 0.0}
        if trial.purpose == "search":
            return Outcome(fields)
        return _tested(made, plan, fields)


def _fields(made: Experiment, timed: TimedEpochs) -> dict[str, Any]:
    trainer, config = made.trainer, made.config
    history, metric = getattr(trainer, "history", []), str(config["valid_metric"]).lower()
    valid, score = trainer.best_valid_result, trainer.best_valid_score
    return {
        "best_epoch": best_epoch(history, metric, bool(config["valid_metric_bigger"])),
        "valid": in_json(valid) if valid else None,
        "valid_score": in_json(score) if valid else None,
        "history": [epoch_shown(epoch, made.model, metric) for epoch in history],
        "parameters": sum(weight.numel() for weight in made.model.parameters()),
    }


def _tested(made: Experiment, plan: Plan, fields: dict[str, Any]) -> Outcome:
    """Read the test, once; the outcome of a final."""
    read = datetime.now().astimezone().isoformat(timespec="seconds")
    found = measured(made, plan.topk, plan.k, plan.competition)
    fields["seconds"]["rank"] = found.rank_seconds
    return Outcome(fields | {"test_read": read, **measures(found)}, scores(found))


def _state(device: Any) -> dict[str, Any] | None:
    """The state that an earlier process left; a damaged one is thrown away."""
    try:
        return read_state(Path(), device)
    except CannotResumeError:
        Path(NAME).unlink(missing_ok=True)
        return None


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:500] or "no message"


def _peak() -> float:
    """Megabytes of this process at most."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
