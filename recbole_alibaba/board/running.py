"""A board from its first trial to its last: what is ready is started, what has ended is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataset_prep.machine import whole_memory
from recbole_alibaba.board.campaign import Campaign
from recbole_alibaba.board.measures.memory_needs import memory_needed
from recbole_alibaba.board.plan import Plan
from recbole_alibaba.board.processes.runner import Outcome, Runner
from recbole_alibaba.board.records import Records, record_of
from recbole_alibaba.board.shown import Shown
from recbole_alibaba.board.trial import Surveyed, Trial


def run_trials(
    plan: Plan, surveyed: Mapping[str, Surveyed], campaign: Campaign, runner: Runner, records: Records, shown: Shown
) -> list[Mapping[str, Any]]:
    """Run every trial that has no record; each is recorded when it ends. The new records."""
    ended: list[Mapping[str, Any]] = []

    def end(trial: Trial, outcome: Outcome) -> None:
        record = record_of(trial, surveyed[trial.dataset], outcome)
        records.append(record, outcome.scores)
        campaign.finish(record)
        runner.forget(trial, keep_log=record["state"] != "done")
        shown.ended(trial, record)
        ended.append(record)

    running = 0
    while (ready := campaign.ready()) or running:
        for trial in ready:
            if not runner.free():
                break
            if reason := too_large(plan, trial, surveyed[trial.dataset]):
                end(trial, Outcome({"state": "refused", "reason": reason}))
                break  # another one may have become ready
            campaign.start(trial)
            runner.start(trial, surveyed[trial.dataset])
            shown.started(trial)
            running += 1
        for trial, event in runner.events(1.0) if running else ():
            if isinstance(event, Outcome):
                running -= 1
                end(trial, event)
            else:
                shown.told(trial, event)
        shown.refresh()
    return ended


def taken(ended: Sequence[Mapping[str, Any]], start: float, seconds: float) -> str:
    """A sentence on the time of a board.

    Args:
        start: seconds before the first trial.
        seconds: of all.
    """
    if not ended:
        return "Every trial has a record: nothing was run."
    work = [sum(record["seconds"].get(stage, 0.0) for stage in ("train", "validate", "rank")) for record in ended]
    # The work of a trial that went on counts that of its earlier processes, the total does not.
    spent = start + sum(max(record["seconds"].get("total", 0.0), one) for record, one in zip(ended, work, strict=True))
    failed = sum(record["state"] != "done" for record in ended)
    return (
        f"{len(ended):,} trials in {seconds:,.0f} s{f', {failed:,} without a result' if failed else ''}. Training and "
        f"evaluation took {sum(work) / spent:.0%} of the processes' time."
    )


def too_large(plan: Plan, trial: Trial, surveyed: Surveyed) -> str | None:
    """A sentence where the model is known to need more memory than it may take."""
    size, limit = surveyed.counts, plan.limits.memory_gb
    most = whole_memory() if limit is None else limit * 1e9
    needed = memory_needed(trial.model, size["users"], size["items"], size["train"], trial.config)
    if needed is None or needed <= most:
        return None
    has = "this machine has" if limit is None else "a trial of this board may take"
    return (
        f"{trial.model} needs at least {needed / 1e9:,.1f} GB of memory on these data, and {has} {most / 1e9:,.1f} GB."
    )
