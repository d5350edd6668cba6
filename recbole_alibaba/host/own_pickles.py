"""Which pickles did this program write? A pickle can run any code while it is read, so RecBole reads no other cache.

The SHA-256 of each cache is noted in a file of the user, outside the data: `~/.local/state/recbole-alibaba/pickles`, or
under `XDG_STATE_HOME`. A cache that is copied from another machine is therefore made again.
"""

import os
import pickle
from contextlib import suppress
from logging import getLogger
from pathlib import Path
from typing import IO, Any

from recbole_alibaba.saved.run_folder import sha256


class OwnPickles:
    """The module `pickle` for RecBole's caches: what it dumps is noted, and nothing else is loaded."""

    def dump(self, value: Any, file: IO[bytes], *args: Any, **kwargs: Any) -> None:
        """As `pickle.dump`, into a file that is open on disk."""
        pickle.dump(value, file, *args, **kwargs)
        file.flush()
        _note(sha256(Path(file.name)))

    def load(self, file: IO[bytes], *args: Any, **kwargs: Any) -> Any:
        """As `pickle.load`; a `Foreign` for what this program did not write."""
        return pickle.load(file, *args, **kwargs) if is_own(Path(file.name)) else Foreign()


class Foreign:
    """In place of a data set that was not read: its settings are none that RecBole could look for."""

    config = type("Nothing", (), {"__getitem__": lambda self, key: self})()


def is_own(file: Path) -> bool:
    """Whether this program wrote the file for this user."""
    return sha256(file) in _noted()


def _list() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "recbole-alibaba" / "pickles"


def _noted() -> set[str]:
    with suppress(OSError, RuntimeError):  # RuntimeError: no home
        return set(_list().read_text(encoding="ascii").split())
    return set()


def _note(digest: str) -> None:
    try:
        path = _list()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="ascii") as file:
            file.write(f"{digest}\n")
    except (OSError, RuntimeError) as error:
        getLogger().warning(f"This cache will not be used again, because it could not be noted as our own: {error}.")
