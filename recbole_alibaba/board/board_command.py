"""The command ``recbole-alibaba board``: from the command line to records, pages and an exit code."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from recbole_alibaba.console.endings import one_sentence
from recbole_alibaba.host.errors import BadInput

if TYPE_CHECKING:
    from recbole_alibaba.board.campaign import Campaign
    from recbole_alibaba.board.plan import Plan
    from recbole_alibaba.board.records import Records
    from recbole_alibaba.board.trial import Surveyed


@dataclass(frozen=True)
class Asked:
    """The options of the command."""

    dataset: str | None
    jobs: int | None
    records: Path
    pages: Path
    add: Path | None
    submit: Path | None
    label: str | None
    ray: str | None
    render: bool
    retry: bool


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": ["-h", "--help"]},
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("-d", "--dataset", help="Without FILE: the data set that a small set of models is compared on.")
@click.option("--jobs", type=click.IntRange(min=1), help="Trials at once. [default: cores / threads of a trial]")
@click.option(
    "--records",
    default="results/records",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of records.",
)
@click.option("--pages", default="results", show_default=True, type=click.Path(path_type=Path), help="Folder of pages.")
@click.option("--add", metavar="FOLDER", type=click.Path(path_type=Path), help="Take over another machine's records.")
@click.option(
    "--submit",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Evaluate lists that another program made: columns user, item, score.",
)
@click.option("--label", help="Their name on the board. [default: the file's]")
@click.option("--ray", metavar="ADDRESS|local", help="Run trials as tasks of this Ray cluster; local starts one here.")
@click.option("--render", is_flag=True, help="Train nothing: draw the pages from the records.")
@click.option("--retry", is_flag=True, help="Run trials again that failed, or took too long or too much memory.")
@click.pass_context
def board(context: click.Context, file: Path | None, **options: Any) -> None:
    """Which model is best on my data? Compare models, seeds and searched settings, and say what is no difference.

    \b
    recbole-alibaba board --dataset=tianchi-mobile
    recbole-alibaba board properties/board/taobao-buy.yaml --jobs=2
    recbole-alibaba board properties/board/taobao-buy.yaml --add=from-the-other-machine/results/records
    recbole-alibaba board properties/board/taobao-buy.yaml --submit=lists.csv --label="Our C++ model"

    FILE names data sets, models, seeds and, if wanted, search spaces; properties/board/ has some to start from. Any
    setting for all models can be given as --key=value.

    Each trial is a process of its own. Its record is a line of RECORDS/<board>.jsonl, and a trial that has a record is
    not run again. A board that was stopped or killed goes on where it was by the same command, each trial from its last
    state. Settings are chosen on the validation part. The test part is read once for each model and seed.

    Pop, ItemKNN and EASE are on every board.

    \b
    Exit code 0: every trial has a record, failed ones too. 2: bad input. 130: Ctrl-C.
    """
    from recbole_alibaba.host.known_settings import separate

    again = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    with one_sentence(f"Stopped. Finished trials and epochs are kept. Go on with: {again}"):
        # click takes a setting that stands before FILE, or without one, for FILE.
        typed, files = separate([*([] if file is None else [str(file)]), *context.args])
        if len(files) > 1:
            named = ", ".join(files)
            raise BadInput(f"A board has one FILE, and here are {len(files)}: {named}. A setting is --key=value.")
        asked = Asked(**options)
        _board(_plan(Path(files[0]) if files else None, asked, typed), asked)


def _plan(file: Path | None, asked: Asked, typed: Mapping[str, Any]) -> Plan:
    from recbole_alibaba.board.plan_file import default_plan, read_plan

    if file is not None and (asked.dataset is None or asked.submit is not None):
        return read_plan(file, typed)
    if asked.dataset is not None and file is None:
        return default_plan(asked.dataset, typed)
    raise BadInput("Name either the file of a board, such as properties/board/taobao-buy.yaml, or --dataset=NAME.")


def _board(plan: Plan, asked: Asked) -> None:
    from recbole_alibaba.board.drawn_pages import draw
    from recbole_alibaba.board.records import Records

    if asked.render and (asked.add or asked.submit):
        raise BadInput("--render draws the pages only. --add and --submit draw them too, so leave --render out.")
    records = Records(asked.records, plan.name)
    refused: list[str] = []
    if not asked.render:
        with records.held():
            refused = _run(plan, asked, records)
    sentence, paths = draw(plan, records, asked.pages)
    click.echo("\n".join([sentence, *map(str, paths)]))
    if refused:
        named = "\n".join(refused)
        raise BadInput(f"{len(refused)} records of {asked.add} were refused, the others were added:\n{named}")


def _run(plan: Plan, asked: Asked, records: Records) -> list[str]:
    """Survey the data, then take over records or lists, or run the trials; what was refused."""
    from recbole_alibaba.board.campaign import Campaign
    from recbole_alibaba.board.plan_file import check_files
    from recbole_alibaba.board.records import outside_record
    from recbole_alibaba.board.running import run_trials, taken
    from recbole_alibaba.board.shown import Shown
    from recbole_alibaba.saved.run_folder import sha256

    check_files(plan)
    began = perf_counter()
    refused: list[str] = []
    campaign = None
    runner = _runner(plan, asked)
    try:
        click.echo(f"{plan.title}: examining {', '.join(plan.datasets)}")
        surveyed = {dataset: runner.survey(dataset) for dataset in plan.datasets}
        if asked.add is not None:
            count, refused = records.add(asked.add, {name: one.fingerprint for name, one in surveyed.items()})
            click.echo(f"{count:,} records of {asked.add} were added.")
        if asked.submit is not None:
            dataset = _one(list(plan.datasets), asked.dataset)
            label, outcome = asked.label or asked.submit.stem, runner.outside(dataset, asked.submit)
            content = sha256(asked.submit)
            record = outside_record(plan, dataset, label, surveyed[dataset], outcome, content)
            records.append(record, outcome.scores)
        before = [record for record in records.read() if not asked.retry or record["state"] == "done"]
        campaign = Campaign(plan, surveyed, before)
        if asked.add is None and asked.submit is None:
            start = perf_counter() - began
            with Shown(plan, campaign.most(), len(campaign.ids())) as shown:
                ended = run_trials(plan, surveyed, campaign, runner, records, shown)
            click.echo(taken(ended, start, perf_counter() - began))
    finally:
        runner.stop()
        if campaign is not None:
            _keep(campaign, surveyed, records)
    return refused


def _keep(campaign: Campaign, surveyed: Mapping[str, Surveyed], records: Records) -> None:
    """Write down which records are the board's, for `--render`."""
    spaces = {label: space.as_yaml() for one in surveyed.values() for label, space in one.spaces.items()}
    records.write_board(campaign.ids(), spaces)


def _runner(plan: Plan, asked: Asked) -> Any:
    from recbole_alibaba.board.processes.pool import Pool

    jobs, place = asked.jobs or max((os.cpu_count() or 1) // plan.threads, 1), Path("saved") / "board" / plan.name
    if asked.ray is None or asked.add is not None or asked.submit is not None:
        return Pool(plan, jobs, place)
    from recbole_alibaba.board.processes.ray_tasks import RayTasks

    return RayTasks(plan, jobs, place, asked.ray)


def _one(there: list[str], named: str | None) -> str:
    """The data set of --submit."""
    if named in there or (named is None and len(there) == 1):
        return named or there[0]
    raise BadInput(f"--submit needs the data set that the lists are for: --dataset={'|'.join(there)}")
