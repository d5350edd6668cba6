"""What the converter refuses. Each message says where, what was there, what was needed and what to do."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataset_prep.choices.remedies import Remedy
    from dataset_prep.pairs.funnel import Funnel


class PrepError(ValueError):
    """The input or the request cannot be converted. The message is for the user (exit code 2)."""


class UsageError(PrepError):
    """A setting without a meaning, or two that exclude each other."""


class InputError(PrepError):
    """A file that is missing, empty, unreadable, or not in the form of its source."""


class TooManyRejectsError(InputError):
    """More rows do not parse than --max-bad allows."""


class OutputError(PrepError):
    """The output folder belongs to something else, or cannot be written."""


def not_written(target: Path, error: OSError) -> str:
    """One sentence for an error of the disk that was met while ``target`` was made."""
    place = f" (at {error.filename})" if error.filename else ""
    reason = f"{target}: could not be written: {error.strerror or error}{place}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason += f" Free some space there or in {tempfile.gettempdir()} (TMPDIR), or choose another --output."
    return reason


@dataclass
class ThinDatasetError(PrepError):
    """Too little is left. Carries the funnel and the remedies that were tried."""

    message: str
    funnel: Funnel
    remedies: Sequence[Remedy] = ()

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def __str__(self) -> str:
        return "\n".join([self.message, "", *(f"  {line}" for line in self.funnel.lines()), "", self.advice()])

    def advice(self) -> str:
        """The options that were tried on the data and leave enough."""
        if self.remedies:
            return "\n".join(["Tried on this data, and enough:", *(f"  {r}" for r in self.remedies)])
        return (
            "No other choice of behaviours, items, thresholds or --level category leaves enough either: what is left "
            "of this log is too thin to learn from. To convert it all the same, lower the limit that is named, or give "
            "--min-known 0."
        )


class EmptyDatasetError(ThinDatasetError):
    """Nothing is left at all."""
