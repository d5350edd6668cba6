"""Is each value of a layer of settings of the right kind? The refusal gives a value that would do."""

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

import yaml

from recbole_alibaba.host.errors import BadSettingError, UnknownSettingError, nearest
from recbole_alibaba.settings.kinds import Kind
from recbole_alibaba.settings.property_files import parse_value
from recbole_alibaba.settings.property_lines import Line, kind_of
from recbole_alibaba.settings.rules import COLUMN_OF_SAME_IDS, RULES

TYPED = "settings"  # the layer of the command line, or of a dictionary in Python
_NOT_GIVEN = object()


def check_values(layer: Mapping[str, Any], lines: Mapping[str, Line], where: str) -> None:
    """Refuse values that cannot be used, whatever the data and the other settings are.

    Args:
        lines: the property lines of the model.
        where: the source of the layer, for the message.

    Raises:
        BadSettingError: the first such value.
        UnknownSettingError: a mapping has a key that nothing reads.
    """
    for key, value in layer.items():
        if not isinstance(key, str):
            raise UnknownSettingError(f"{place(where)}the name of a setting must be text, and {key!r} is not.")
        _check((key,), value, lines, where)


def place(where: str) -> str:
    """The beginning of a message about a file's settings; what was typed needs none."""
    return "" if where == TYPED else f"{where}: "


def _check(path: tuple[str, ...], value: Any, lines: Mapping[str, Line], where: str) -> None:
    kind = _kind(path, lines)
    if kind is None:
        return
    if not kind.accepts(value):
        name = path[-1] + "".join(f" in {key}" for key in reversed(path[:-1]))
        raise BadSettingError(
            f"{place(where)}{name} is {_shown(value)}, and must be {kind.wants}. "
            f"Write {written(path, _better(kind, value, _default(path, lines)), where)}."
        )
    below = {name.split(".")[len(path)] for name in RULES if name.startswith(".".join(path) + ".")}
    if not below or not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        if key not in below:
            raise UnknownSettingError(
                f"{place(where)}nothing reads '{key}' in {'.'.join(path)}; it takes {', '.join(sorted(below))}."
                f"{nearest(str(key), below)}"
            )
        _check((*path, key), inner, lines, where)


def _kind(path: tuple[str, ...], lines: Mapping[str, Line]) -> Kind | None:
    name = ".".join(path)
    if name in RULES:
        return RULES[name]
    if name.startswith("alias_of_"):
        return COLUMN_OF_SAME_IDS
    return kind_of(name, lines[name]) if name in lines else None


def _default(path: tuple[str, ...], lines: Mapping[str, Line]) -> Any:
    value = lines[path[0]].default if path[0] in lines else _NOT_GIVEN
    for key in path[1:]:
        value = value.get(key, _NOT_GIVEN) if isinstance(value, Mapping) else _NOT_GIVEN
    return value


def _better(kind: Kind, value: Any, default: Any) -> Any:
    """A value of this kind that is likely meant, or else the default, or else nothing."""
    plain = parse_value(default) if isinstance(default, str) and default else default  # gpu_id: '0' is typed as 0
    only = kind.words if len(kind.words) == 1 else ()
    return next((found for found in (*_guesses(kind, value), plain, default, *only) if kind.accepts(found)), _NOT_GIVEN)


def _guesses(kind: Kind, value: Any) -> Iterator[Any]:
    single = value[0] if isinstance(value, list | tuple) and len(value) == 1 else value
    if isinstance(single, str):
        if single.lower() in ("none", "null", "~"):
            yield None
        plain = [_plain(word) for word in re.split(r"[\s,;]+", single.strip("[](){} ")) if word]
        yield from plain[:1] if len(plain) == 1 else ()
        yield plain
        known = {word.lower(): word for word in kind.words}
        near = re.search(r"'(.*)'", nearest(single, known))
        if near:
            yield known[near[1]]
            yield [known[near[1]]]
    if isinstance(single, float) and single.is_integer():
        yield int(single)
    if single in (0, 1):
        yield bool(single)
    if isinstance(single, int | float) and not isinstance(single, bool):
        yield single
        yield [single]
        yield f"[{single},inf)"
        yield str(single)


def _plain(word: str) -> Any:
    try:
        return int(word) if re.fullmatch(r"[-+]?\d+", word) else float(word)
    except ValueError:
        return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(
            word.lower(), word
        )


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def written(path: tuple[str, ...], value: Any, where: str) -> str:
    """The setting as one types it: a line of YAML in a file, `--key=value` on the command line."""
    if value is _NOT_GIVEN:
        return f"such a value, or leave {path[0]} away"
    for key in reversed(path[1:]):
        value = {key: value}
    if where == TYPED:
        return f"--{path[0]}={_quoted(as_yaml(value, none='None'))}"
    return f"`{path[0]}: {as_yaml(value)}`"


def _quoted(text: str) -> str:
    """For a shell; in double quotes, which Windows takes as well, where the text allows them."""
    if text[:1] == text[-1:] == "'" and parse_value(text[1:-1]) == text[1:-1]:
        text = text[1:-1]  # text that needs no quotes of YAML
    quoted = shlex.quote(text)
    return f'"{text}"' if quoted != text and not set(text) & set('"$`\\!') else quoted


def as_yaml(value: Any, none: str = "~") -> str:
    """`value` in one line of YAML, which reads back as the same value."""
    if value is None or isinstance(value, bool):
        return none if value is None else str(value)
    lines = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True).split(
        "\n"
    )
    return " ".join(takewhile(lambda line: line and line != "...", lines)).strip()
