"""Which run does `--resume` mean, and may it go on with today's data and settings?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from recbole_alibaba.host.cache import KEY
from recbole_alibaba.host.errors import CannotResumeError
from recbole_alibaba.saved.run_folder import RECORD, held, latest_run, plain
from recbole_alibaba.saved.state_file import read_state
from recbole_alibaba.saved.training_state import machine

NOT_COUNTED = frozenset(
    {
        *("checkpoint_dir", "data_path", "dataset_save_path", "save_dataset"),  # the data count by their fingerprint
        *("device", "gpu_id", "use_gpu"),  # see `other_machine`
        *("epochs", "eval_step", "stopping_step"),  # see `_other_training`
        *("log_wandb", "wandb_project", "loss_decimal_place", "preflight", "show_progress", "state", "state_step"),
    }
)
"""Settings that may differ from those of the earlier run."""
OUT = "Take that back, or start a new run without --resume."


@dataclass
class EarlierRun:
    """A run to go on with; its `state` is None if no epoch was finished."""

    folder: Path
    state: dict[str, Any] | None


@contextmanager
def earlier_run(config: Any, resume: str | Path | bool) -> Iterator[EarlierRun | None]:
    """The run to go on with, held while the block runs; None without `resume`.

    Args:
        config: RecBole's Config of this run.
        resume: a run's folder, or its name inside `checkpoint_dir`; True for the latest run of this model and data set.

    Raises:
        CannotResumeError: see there.
    """
    if resume is False:
        yield None
        return
    folder = _find(config, resume)
    with held(folder):
        state = read_state(folder, config["device"])
        _refuse(folder, config, state)
        yield EarlierRun(folder, state)


def _find(config: Any, resume: str | Path | Literal[True]) -> Path:
    parent, model, dataset = config["checkpoint_dir"], config["model"], config["dataset"]
    if resume is True:
        folder = latest_run(parent, model, dataset)
        if folder is None:
            raise CannotResumeError(f"{parent} has no run of {model} on {dataset}. Start one without --resume.")
        return folder
    named = [place for place in (Path(resume), Path(parent) / resume) if (place / "config.yaml").is_file()]
    if not named:
        raise CannotResumeError(
            f"{resume} is no folder of a run: it has no config.yaml. Name one in {parent}, or write --resume alone for "
            "the latest."
        )
    return named[0]


def _refuse(folder: Path, config: Any, state: Mapping[str, Any] | None) -> None:
    now = plain(config.final_config_dict)
    try:
        before = dict(yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise CannotResumeError(f"{folder}/config.yaml is missing or damaged. Start a new run.") from error
    if before.get("dataset") == now["dataset"] and before.get(KEY) != now[KEY]:
        raise CannotResumeError(
            f"{folder}: the data set has changed ({KEY} was {before.get(KEY)} and is {now[KEY]}). {OUT}"
        )
    counted = sorted((before.keys() | now.keys()) - NOT_COUNTED)
    changed = [key for key in counted if before.get(key) != now.get(key)]
    if changed:
        named = ", ".join(f"{key} was {before.get(key)} and is {now.get(key)}" for key in changed)
        raise CannotResumeError(f"{folder}: this run cannot go on, because {named}. {OUT}")
    if state is None:
        if (folder / RECORD).is_file():
            raise CannotResumeError(
                f"{folder}: this run was trained without states, so it cannot go on. Start a new one."
            )
        return
    for sentence in _other_training(before, now, state["epoch"] + 1):
        raise CannotResumeError(f"{folder}: {sentence} {OUT}")


def _other_training(before: Mapping[str, Any], now: Mapping[str, Any], finished: int) -> Iterator[str]:
    """Why these settings would have trained another way from the start, although each may change in principle."""
    if now["epochs"] < finished:
        yield f"{finished} epochs are finished, and epochs is {now['epochs']}."
    schedule = now.get("learning_rate_schedule")
    if now["epochs"] != before["epochs"] and schedule not in (None, "constant"):
        yield (
            f"epochs was {before['epochs']} and is {now['epochs']}, and with learning_rate_schedule: {schedule} that "
            "changes the learning rate of every epoch."
        )
    steps = [min(one["eval_step"], one["epochs"]) for one in (before, now)]
    if steps[0] != steps[1]:
        yield f"eval_step was {steps[0]} and is {steps[1]} (never more than epochs)."
    if now["stopping_step"] < before["stopping_step"]:
        yield f"stopping_step was {before['stopping_step']} and is {now['stopping_step']}; it may only grow."


def other_machine(config: Any, state: Mapping[str, Any]) -> str:
    """A warning where the state was trained by another torch, on another device or with other threads, else empty."""
    before, now = state["machine"], machine(config)
    changed = ", ".join(f"{key} was {before.get(key)} and is {now[key]}" for key in now if before.get(key) != now[key])
    return changed and (
        f"{changed}. The run goes on, but its numbers may differ in the last digits from those of a run that never "
        "stopped."
    )
