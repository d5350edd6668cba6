"""Trials as tasks of a Ray cluster: Ray says where and when; process and limits are those of the pool."""

from __future__ import annotations

import importlib.metadata
import os
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import time
from typing import Any

from recbole_alibaba.board.plan import Plan
from recbole_alibaba.board.processes.pool import Pool
from recbole_alibaba.board.processes.runner import Outcome, Progress
from recbole_alibaba.board.trial import Surveyed, Trial
from recbole_alibaba.host.errors import BadInput

LOCAL = "local"
LEAST = (2, 40)  # generators as tasks, and `ray.wait` for them
INSTALL = (
    "pip install 'ray>=2.40' (pip will report a conflict with RecBole's ray<=2.6.3, which this plugin does not need)"
)
IN_FLIGHT = 1000  # trials that wait in Ray's queue, so that a cluster can grow


class RayTasks:
    """A `Runner`. Every machine has the working folder, with the data set, at the same path: a shared file system.

    A worker of Ray keeps one process that has imported everything; each trial is a process forked from that one.

    Args:
        address: of a cluster, as `ray.init` takes it; `local` starts one on this machine.
        jobs: trials at once on this machine.
        folder: of the board's unfinished trials.

    Raises:
        BadInput: Ray is missing or too old, no cluster answers, or none of its machines has `plan.threads` CPUs.
    """

    def __init__(self, plan: Plan, jobs: int, folder: Path, address: str) -> None:
        self._ray = _ray()
        self._plan, self._folder = plan, folder.resolve()
        self._running: dict[str, tuple[Trial, Any, float]] = {}
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        where = {"num_cpus": jobs * plan.threads} if address == LOCAL else {"address": address}
        try:
            if found := re.fullmatch(r"(?:ray://)?([\w.-]+):(\d{1,5})", address):
                socket.create_connection((found[1], int(found[2])), timeout=10).close()  # Ray itself tries for minutes
            self._ray.init(**where, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        except Exception as error:  # of many kinds: an address of another form, another version, nobody there
            raise BadInput(
                f"--ray={address}: no cluster answers there: {' '.join(str(error).split())[:300]}. "
                "Give the address that `ray start --head` printed, or `local`."
            ) from error
        most = max(node["Resources"].get("CPU", 0) for node in self._ray.nodes())
        if most < plan.threads:
            raise BadInput(f"threads is {plan.threads}, and the largest machine of {address} has {most:g} CPUs.")
        options = {"num_cpus": plan.threads, "max_retries": 0}
        self._survey, self._trial = (self._ray.remote(**options)(function) for function in (_survey, _run_trial))

    def survey(self, dataset: str) -> Surveyed:
        try:
            found: Surveyed | str = self._ray.get(self._survey.remote(self._plan, dataset, self._folder, Path.cwd()))
        except self._ray.exceptions.RayError as error:
            raise BadInput(f"A worker of the cluster could not examine {dataset}: {_last_line(error)}") from error
        if isinstance(found, str):
            raise BadInput(found)
        return found

    def free(self) -> int:
        return IN_FLIGHT - len(self._running)

    def start(self, trial: Trial, surveyed: Surveyed) -> None:
        told = self._trial.remote(self._plan, trial, surveyed, self._folder, Path.cwd())
        self._running[trial.id] = trial, told, time()

    def events(self, seconds: float) -> Sequence[tuple[Trial, Progress | Outcome]]:
        told = [told for _, told, _ in self._running.values()]
        self._ray.wait(told, num_returns=1, timeout=seconds)
        found: list[tuple[Trial, Progress | Outcome]] = []
        for trial, one, started in list(self._running.values()):
            while trial.id in self._running and self._ray.wait([one], timeout=0)[0]:
                event = self._event(one, started)
                found.append((trial, event))
                if isinstance(event, Outcome):
                    del self._running[trial.id]
        return found

    def _event(self, told: Any, started: float) -> Progress | Outcome:
        try:
            return self._ray.get(next(told))
        except StopIteration:
            state, reason = "failed", "Its task ended without a result."
        except self._ray.exceptions.OutOfMemoryError:
            state, reason = "memory", "Ray ended its worker, because the machine was short of memory."
        except self._ray.exceptions.RayError as error:
            state, reason = "failed", f"Its worker of Ray failed: {_last_line(error)}"
        return Outcome({"state": state, "reason": reason, "seconds": {"total": time() - started}})

    def forget(self, trial: Trial, keep_log: bool) -> None:
        Pool(self._plan, 1, self._folder).forget(trial, keep_log)

    def stop(self) -> None:
        """The tasks end with their driver, and the trials' processes with their worker."""
        self._running.clear()
        self._ray.shutdown()


def _ray() -> Any:
    try:
        there = importlib.metadata.version("ray")
    except importlib.metadata.PackageNotFoundError:
        raise BadInput(f"--ray needs Ray, which is not installed: {INSTALL}.") from None
    if tuple(map(int, there.split(".")[:2])) < LEAST:
        raise BadInput(f"--ray needs Ray 2.40 or later, and {there} is installed: {INSTALL}.")
    import ray

    return ray


def _survey(plan: Plan, dataset: str, folder: Path, here: Path) -> Surveyed | str:
    os.chdir(here)  # relative paths mean the same as on the machine that drives the board
    try:
        return Pool(plan, 1, folder).survey(dataset)
    except BadInput as error:
        return str(error)


def _run_trial(plan: Plan, trial: Trial, surveyed: Surveyed, folder: Path, here: Path) -> Iterator[Progress | Outcome]:
    """In a worker: what the trial's process tells, its Outcome last."""
    os.chdir(here)
    pool = Pool(plan, 1, folder)
    pool.start(trial, surveyed)
    try:
        while True:
            for _, event in pool.events(60.0):
                yield event
                if isinstance(event, Outcome):
                    return
    finally:
        pool.stop()


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1][:300]
