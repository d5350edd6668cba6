"""Which settings exist: a key that no property file has and no code reads is refused, with the nearest name."""

import inspect
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from recbole_alibaba.host import registry
from recbole_alibaba.host.errors import BadInput, UnknownSettingError, nearest
from recbole_alibaba.host.properties import PACKAGE, parse_value, properties_folder, read_mapping

_READ = re.compile(r"""config(?:\.get\(|\[)\s*["'](\w+)["']""")
_HOST_READERS = ("config", "data", "evaluator", "quick_start", "sampler", "trainer", "utils")
# dataset_prep reads `prep` in an experiment file (--config FILE); training does not.
_ELSEWHERE = {"model", "dataset", "config_files", "prep"}


def parse_overrides(arguments: Sequence[str]) -> dict[str, Any]:
    """`--key value` and `--key=value` as a dictionary of typed values.

    Raises:
        BadInput: a word is not a `--key`, or a key has no value.
    """
    settings: dict[str, Any] = {}
    words = list(arguments)
    while words:
        word = words.pop(0)
        if not word.startswith("--") or len(word) == 2:
            raise BadInput(f"'{word}' is not a setting: write --key=value or --key value.")
        key, equals, text = word[2:].partition("=")
        if not equals:
            if not words or words[0].startswith("--"):
                raise BadInput(f"The setting '--{key}' has no value: write --{key}=value.")
            text = words.pop(0)
        settings[key] = parse_value(text)
    return settings


def refuse_unknown(settings: Mapping[str, Any], model_class: type, where: str) -> None:
    """Refuse settings that neither RecBole, the model nor this plugin reads.

    Args:
        where: the source of the settings, for the message.

    Raises:
        UnknownSettingError: the first such key, with the nearest known one.
    """
    known = known_settings(model_class)
    for key in settings:
        if key not in known and not key.startswith("alias_of_"):
            raise UnknownSettingError(
                f"{where}: nothing reads the setting '{key}' with {model_class.__name__}.{nearest(key, known)}"
            )


@cache
def known_settings(model_class: type) -> frozenset[str]:
    """Keys of the model's property files, and keys that the code of the model, RecBole or this plugin reads."""
    from recbole.utils import argument_list

    root = Path(inspect.getfile(sys.modules["recbole"])).parent
    host, name = root / "properties", model_class.__name__
    files = [host / "overall.yaml", host / "model" / f"{name}.yaml", *host.glob("quick_start_config/*.yaml")]
    files += [*host.glob("dataset/sample.yaml"), properties_folder() / "overall.yaml"]
    if registry.is_ours(name):
        files.append(properties_folder() / "model" / f"{name}.yaml")
    keys = {key for file in files if file.is_file() for key in read_mapping(file)}
    keys |= {key for names in vars(argument_list).values() if isinstance(names, list) for key in names}
    sources = [*(root / "model").glob("*.py"), *PACKAGE.rglob("*.py")]
    sources += [file for folder in _HOST_READERS for file in (root / folder).rglob("*.py")]
    sources += [Path(inspect.getfile(base)) for base in model_class.__mro__ if base.__module__ != "builtins"]
    return frozenset(keys | _keys_read(sources) | _ELSEWHERE)


def _keys_read(sources: Iterable[Path]) -> set[str]:
    return {key for file in set(sources) for key in _READ.findall(file.read_text(encoding="utf-8"))}
