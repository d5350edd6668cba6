"""Errors a user can mend: one sentence that says where, what was there, what was needed, what to do."""

import difflib
from collections.abc import Iterable


class BadInput(Exception):
    """Base of everything that is answered with one sentence and exit code 2."""


class UnknownModelError(BadInput, LookupError):
    """No model of that name in RecBole or in this plugin."""


class UnknownSettingError(BadInput, LookupError):
    """A setting that nobody reads."""


class BadSettingError(BadInput, ValueError):
    """A setting whose value cannot work with the data or the other settings."""


class ConfigFileError(BadInput, ValueError):
    """A property file that is absent or is no mapping of settings."""


class DatasetNotFoundError(BadInput, FileNotFoundError):
    """No atomic files of that name."""


class UnusableDatasetError(BadInput, ValueError):
    """A data set that is there and cannot be trained on."""


class NothingHeldOutError(UnusableDatasetError):
    """The split leaves the validation or the test part empty."""


class NotFiniteLossError(ArithmeticError):
    """A part of the loss became NaN or infinite."""


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for the known word nearest to `word`, or an empty string when none is near."""
    lowered = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return f" Did you mean '{lowered[found[0]]}'?" if found else ""
