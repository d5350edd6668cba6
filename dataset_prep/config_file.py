"""Options from a property file: the mapping `prep:` of an experiment, as defaults for the command line."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dataset_prep.errors import UsageError


def read_defaults(file: str | Path, known: set[str]) -> dict[str, Any]:
    """The mapping ``prep`` of the YAML ``file``, its keys spelt as on the command line or with underscores.

    Raises UsageError for a file without it, and for a key that is not in ``known``.
    """
    import yaml

    try:
        loaded = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--config: {file} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"--config: {file} is no YAML: {error}") from error
    asked = loaded.get("prep") if isinstance(loaded, Mapping) else None
    if not isinstance(asked, Mapping):
        raise UsageError(f"--config: {file} has no mapping 'prep:' with options of this command.")
    settings = {str(key).replace("-", "_"): value for key, value in asked.items()}
    for key in settings:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise UsageError(f"--config: {file}: there is no option '{key}' in 'prep:'.{hint}")
    return settings


def _as_defaults(context: click.Context, _: click.Parameter, file: str | None) -> None:
    if file is not None:
        known = {parameter.name for parameter in context.command.params if parameter.name is not None}
        context.default_map = read_defaults(file, known - {"config"})


config_option = click.option(
    "--config",
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_as_defaults,
    help="Take the options under 'prep:' of this property file; what the command line says counts more.",
)
