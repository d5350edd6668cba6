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
from recbole_alibaba.settings.old_names import OTHER_WORDS, refuse_old
from recbole_alibaba.settings.property_files import PACKAGE, parse_value, properties_folder, read_mapping
from recbole_alibaba.settings.property_lines import Line, property_lines
from recbole_alibaba.settings.values import TYPED, check_values, place

_READ = re.compile(r"""config(?:\.get\(|\[)\s*["'](\w+)["']""")
_HOST_READERS = ("config", "data", "evaluator", "quick_start", "sampler", "trainer", "utils")
# dataset_prep reads `prep` in an experiment file (--config FILE); training does not.
_ELSEWHERE = {"model", "dataset", "config_files", "prep"}


def parse_overrides(arguments: Sequence[str]) -> dict[str, Any]:
    """`--key value` and `--key=value` as a dictionary of typed values.

    Raises:
        BadInput: a word is not a `--key`, or a key has no value.
    """
    settings, others = separate(arguments)
    if others:
        raise BadInput(f"'{others[0]}' is not a setting: write --key=value or --key value.")
    return settings


def separate(arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The settings among the words, as `parse_overrides` returns them, and the words that are none.

    Raises:
        BadInput: a key has no value.
    """
    settings: dict[str, Any] = {}
    words, others = list(arguments), []
    while words:
        word = words.pop(0)
        if not word.startswith("--") or len(word) == 2:
            others.append(word)
            continue
        key, equals, text = word[2:].partition("=")
        if not equals:
            if not words or words[0].startswith("--"):
                raise BadInput(f"The setting '--{key}' has no value: write --{key}=value.")
            text = words.pop(0)
        settings[key] = parse_value(text)
    return settings, others


def check_layer(
    settings: Mapping[str, Any], model_class: type, where: str = TYPED, for_every_model: bool = False
) -> None:
    """Refuse settings that nothing reads, and values that cannot be used.

    Args:
        where: the source of the settings, for the message.
        for_every_model: the layer counts for all models, so it may have settings that this one does not read.

    Raises:
        UnknownSettingError: neither RecBole, the model nor this plugin reads a key; the message has its successor or
            the nearest known key.
        BadSettingError: a value of the wrong type, or out of its range.
    """
    lines = lines_of(model_class)
    refuse_old(settings, frozenset(lines), where)
    known = known_settings(model_class)
    for key in settings:
        if not for_every_model and key not in known and not str(key).startswith("alias_of_"):
            word = OTHER_WORDS.get(key)
            hint = f" Did you mean '{word}'?" if word in known else nearest(str(key), known)
            raise UnknownSettingError(
                f"{place(where)}nothing reads the setting '{key}' with {model_class.__name__}.{hint}"
            )
    check_values(settings, lines, where)


@cache
def lines_of(model_class: type) -> dict[str, Line]:
    """The property line of each setting of the model: RecBole's, then this plugin's over them."""
    return property_lines([file for file in _property_files(model_class) if file.is_file()])


def _property_files(model_class: type) -> list[Path]:
    host, name = _root() / "properties", model_class.__name__
    ours = properties_folder()
    files = [host / "overall.yaml", host / "model" / f"{name}.yaml", host / "dataset" / "sample.yaml"]
    return files + ([ours / "overall.yaml", ours / "model" / f"{name}.yaml"] if registry.is_ours(name) else [])


def _root() -> Path:
    return Path(inspect.getfile(sys.modules["recbole"])).parent


@cache
def known_settings(model_class: type) -> frozenset[str]:
    """Keys of the model's property files, and keys that the code of the model, RecBole or this plugin reads."""
    keys = {key for file in _property_files(model_class) if file.is_file() for key in read_mapping(file)}
    sources = [Path(inspect.getfile(base)) for base in model_class.__mro__ if base.__module__ != "builtins"]
    return frozenset(keys | _keys_read(sources) | known_to_all())


@cache
def known_to_all() -> frozenset[str]:
    """Keys that do not depend on the model."""
    from recbole.utils import argument_list

    root = _root()
    files = [*(root / "properties").glob("quick_start_config/*.yaml"), properties_folder() / "overall.yaml"]
    keys = {key for file in files if file.is_file() for key in read_mapping(file)}
    keys |= {key for names in vars(argument_list).values() if isinstance(names, list) for key in names}
    sources = [*(root / "model").glob("*.py"), *PACKAGE.rglob("*.py")]
    sources += [file for folder in _HOST_READERS for file in (root / folder).rglob("*.py")]
    return frozenset(keys | _keys_read(sources) | _ELSEWHERE)


def _keys_read(sources: Iterable[Path]) -> set[str]:
    return {key for file in set(sources) for key in _READ.findall(file.read_text(encoding="utf-8"))}
