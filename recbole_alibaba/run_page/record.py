"""What does a run's folder say of the run, finished or not?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from recbole_alibaba.diagnosis.readings import History
from recbole_alibaba.host.errors import SavedRunError


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


def read_runs(folders: Sequence[str]) -> list[Run]:
    """The runs, in order. `latest` is the newest finished one in `saved/`.

    Raises:
        BadInput: a folder is no run's, has a damaged file or is of another version, or no epoch was finished.
    """
    runs = [_read(_folder(name)) for name in folders]
    return runs if len(runs) == 1 else [replace(run, name=f"{n} {run.name}") for n, run in enumerate(runs, 1)]


def _folder(name: str) -> Path:
    from recbole_alibaba.recommending.load import LATEST, SAVED, latest_run  # it needs torch

    return latest_run(SAVED) if name == LATEST and not Path(name).exists() else Path(name)


def _read(folder: Path) -> Run:
    from recbole_alibaba.saved.read_run import AGAIN, read_record
    from recbole_alibaba.saved.run_folder import RECORD
    from recbole_alibaba.saved.state_file import read_state

    file = folder / "config.yaml"
    if not file.is_file():
        what = "no folder of a run, since it has no config.yaml" if folder.exists() else "not there"
        raise SavedRunError(f"{folder} is {what}. Name a folder that a training wrote, such as saved/MODEL-DATA-DATE.")
    try:
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
        names = {"model": settings["model"], "dataset": settings["dataset"]}
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError) as error:
        raise SavedRunError(f"{file}: damaged; it is no configuration of a run. {AGAIN}") from error
    finished = (folder / RECORD).is_file()
    state = None if finished else read_state(folder, "cpu")
    if not finished and state is None:
        raise SavedRunError(
            f"{folder}: this run is not finished, and none of its epochs is: there is neither {RECORD} nor state.pt. "
            "Wait for the first epoch, or train again."
        )
    record = read_record(folder) if state is None else {"history": state["history"]}
    return Run(folder, str(record.get("model", names["model"])), settings, {**names, **record}, finished)
