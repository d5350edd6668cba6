"""Trials as processes of this machine, forked from one that has imported everything, several at once."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

from recbole_alibaba.board.plan import Limits, Plan
from recbole_alibaba.board.processes.child import work
from recbole_alibaba.board.processes.limits import Watch
from recbole_alibaba.board.processes.runner import Outcome, Progress
from recbole_alibaba.board.trial import Surveyed, Trial
from recbole_alibaba.host.errors import BadInput

T = TypeVar("T")
POLL = 0.2  # seconds between two looks at what the processes take


class Job:
    """One process, which calls a function, and what it sends."""

    def __init__(self, context: Any, limits: Limits, log: Path, function: Callable[..., Any], *arguments: Any) -> None:
        self.receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=work, args=(sender, log, function, *arguments), daemon=True)
        self._started = time.time()
        # A start that Ctrl-C cuts in two would end with a traceback of the process that was to be started.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        sender.close()  # so that the pipe ends with the process
        self._watch = Watch(self._process.pid, limits)

    def look(self) -> list[Any]:
        """What it has sent since the last look, an answer last; an Outcome where it ended or was ended without one."""
        found: list[Any] = []
        try:
            while self.receiver.poll():
                kind, value = self.receiver.recv()
                found.append(Outcome({"state": "refused", "reason": value}) if kind == "refused" else value)
                if kind != "told":
                    self._process.join()
                    return found
        except (EOFError, OSError):
            self._process.join()
            return [*found, self._unfinished(*self._why_ended())]
        if exceeded := self._watch.exceeded():
            self.kill()
            found.append(self._unfinished(*exceeded))
        return found

    def kill(self) -> None:
        """End it; a state is whole or absent."""
        self._process.kill()
        self._process.join()

    def _why_ended(self) -> tuple[str, str]:
        code = self._process.exitcode
        if code == -9:
            return "memory", "The system killed its process (signal 9), as it does where memory is short."
        if code is not None and code < 0:
            return "failed", f"Its process crashed (signal {-code})."
        return "failed", f"Its process ended with exit code {code} and without a result."

    def _unfinished(self, state: str, reason: str) -> Outcome:
        seconds = {"total": time.time() - self._started}
        fields = {"state": state, "reason": reason, "seconds": seconds, "peak_memory_mb": self._watch.peak / 1e6}
        return Outcome(fields)


class Pool:
    """A `Runner`.

    Args:
        jobs: trials at once.
        folder: of the board's unfinished trials; what a trial leaves there is removed with `forget`.
    """

    def __init__(self, plan: Plan, jobs: int, folder: Path) -> None:
        self._plan, self._jobs, self._folder = plan, jobs, folder.resolve()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["recbole_alibaba.board.processes.warm"])
        self._running: dict[str, tuple[Trial, Job]] = {}

    def survey(self, dataset: str) -> Surveyed:
        return self._answer(_survey, self._plan, dataset)

    def outside(self, dataset: str, file: Path) -> Outcome:
        """What lists score that another program made.

        Raises:
            BadInput: they cannot be evaluated.
        """
        return self._answer(_outside, self._plan, dataset, file)

    def _answer(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function returns in a process of its own."""
        log = self._folder / "logs" / "survey.txt"
        job = Job(self._context, Limits(), log, function, *arguments)
        while not (found := job.look()):
            wait([job.receiver], POLL)
        answer = found[-1]
        if isinstance(answer, Outcome) and answer.fields["state"] != "done":
            refused = answer.fields["state"] == "refused"
            raise BadInput(answer.fields["reason"] if refused else f"{answer.fields['reason']} Its log is {log}.")
        return answer

    def free(self) -> int:
        return self._jobs - len(self._running)

    def start(self, trial: Trial, surveyed: Surveyed) -> None:
        folder = self._folder / trial.id
        job = Job(
            *(self._context, self._plan.limits, folder / "log.txt", _run_trial),
            *(self._plan, trial, surveyed, folder, time.time()),
        )
        self._running[trial.id] = trial, job

    def events(self, seconds: float) -> Sequence[tuple[Trial, Progress | Outcome]]:
        receivers: list[Connection] = [job.receiver for _, job in self._running.values()]
        wait(receivers, min(seconds, POLL))
        found = []
        for trial, job in list(self._running.values()):
            for value in job.look():
                found.append((trial, value))
                if isinstance(value, Outcome):
                    del self._running[trial.id]
        return found

    def forget(self, trial: Trial, keep_log: bool) -> None:
        """Remove what the trial left, since its record is written; the log of a failed one stays in `logs`."""
        folder = self._folder / trial.id
        if keep_log and (folder / "log.txt").is_file():
            (self._folder / "logs").mkdir(exist_ok=True)
            (folder / "log.txt").replace(self._folder / "logs" / f"{trial.id}.txt")
        shutil.rmtree(folder, ignore_errors=True)

    def stop(self) -> None:
        for _, job in self._running.values():
            job.kill()
        self._running.clear()


def _survey(plan: Plan, dataset: str, tell: Callable[[Progress], None]) -> Surveyed:
    from recbole_alibaba.board.processes.survey import survey

    return survey(plan, dataset)


def _outside(plan: Plan, dataset: str, file: Path, tell: Callable[[Progress], None]) -> Outcome:
    from recbole_alibaba.board.processes.survey import outside

    return outside(plan, dataset, file)


def _run_trial(
    plan: Plan, trial: Trial, surveyed: Surveyed, folder: Path, started: float, tell: Callable[[Progress], None]
) -> Outcome:
    from recbole_alibaba.board.processes.run_trial import run_trial

    return run_trial(plan, trial, surveyed, folder, tell, started)
