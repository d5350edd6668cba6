"""The command ``recbole-alibaba doctor``: argv in, console, doctor.json, doctor.html and an exit code out."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recbole_alibaba.diagnosis.catalogue import LANGUAGES, catalogue, title
from recbole_alibaba.host.activation import activate
from recbole_alibaba.host.errors import BadInput
from recbole_alibaba.host.properties import read_mapping
from recbole_alibaba.host.settings import parse_overrides

if TYPE_CHECKING:
    from recbole_alibaba.diagnosis.examination import Examination
    from recbole_alibaba.diagnosis.trying import Cure

ILL, BAD_USAGE = 3, 2


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": ["-h", "--help"]}
)
@click.option("-m", "--model", help="A RecBole general model, or AlibabaLightGCN (the default).")
@click.option("-d", "--dataset", help="Folder under data_path with <dataset>.inter.")
@click.option("--config_files", default="", help='Property files, the later over the earlier: "a.yaml b.yaml".')
@click.option("--raw", type=click.Path(path_type=Path), help="A raw log: convert it first, as the files' `prep:` asks.")
@click.option("--raw-items", type=click.Path(path_type=Path), help="Its item file, if only those items count.")
@click.option("--source", default="mobile", show_default=True, help="What kind of raw log it is.")
@click.option("--try", "trying", is_flag=True, help="Run the remedies briefly and keep the first that cures.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder for doctor.json, doctor.html and cure.yaml.")
@click.option("--json", "as_json_text", is_flag=True, help="Print doctor.json in place of words.")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language.")
@click.option("-v", "--verbose", is_flag=True, help="Show every measure, the healthy ones too.")
@click.option("--list", "listing", is_flag=True, help="List what can be found, and stop.")
@click.pass_context
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
) -> None:
    """Why the loss does not move: examine data, settings and a short training; any setting as --key=value.

    \b
    recbole-alibaba doctor --dataset=tianchi-mobile
    recbole-alibaba doctor --dataset=tianchi-mobile --model=BPR --learning_rate=0.1 --try
    recbole-alibaba doctor --raw=log.csv --config_files=properties/experiment/before.yaml --lang=zh

    Exit code 0: healthy. 3: something is wrong. 2: bad usage.
    """
    if listing:
        click.echo("\n".join(f"{name:28} {title(name, lang)}" for name in findable()))
        return
    activate()  # torch and RecBole are imported only now: --help and --list do without
    from recbole_alibaba.diagnosis.report import as_json, command_line, console, words

    try:
        overrides = parse_overrides(context.args)
        examined, cure = _consult(model, dataset, config_files.split(), overrides, (source, raw, raw_items), trying)
    except BadInput as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(BAD_USAGE)
    command = ""
    if cure is not None and cure.kept is not None:
        command = command_line(examined, {**overrides, **cure.kept.changes}, config_files)
    if as_json_text:
        click.echo(json.dumps(as_json(examined, cure, lang), ensure_ascii=False, indent=2))
    else:
        click.echo(console(examined, cure, lang, verbose))
        if command:
            click.echo(f"{words('command', lang)} {command}")
    if output is not None:
        _write(output, examined, cure, lang, command)
    sys.exit(ILL if examined.ill else 0)


def findable() -> list[str]:
    """Ids of everything that can be found, in the catalogue's order."""
    return [name for name, wordings in catalogue().items() if "title" in wordings and "message" in wordings]


def _consult(
    model: str | None,
    dataset: str | None,
    files: Sequence[str],
    overrides: dict[str, Any],
    raw: tuple[str, Path | None, Path | None],
    trying: bool,
) -> tuple[Examination, Cure | None]:
    from recbole_alibaba import experiment
    from recbole_alibaba.diagnosis.examination import Examination, consult
    from recbole_alibaba.diagnosis.rawlog import recommended
    from recbole_alibaba.diagnosis.trying import try_remedies
    from recbole_alibaba.host.config import deep_update

    warnings.filterwarnings("ignore", module="recbole")
    logging.getLogger().addHandler(logging.NullHandler())  # RecBole warns on the way; the report says it better
    named: dict[str, Any] = {}
    for layer in (*map(read_mapping, files), overrides):
        deep_update(named, layer)
    model = model or named.get("model") or experiment.DEFAULT_MODEL
    source, users, items = raw
    if users is not None:
        folder, dataset = Path(named.get("data_path", "dataset")), dataset or f"{source}-log"
        asked = {str(key).replace("-", "_"): value for key, value in (named.get("prep") or {}).items()}
        found = _converted(source, users, items, asked, folder, dataset)
        if found is not None:
            return Examination({**named, "model": model, "dataset": dataset}, [found]), None
    start = experiment.build_config(model, dataset, files, overrides, checked=False)
    settings = dict(start.final_config_dict)

    def build(changes: Mapping[str, Any]) -> Any:
        asked = deep_update(dict(overrides), changes)
        return experiment.prepare(experiment.build_config(model, dataset, files, asked, checked=False))

    examined = consult(build, {}, settings)
    if users is not None and "thin-data" in examined.causes[:2]:
        command = recommended(users, items)
        examined.findings = [
            replace(found, values={**found.values, "command": command}) if found.id == "thin-data" else found
            for found in examined.findings
        ]
    return examined, (try_remedies(build, examined, settings) if trying and examined.ill else None)


def _converted(source: str, users: Path, items: Path | None, asked: Mapping[str, Any], folder: Path, name: str) -> Any:
    from dataset_prep import PrepError
    from recbole_alibaba.diagnosis.rawlog import convert_or_explain

    try:
        return convert_or_explain(source, users, items, asked, folder, name)
    except (PrepError, TypeError) as error:
        raise BadInput(str(error)) from error


def _write(folder: Path, examined: Examination, cure: Cure | None, lang: str, command: str) -> None:
    from recbole_alibaba.diagnosis.page import page
    from recbole_alibaba.diagnosis.report import as_json, property_file, words

    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "doctor.json": json.dumps(as_json(examined, cure, lang), ensure_ascii=False, indent=2) + "\n",
        "doctor.html": page(examined, cure, lang, command),
    }
    if cure is not None and cure.kept is not None:
        files["cure.yaml"] = property_file(cure)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    click.echo(words("written", lang, files=", ".join(str(folder / name) for name in files)), err=True)
