"""What the converter refuses, and how it says so: where, what was there, what was needed, what to do."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from dataset_prep.core import Size, Thresholds
from dataset_prep.funnel import Funnel, describe


class PrepError(ValueError):
    """The input or the request cannot be converted; the message is one for the user (exit code 2)."""


class UsageError(PrepError):
    """A setting that cannot be meant, or two that exclude each other."""


class InputError(PrepError):
    """A file that is missing, empty, unreadable, or not of the shape its source has."""


class TooManyRejectsError(InputError):
    """More rows do not parse than --max-bad allows."""


class OutputError(PrepError):
    """The place to write to is taken, or cannot be written."""


@dataclass(frozen=True)
class Remedy:
    """Other options, tried on the same data, and what they left."""

    options: dict[str, str | None]
    size: Size
    thresholds: Thresholds

    @property
    def command_line(self) -> str:
        """Ready to be added to the command that failed (an option given twice: the last one counts)."""
        words: list[str] = []
        for option, value in self.options.items():
            words += [option] if value is None else [option, shlex.quote(value)]
        return " ".join(words)

    def __str__(self) -> str:
        return f"{self.command_line}   leaves {describe(self.size)}"


@dataclass
class ThinDatasetError(PrepError):
    """Something is left, but less than was asked for. Carries the whole funnel and the remedies that were tried."""

    message: str
    funnel: Funnel = field(default_factory=Funnel)
    remedies: Sequence[Remedy] = ()

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def __str__(self) -> str:
        return "\n".join([self.message, "", *(f"  {line}" for line in self.funnel.lines()), "", self.advice()])

    def advice(self) -> str:
        """What was tried on the data and is enough."""
        if self.remedies:
            return "\n".join(
                ["Tried on this data, and enough (add to the command line):", *(f"  {r}" for r in self.remedies)]
            )
        return (
            "No wider choice of behaviours, items or thresholds leaves enough either: this log is too small. "
            "Lower --min-interactions, --min-users and --min-items to convert it all the same."
        )


class EmptyDatasetError(ThinDatasetError):
    """Nothing is left at all."""
