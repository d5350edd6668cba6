"""What does a setting's own line in a property file say? Its default, its type, and the values it lists."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole_alibaba.settings.kinds import (
    LARGEST,
    Kind,
    anything,
    choice,
    either,
    flag,
    listed,
    mapping,
    nothing,
    number,
    text,
    whole,
)
from recbole_alibaba.settings.property_files import read_mapping

# `n_layers: 2   # (int) The number of layers. Range in [1, 2].`
_LINE = re.compile(r"^(?P<key>[\w-]+):[^#\n]*#[ \t]*(?:\((?P<types>[^)]*)\))?(?P<rest>.*)$", re.MULTILINE)
_BRACKET = re.compile(r"\[([^\]]*)\]")
_RANGE = re.compile(r"[Rr]ange in \[\s*([-\d.]+)\s*,\s*([-\d.]+)\s*\]")
# What these multiply or raise may be fractional, although some of RecBole's lines say (int).
_WEIGHT = re.compile(r"weight|(^|_)(reg|alpha|beta|gamma|q|resolution|w_max)$")
_SIZE = re.compile(r"(^|_)(size|dim|dimension|heads|kernel|factors|rank|k|clusters|memory|fac|length|len)$")
_SHARE = re.compile(r"drop|_probs?$|(mask|drop|corruption)_ratio$")
_DEPTH = re.compile(r"layer|hops|n_iter|depth")
MOST_LAYERS = 1_000
_ANY_SIGN = ("margin",)


@dataclass(frozen=True)
class Line:
    """A setting's default and what its comment says."""

    default: Any
    types: str = ""
    comment: str = ""


def property_lines(files: Sequence[Path]) -> dict[str, Line]:
    """The line of every setting at the top level of `files`; a later file replaces an earlier one."""
    lines: dict[str, Line] = {}
    for file in files:
        source = file.read_text(encoding="utf-8")
        said = {found["key"]: (found["types"] or "", found["rest"]) for found in _LINE.finditer(source)}
        for key, default in read_mapping(file).items():
            lines[key] = Line(default, *said.get(key, ("", "")))
    return lines


def kind_of(key: str, line: Line) -> Kind:
    """The kind of values that `line` asks for; where it says nothing, the type of its default counts."""
    kind = _kind(key, line.default, line)
    return either(kind, nothing()) if line.default is None and kind.wants != anything().wants else kind


def _kind(key: str, default: Any, line: Line) -> Kind:
    types = line.types
    if isinstance(default, list) or "list" in types:
        inside = _inside(key, default, types)
        weights = isinstance(default, list) and any(isinstance(value, float) for value in default)
        return listed(inside, length=len(default) if weights else None, least=1 if default else 0)
    if isinstance(default, dict) or "dict" in types:
        return mapping()
    if isinstance(default, bool) or (default is None and "bool" in types):
        return flag()
    weight = "float" in types or (_WEIGHT.search(key) and not _SIZE.search(key))
    if isinstance(default, float) or (isinstance(default, int) and weight):
        return _number(key, default, line.comment)
    if isinstance(default, int) or "int" in types:
        # RecBole writes some switches as 1, and a list of sizes as text: reranker_CAN_NUM: "500,100,20".
        other = flag() if "bool" in types else text() if "str" in types else None
        return either(_count(key, default), other) if other else _count(key, default)
    if isinstance(default, str):
        words = _words(default, line.comment)
        return choice(*words) if words else text("text", ".+" if default else ".*")
    return text() if "str" in types else anything()


def _inside(key: str, default: Any, types: str) -> Kind:
    values = default or []
    if any(isinstance(value, float) for value in values) or "float" in types:
        return number(0, 1) if _SHARE.search(key) else number(0)
    if any(isinstance(value, int) for value in values) or "int" in types:
        return whole(1)
    return text() if values or "str" in types else anything()


def _number(key: str, default: float, comment: str) -> Kind:
    if found := _RANGE.search(comment):
        return number(float(found[1]), float(found[2]))
    if _SHARE.search(key):
        return number(0, 1)
    return number(0) if default >= 0 and key not in _ANY_SIGN else number()


def _count(key: str, default: int | None) -> Kind:
    if default is None:
        return whole(0)
    if default < 0:
        return whole()
    return whole(1 if default > 0 and _SIZE.search(key) else 0, MOST_LAYERS if _DEPTH.search(key) else LARGEST)


def _words(default: str, comment: str) -> list[str]:
    """The words in the comment's brackets, if the default is one of them."""
    for found in _BRACKET.finditer(comment):
        words = re.findall(r"[\w-]+", found[1])
        if default in words:
            return words
    return []
