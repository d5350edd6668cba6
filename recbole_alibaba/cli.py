"""The command `recbole-alibaba` and run.py: they read argv, and turn errors into a sentence and an exit code.

Importing this module must stay fast, so that `--help` answers at once: torch and RecBole are imported by the commands.
"""

import sys
import threading
import warnings
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from dataset_prep.__main__ import Group
from dataset_prep.__main__ import main as prep
from recbole_alibaba import __version__
from recbole_alibaba.board.board_command import board
from recbole_alibaba.console.endings import one_sentence
from recbole_alibaba.diagnosis.doctor_command import doctor
from recbole_alibaba.host.activation import activate
from recbole_alibaba.host.errors import BadInput, disk_fault
from recbole_alibaba.host.known_settings import parse_overrides
from recbole_alibaba.recommending.files.commands import export, recommend, score_tianchi, similar
from recbole_alibaba.run_page.report_command import report
from recbole_alibaba.serving.serve_command import serve

LATEST = ""
ANY_SETTING = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "help_option_names": ["-h", "--help"],
}


def trains(command: Callable[..., Any]) -> Callable[..., Any]:
    """Activate the plugin and run the command; it ends as `one_sentence` says."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with one_sentence("Stopped before the training: nothing is kept."):
            activate()
            threading.excepthook = _silent_about_the_disk
            warnings.filterwarnings("ignore", category=FutureWarning, module="recbole")  # pandas 3 is excluded
            return command(*args, **kwargs)

    return wrapped


def _silent_about_the_disk(thread: threading.ExceptHookArgs) -> None:
    """No traceback of TensorBoard's thread on a full disk: its error is raised again in the main thread."""
    if disk_fault(thread.exc_value) is None:
        threading.__excepthook__(thread)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """From Alibaba's Tianchi logs to a trained, explained LightGCN inside RecBole."""


@main.command(context_settings=ANY_SETTING)
@click.option("-m", "--model", help="A RecBole model or AlibabaLightGCN (the default).")
@click.option("-d", "--dataset", help="Folder under data_path with <dataset>.inter; `recbole-alibaba prep` makes one.")
@click.option("--config_files", default="", help='Property files; a later one overrides an earlier: "a.yaml b.yaml".')
@click.option(
    "--resume",
    is_flag=False,
    flag_value=LATEST,
    metavar="[RUN]",
    help="Go on with the run in this folder; without RUN, with the latest of this model and data set.",
)
@click.option(
    "--nproc",
    default=1,
    type=click.IntRange(min=1),
    show_default=True,
    help="Processes on this machine: each with a GPU of gpu_id, or with its cores of the CPU.",
)
@click.option("--ip", default="localhost", show_default=True, help="Address of the first machine.")
@click.option("--port", help="Port of the first machine; a free one where there is no other machine.")
@click.option("--world_size", default=-1, help="Processes on all machines.")
@click.option("--group_offset", default=0, help="Rank of the first process on this machine.")
@click.pass_context
@trains
def run(
    context: click.Context,
    model: str | None,
    dataset: str | None,
    config_files: str,
    resume: str | None,
    nproc: int,
    ip: str,
    port: str | None,
    world_size: int,
    group_offset: int,
) -> None:
    """Train and test a model: every flag of RecBole's run_recbole.py, and any setting as --key=value.

    \b
    run.py --dataset=tianchi-mobile
    run.py --dataset=tianchi-mobile --model=BPR --epochs=20 --topk=[20]
    run.py --dataset=tianchi-mobile --learning_rate=0.005 --clip_grad_norm='{max_norm: 0.5}'
    run.py --dataset=tianchi-mobile --config_files="properties/experiment/after.yaml my.yaml"
    run.py --dataset=tianchi-mobile --resume

    \b
    Common settings, with the defaults of AlibabaLightGCN:
    --epochs=300 --learning_rate=0.001 --train_batch_size=2048 --embedding_size=64 --n_layers=3 --reg_weight=1e-5
    --stopping_step=50 (validations without a better --valid_metric=NDCG@20) --eval_step=1 --topk=[10,20]
    --metrics=[Recall,NDCG] --eval_args='{split: {RS: [0.8,0.1,0.1]}, order: TO}' --seed=2020
    --gpu_id='' (the CPU) --data_path=dataset/ --checkpoint_dir=saved

    All settings stand in properties/ with type and meaning; a dictionary changes only the keys it names.

    \b
    Exit code 0: trained and tested. 1: the loss became NaN or infinite, or one of several processes died. 2: bad input
    or settings, in one sentence.
    """
    from recbole_alibaba import experiment, training
    from recbole_alibaba.console.unexplained import settings_named
    from recbole_alibaba.host.registry import is_ours
    from recbole_alibaba.processes.launch import launch, layout
    from recbole_alibaba.processes.training_process import run_in_group

    overrides = parse_overrides(context.args)
    files, given = config_files.split(), dict(overrides)
    if not sys.stderr.isatty():
        overrides.setdefault("show_progress", False)
    if nproc == 1 and world_size <= 0:
        with settings_named(given, files):
            training.run(model, dataset, files, overrides, resume=resume == LATEST or resume or False)
        return
    if resume is not None:
        raise BadInput("--resume goes on in one process, also with a run of several: leave --nproc away.")

    chosen = experiment.build_config(model, dataset, files, overrides)
    if not is_ours(chosen["model"]):
        raise BadInput(
            f"--nproc trains this plugin's models; {chosen['model']} is RecBole's, whose metrics of several processes "
            "are wrong: users are repeated until all processes have as many, and batches of different sizes count "
            "alike. Leave --nproc away."
        )
    where = layout(nproc, world_size, ip, port, group_offset, str(chosen["gpu_id"]))
    launch(run_in_group, (model, dataset, files, overrides), where)


@main.command()
@click.option("--output", default="dataset", show_default=True, type=click.Path(path_type=Path), help="Where to write.")
@click.option("--epochs", default=60, show_default=True, help="Passes over the training interactions.")
@trains
def demo(output: Path, epochs: int) -> None:
    """Show the main job on a made-up log: refused as reported, then repaired, trained and compared."""
    from recbole_alibaba.demo import demo as show

    show(output, epochs)


main.add_command(prep, "prep")
main.add_command(doctor, "doctor")
for command in (board, recommend, similar, export, score_tianchi, report, serve):
    main.add_command(command)


def run_py() -> None:
    """The program of run.py."""
    run(prog_name="run.py")
