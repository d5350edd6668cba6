"""What does a run's folder say of the run, finished or not?"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from recbole_alibaba.diagnosis.readings import History
from recbole_alibaba.host.errors import BadInput

FORMAT = 1
AGAIN = "Copy the whole folder again from where it was trained, or train again."


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        folder: where it lies.
        name: in legends and tables: its model, with a number where there are several runs.
        settings: the whole configuration.
        record: run.json; of an unfinished run only model, dataset and history.
        finished: whether the run has ended.
    """

    folder: Path
    name: str
    settings: Mapping[str, Any]
    record: Mapping[str, Any]
    finished: bool

    @property
    def history(self) -> History:
        """The epoch records; see diagnosis/readings.py."""
        return list(self.record.get("history") or ())

    @property
    def metric(self) -> str:
        """The metric of early stopping, as in the results."""
        return str(self.settings.get("valid_metric") or "").lower()

    @property
    def bigger(self) -> bool:
        """Whether more of the metric is better."""
        return self.settings.get("valid_metric_bigger") is not False

    @property
    def result(self) -> tuple[str, Mapping[str, float]]:
        """The part that popularity was measured on, and the run's metrics on it."""
        tested = self.record.get("test_result")
        return ("test", tested) if tested else ("validation", self.record.get("best_valid_result") or {})

    @property
    def popularity(self) -> Mapping[str, float]:
        """The metrics of one list of the most popular items; empty where they were not measured."""
        return self.record.get("popularity_result") or {}


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs, in order.

    Raises:
        BadInput: a folder is no run's, has a damaged file or is of another version, or no epoch was finished.
    """
    runs = [_read(folder) for folder in folders]
    return runs if len(runs) == 1 else [replace(run, name=f"{n} {run.name}") for n, run in enumerate(runs, 1)]


def _read(folder: Path) -> Run:
    if not (folder / "config.yaml").is_file():
        there = (
            "there is no such folder" if not folder.exists() else "this is no folder of a run: it has no config.yaml"
        )
        raise BadInput(f"{folder}: {there}. Name a folder that a training has written, as in saved/MODEL-DATASET-DATE.")
    try:
        settings = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        model, dataset = settings["model"], settings["dataset"]
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError) as error:
        raise BadInput(f"{folder / 'config.yaml'}: damaged; it is no configuration of a run. {AGAIN}") from error
    finished = (folder / "run.json").is_file()
    record = _record(folder / "run.json") if finished else {"history": _history(folder)}
    return Run(folder, str(model), settings, {"model": model, "dataset": dataset, **record}, finished)


def _record(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        number = record["format"]
        history = record.get("history") or []
        if not all(isinstance(epoch["epoch"], int) for epoch in history):
            raise ValueError("an epoch without a number")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadInput(f"{file}: damaged; it is no record of a run. {AGAIN}") from error
    if number != FORMAT:
        raise BadInput(
            f"{file}: format {number!r}, and this version reads format {FORMAT}. Install the version of "
            "recbole-alibaba that wrote it (`versions` in the file names it), or train again."
        )
    return dict(record)


def _history(folder: Path) -> History:
    """The finished epochs of a run that has not ended."""
    file = folder / "state.pt"
    if not file.is_file():
        raise BadInput(
            f"{folder}: this run is not finished, and no epoch of it is: there is neither run.json nor state.pt. "
            "Wait for the first epoch, or train again."
        )
    import torch

    try:
        state = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        return [dict(epoch) for epoch in state["history"]]
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise BadInput(f"{file}: damaged, or no state of a run. Train again.") from error
