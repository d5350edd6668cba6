"""The command ``recbole-alibaba doctor``: from the command line to the console, files and an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recbole_alibaba.console.endings import one_sentence
from recbole_alibaba.diagnosis.catalogue import LANGUAGES, catalogue, title
from recbole_alibaba.host.activation import activate
from recbole_alibaba.host.errors import BadInput

if TYPE_CHECKING:
    from recbole_alibaba.diagnosis.cures.outcome import Cure, Examination
    from recbole_alibaba.diagnosis.findings import Finding

ILL = 3


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": ["-h", "--help"]},
)
@click.option("-m", "--model", help="A RecBole model or AlibabaLightGCN (the default).")
@click.option("-d", "--dataset", help="Folder under data_path with <dataset>.inter.")
@click.option("--config_files", default="", help='Property files, the later over the earlier: "a.yaml b.yaml".')
@click.option(
    "--raw",
    type=click.Path(path_type=Path),
    help="A raw log to convert first, as the files' `prep:` says.",
)
@click.option("--raw-items", type=click.Path(path_type=Path), help="The raw log's item file, if only its items count.")
@click.option("--source", default="mobile", show_default=True, help="Kind of raw log.")
@click.option("--try", "trying", is_flag=True, help="Run the remedies briefly. Keep the first one that cures.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder for doctor.json, doctor.html and cure.yaml.")
@click.option("--json", "as_json_text", is_flag=True, help="Print JSON instead of text.")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language.")
@click.option("-v", "--verbose", is_flag=True, help="Show every measure, also the healthy ones.")
@click.option("--list", "listing", is_flag=True, help="List everything that can be found, and exit.")
@click.option(
    "--explain",
    "explained",
    metavar="[ID]",
    is_flag=False,
    flag_value="",
    help="Explain a finding or a cause, and exit.",
)
@click.pass_context
@one_sentence("Stopped: the doctor has changed nothing.")
def doctor(
    context: click.Context,
    model: str | None,
    dataset: str | None,
    config_files: str,
    raw: Path | None,
    raw_items: Path | None,
    source: str,
    trying: bool,
    output: Path | None,
    as_json_text: bool,
    lang: str,
    verbose: bool,
    listing: bool,
    explained: str | None,
) -> None:
    """Find out why the loss does not move: examine settings, data and a short training.

    Any setting can be given as --key=value.

    \b
    recbole-alibaba doctor --dataset=tianchi-mobile
    recbole-alibaba doctor --dataset=tianchi-mobile --model=BPR --learning_rate=0.1 --try
    recbole-alibaba doctor --raw=log.csv --config_files=properties/experiment/before.yaml --lang=zh

    Exit code 0: healthy. 3: something is wrong. 2: bad usage.
    """
    if explained:
        _explain(explained, lang)
        return
    if listing or explained == "":
        click.echo("\n".join(f"{name:28} {title(name, lang)}" for name in findable()))
        return
    activate()  # `--help` and `--list` need neither torch nor RecBole
    from recbole_alibaba.console.terminal import no_colour
    from recbole_alibaba.diagnosis.examination import quiet_host
    from recbole_alibaba.diagnosis.progress import progress
    from recbole_alibaba.diagnosis.report.console import console, words
    from recbole_alibaba.diagnosis.report.report_files import as_json, command_line
    from recbole_alibaba.host.known_settings import parse_overrides

    colours = False if no_colour() else None  # None: where stdout is a terminal
    with quiet_host(), progress():
        overrides = parse_overrides(context.args)
        raw_log = (source, raw, raw_items)
        examined, cure = _examine(model, dataset, config_files.split(), overrides, raw_log, trying)
    command = ""
    if cure is not None and cure.kept is not None:
        command = command_line(examined, {**overrides, **cure.kept.changes}, config_files)
    if as_json_text:
        click.echo(json.dumps(as_json(examined, cure, lang), ensure_ascii=False, indent=2))
    else:
        click.echo(console(examined, cure, lang, verbose), color=colours)
        if command:
            click.echo(f"{words('command', lang)} {command}")
    if output is not None:
        files = _write(output, examined, cure, lang, command)
        click.echo(words("written", lang, files=", ".join(map(str, files))), err=True)
    sys.exit(ILL if examined.ill else 0)


def _explain(name: str, lang: str) -> None:
    from recbole_alibaba.diagnosis.report.explanation import explanation

    click.echo(explanation(name, lang))


def findable() -> list[str]:
    """Ids of everything that can be found, in the order of ``messages.yaml``."""
    return [name for name, wordings in catalogue().items() if "title" in wordings and "message" in wordings]


def _examine(
    model: str | None,
    dataset: str | None,
    files: Sequence[str],
    overrides: dict[str, Any],
    raw: tuple[str, Path | None, Path | None],
    trying: bool,
) -> tuple[Examination, Cure | None]:
    from recbole_alibaba.diagnosis.cures.other_conversions import advise_conversion
    from recbole_alibaba.diagnosis.cures.outcome import Examination
    from recbole_alibaba.diagnosis.cures.trials import try_remedies
    from recbole_alibaba.diagnosis.examination import builder, consult
    from recbole_alibaba.experiment import DEFAULT_MODEL
    from recbole_alibaba.host.config import deep_update
    from recbole_alibaba.settings.property_files import read_mapping

    source, users, items = raw
    if users is not None:
        named: dict[str, Any] = {}
        for layer in (*map(read_mapping, files), overrides):
            deep_update(named, layer)
        dataset = dataset or f"{source}-log"
        found = _converted(source, users, items, named, model, dataset, files, overrides)
        if found is not None:
            model = model or named.get("model") or DEFAULT_MODEL
            return Examination({**named, "model": model, "dataset": dataset}, [found]), None
    build, settings = builder(model, dataset, files, overrides)
    examined = consult(build, {}, settings)
    advise_conversion(examined, build, settings)
    return examined, (try_remedies(build, examined, settings) if trying and examined.ill else None)


def _converted(
    source: str,
    users: Path,
    items: Path | None,
    named: dict[str, Any],
    model: str | None,
    dataset: str,
    files: Sequence[str],
    overrides: dict[str, Any],
) -> Finding | None:
    """Convert the raw log as the files' ``prep`` asks; the finding if too little is left."""
    from dataset_prep import PrepError
    from recbole_alibaba.diagnosis.cures.raw_log import convert_or_explain

    asked = {str(key).replace("-", "_"): value for key, value in (named.get("prep") or {}).items()}
    try:
        options = asked | {"users": str(users), "output": str(named.get("data_path", "dataset")), "name": dataset}
        return convert_or_explain(source, options | ({"items": str(items)} if items else {}), model, files, overrides)
    except (PrepError, TypeError) as error:
        raise BadInput(str(error)) from error


def _write(folder: Path, examined: Examination, cure: Cure | None, lang: str, command: str) -> list[Path]:
    from dataset_prep.writing.whole_file import written
    from recbole_alibaba.diagnosis.report.doctor_page import page
    from recbole_alibaba.diagnosis.report.report_files import as_json, property_file

    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "doctor.json": json.dumps(as_json(examined, cure, lang), ensure_ascii=False, indent=2) + "\n",
        "doctor.html": page(examined, cure, lang, command),
    }
    if cure is not None and cure.kept is not None:
        texts["cure.yaml"] = property_file(cure)
    for name, text in texts.items():
        with written(folder / name) as part:
            part.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
