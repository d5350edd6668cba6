"""Errors that a user can fix: one sentence says where, what was there, what was needed, and what to do."""

import difflib
import errno
from collections.abc import Iterable
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
BAD_NAME = {errno.ENAMETOOLONG, errno.ELOOP}
NO_FOLDER = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}


class BadInput(Exception):
    """Base of the errors that the command line answers with one sentence and exit code 2."""


class RecBoleNeededError(BadInput, ImportError):
    """RecBole is not installed, or it is another version."""


class UnknownModelError(BadInput, LookupError):
    """Neither RecBole nor this plugin has a model of that name."""


class UnknownSettingError(BadInput, LookupError):
    """A setting that no code reads."""


class BadSettingError(BadInput, ValueError):
    """A setting whose value cannot work with the data or the other settings."""


class ConfigFileError(BadInput, ValueError):
    """A property file that does not exist or is not a mapping of settings."""


class DatasetNotFoundError(BadInput, FileNotFoundError):
    """There are no atomic files of that name."""


class UnusableDatasetError(BadInput, ValueError):
    """A data set that exists but cannot be trained on."""


class AtomicFileError(UnusableDatasetError):
    """An atomic file that is missing, malformed, or has a line that RecBole misreads."""


class CheckpointError(BadInput, ValueError):
    """A checkpoint that is none, or is of another model or of other data."""


class NothingHeldOutError(UnusableDatasetError):
    """The split leaves the validation or the test part empty."""


class CannotResumeError(BadInput, ValueError):
    """A run that cannot go on: there is none, it is damaged or in use, or something that counts has changed."""


class NothingLearnedError(BadInput, ArithmeticError):
    """Every metric stayed at zero."""


class SavedRunError(BadInput, ValueError):
    """A saved run that is not whole, not finished, of another version, or cannot do what was asked."""


class UntrustedFileError(BadInput, PermissionError):
    """A pickled checkpoint that nobody said to trust."""


class NotFiniteLossError(ArithmeticError):
    """A part of the loss became NaN or infinite."""


class DeadProcessError(RuntimeError):
    """One of several training processes ended before its time."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; the message says what is kept."""


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` with the known word nearest to `word`, or an empty string when none is near."""
    lowered = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return f" Did you mean '{lowered[found[0]]}'?" if found else ""


def disk_fault(error: BaseException | None) -> str | None:
    """One sentence for a full disk, a folder that may not be written, and a file in place of a folder; else None."""
    if not isinstance(error, OSError) or error.errno is None:
        return None
    here = Path.cwd()
    data = f" and add --data_path={here / 'dataset'}" if (here / "dataset").is_dir() else ""
    elsewhere = (
        f"go to another folder (cd){data}: log/, log_tensorboard/ and checkpoint_dir are written to the folder that a "
        "command is started in"
    )
    if error.errno in FULL:
        return f"The disk is full: {error.filename or here} cannot be written. Free some space, or {elsewhere}."
    if error.errno in FORBIDDEN:
        return f"{error.filename or here}: {error.strerror}. Change the permissions, or {elsewhere}."
    if error.errno in NO_FOLDER:
        return (
            f"{error.filename}: {error.strerror}. A file is in the way of a folder, or a folder of a file: rename it, "
            "or set checkpoint_dir to another folder."
        )
    if error.errno in BAD_NAME:
        return f"{error.filename}: {error.strerror}. Choose another name."
    return None
