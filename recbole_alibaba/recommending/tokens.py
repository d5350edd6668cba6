"""The data's own ids (tokens) of users or items, and the internal id of each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from recbole_alibaba.host.errors import SavedRunError

COMPARED = 20_000
"""Tokens that a search for the nearest compares at most: more would take seconds."""
NAMED = 3
"""Unknown tokens that a message names."""


class Tokens:
    """Internal id i has the token `texts[i]`; 0 is RecBole's padding.

    Args:
        kind: `user` or `item`, for the messages.
        texts: strings, (n,).
    """

    def __init__(self, kind: str, texts: np.ndarray) -> None:
        self.kind, self.texts = kind, texts

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self.texts)

    def ids(self, wanted: Sequence[str]) -> np.ndarray:
        """The internal id of each token, int64 (m,); 0 for an unknown one."""
        found = self._index.get_indexer(pd.Index(list(wanted), dtype=object))
        return np.maximum(found, 0).astype(np.int64)

    def known(self, wanted: Sequence[str]) -> np.ndarray:
        """The internal ids of tokens that must all be known.

        Raises:
            SavedRunError: the first unknown ones, with the nearest tokens.
        """
        ids = self.ids(wanted)
        if (ids == 0).any():
            raise SavedRunError(self.unknown_sentence([one for one, at in zip(wanted, ids, strict=True) if not at]))
        return ids

    def unknown_sentence(self, unknown: Sequence[str]) -> str:
        """Names the first unknown tokens, each with the nearest ones."""
        named = [f"{word!r}{self._hint(word)}" for word in unknown[:NAMED]]
        more = f" and {len(unknown) - NAMED:,} more" if len(unknown) > NAMED else ""
        plural = "s" if len(unknown) > 1 else ""
        return f"The model does not know the {self.kind}{plural} {', '.join(named)}{more}."

    def _hint(self, word: str) -> str:
        near = difflib.get_close_matches(word, self._candidates(word), n=3)
        return f" (nearest: {', '.join(near)})" if near else ""

    def _candidates(self, word: str) -> Iterable[str]:
        texts = self.texts[1:]
        for length in range(4):  # as many leading characters as leave few enough
            some = texts if not length else [text for text in texts if text.startswith(word[:length])]
            if len(some) <= COMPARED:
                return list(some)
        return list(some)[:COMPARED]
