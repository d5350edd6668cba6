"""The command ``recbole-alibaba board``: from the command line to records, pages and an exit code."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from recbole_alibaba.host.errors import BadInput, disk_fault

if TYPE_CHECKING:
    from recbole_alibaba.board.plan import Plan

BAD_USAGE, INTERRUPTED = 2, 130


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": ["-h", "--help"]},
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("-d", "--dataset", help="Without FILE: the data set that a small set of models is compared on.")
@click.option("--jobs", type=click.IntRange(min=1), help="Trials at once. [default: cores / threads of a trial]")
@click.option(
    "--records", default="results/records", show_default=True, type=click.Path(path_type=Path), help="Folder of records."
)
@click.option("--pages", default="results", show_default=True, type=click.Path(path_type=Path), help="Folder of pages.")
@click.option("--render", is_flag=True, help="Train nothing: draw the pages from the records.")
@click.option("--retry", is_flag=True, help="Run trials again that failed, or took too long or too much memory.")
@click.pass_context
def board(
    context: click.Context,
    file: Path | None,
    dataset: str | None,
    jobs: int | None,
    records: Path,
    pages: Path,
    render: bool,
    retry: bool,
) -> None:
    """Which model is best on my data? Compare models, seeds and searched settings, and say what is no difference.

    \b
    recbole-alibaba board --dataset=tianchi-mobile
    recbole-alibaba board properties/board/taobao-buy.yaml --jobs=2
    recbole-alibaba board properties/board/taobao-buy.yaml --render

    FILE names data sets, models, seeds and, if wanted, search spaces; properties/board/ has some to start from. Any
    setting for all models can be given as --key=value.

    Each trial is a process of its own. Its record is a line of RECORDS/<board>.jsonl, and a trial that has a record is
    not run again. A board that was stopped or killed goes on where it was by the same command, each trial from its last
    epoch. Settings are chosen on the validation part. The test part is read once for each model and seed.

    Pop, ItemKNN and EASE are on every board.

    \b
    Exit code 0: every trial has a record, failed ones too. 2: bad input. 130: Ctrl-C.
    """
    from recbole_alibaba.host.known_settings import parse_overrides

    try:
        plan = _plan(file, dataset, parse_overrides(context.args))
        _board(plan, jobs, records, pages, render, retry)
    except BadInput as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(BAD_USAGE)
    except KeyboardInterrupt:
        again = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
        click.echo(f"Stopped. Finished trials and epochs are kept. Go on with: {again}", err=True)
        sys.exit(INTERRUPTED)
    except OSError as error:
        fault = disk_fault(error)
        if fault is None:
            raise
        click.echo(f"Error: {fault}", err=True)
        sys.exit(BAD_USAGE)


def _plan(file: Path | None, dataset: str | None, typed: Mapping[str, Any]) -> Plan:
    from recbole_alibaba.board.plan_file import default_plan, read_plan

    if file is not None and dataset is None:
        return read_plan(file, typed)
    if dataset is not None and file is None:
        return default_plan(dataset, typed)
    raise BadInput("Name either the file of a board, such as properties/board/taobao-buy.yaml, or --dataset=NAME.")


def _board(plan: Plan, jobs: int | None, folder: Path, pages: Path, render: bool, retry: bool) -> None:
    from recbole_alibaba.board.campaign import Campaign
    from recbole_alibaba.board.processes.pool import Pool
    from recbole_alibaba.board.processes.shown import Shown
    from recbole_alibaba.board.records import Records
    from recbole_alibaba.board.running import run_trials

    records, began = Records(folder, plan.name), perf_counter()
    with records.held():
        runner = Pool(plan, jobs or max((os.cpu_count() or 1) // plan.threads, 1), Path("saved") / "board" / plan.name)
        try:
            surveyed = {dataset: runner.survey(dataset) for dataset in plan.datasets}
            before = [record for record in records.read() if not retry or record["state"] == "done"]
            campaign = Campaign(plan, surveyed, before)
            with Shown(plan, campaign.most(), len(campaign.ids())) as shown:
                run_trials(plan, surveyed, campaign, runner, records, shown)
        finally:
            runner.stop()
    click.echo(f"{perf_counter() - began:.1f} s")
