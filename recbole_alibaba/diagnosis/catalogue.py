"""Which sentences belong to a message id? One YAML file holds them in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LANGUAGES = ("en", "zh")


class UnknownMessageError(KeyError):
    """An id, a wording or a language that ``messages.yaml`` does not have."""

    def __str__(self) -> str:
        return str(self.args[0])


@cache
def catalogue() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """id -> wording -> language -> sentence."""
    loaded: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(
        Path(__file__).with_name("messages.yaml").read_text(encoding="utf-8")
    )
    return loaded


def sentence(message_id: str, wording: str, lang: str, values: Mapping[str, Any]) -> str:
    """The sentence of ``message_id`` with ``values`` filled in.

    Raises:
        UnknownMessageError: ``messages.yaml`` has no such id, wording or language.
    """
    try:
        template = catalogue()[message_id][wording][lang]
    except KeyError:
        raise UnknownMessageError(
            f"messages.yaml has no sentence {message_id} / {wording} / {lang}; each needs {LANGUAGES}"
        ) from None
    return template.strip().format(**values)


def measured(message_id: str, lang: str = "en") -> str:
    """What the measure ``message_id`` measures, without its numbers: the beginning of its line."""
    known = catalogue()[message_id]
    return known["measure"][lang].partition("{")[0].rstrip(" :：") if "measure" in known else title(message_id, lang)


def title(message_id: str, lang: str = "en") -> str:
    """A few words that name ``message_id`` in a list."""
    return sentence(message_id, "title", lang, {})
