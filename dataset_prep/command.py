"""Which command line asks for these options? Complete, so that it can be pasted."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

OPTION_OF = {"users": "--log", "since": "--from", "until": "--to"}
NOT_TYPED = ("source", "quiet", "misspelt")


def changed_options(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that differ from the function's defaults."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in given.items()
        if name in defaults
        and name not in NOT_TYPED
        and str(value) != str(defaults[name])
        and not (value is None or value is False or value == () or value == [])
    }


def command_line(source: str, options: Mapping[str, Any]) -> str:
    """``python -m dataset_prep SOURCE ...`` with the options of ``convert``."""
    words = ["python", "-m", "dataset_prep", source]
    for name, value in sorted(options.items(), key=lambda option: option[0] not in ("users", "items")):
        option = OPTION_OF.get(name, f"--{name.replace('_', '-')}")
        if value is True:
            words.append(option)
        elif name in ("users", "items"):
            words += [word for file in value for word in (option, str(file))]
        elif isinstance(value, list | tuple):
            words += [option, ",".join(map(str, value))]
        else:
            words += [option, str(value)]
    return shlex.join(words)
