"""A board from its first trial to its last: what is ready is started, what has ended is recorded."""

from __future__ import annotations

from collections.abc import Mapping

from recbole_alibaba.board.campaign import Campaign
from recbole_alibaba.board.plan import Plan
from recbole_alibaba.board.processes.runner import Outcome, Runner
from recbole_alibaba.board.processes.shown import Shown
from recbole_alibaba.board.records import Records, record_of
from recbole_alibaba.board.trial import Surveyed, Trial


def run_trials(
    plan: Plan, surveyed: Mapping[str, Surveyed], campaign: Campaign, runner: Runner, records: Records, shown: Shown
) -> None:
    """Run every trial that has no record; each is recorded when it ends."""

    def end(trial: Trial, outcome: Outcome) -> None:
        record = record_of(trial, surveyed[trial.dataset], outcome)
        records.append(record, outcome.scores)
        campaign.finish(record)
        runner.forget(trial, keep_log=record["state"] != "done")
        shown.ended(trial, record)

    running = 0
    while (ready := campaign.ready()) or running:
        for trial in ready:
            if reason := too_large(plan, trial, surveyed[trial.dataset]):
                end(trial, Outcome({"state": "refused", "reason": reason}))
                break  # another one may have become ready
            if not runner.free():
                continue
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


def too_large(plan: Plan, trial: Trial, surveyed: Surveyed) -> str | None:
    """A sentence where the model is known to need more memory than it may take."""
    return None

