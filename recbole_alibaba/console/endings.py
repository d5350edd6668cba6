"""How does a command end that cannot go on? With one sentence on stderr and an exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from recbole_alibaba.host.errors import BadInput, NotFiniteLossError, disk_fault

NOT_FINITE, BAD_INPUT, INTERRUPTED = 1, 2, 130  # 130: as a shell reports SIGINT


@contextmanager
def one_sentence(stopped: str) -> Iterator[None]:
    """Exit with one sentence after an error of the block that a user can mend.

    Exit codes: 2 for bad input and for a disk that cannot be read or written, 1 for a loss that became NaN or infinite,
    130 for Ctrl-C.

    Args:
        stopped: the sentence after Ctrl-C where the interruption has none of its own.
    """
    try:
        yield
        return
    except BadInput as error:
        code, message = BAD_INPUT, f"Error: {error}"
    except NotFiniteLossError as error:
        code, message = NOT_FINITE, f"Error: {error}"
    except OSError as error:
        fault = disk_fault(error)
        if fault is None:
            raise
        code, message = BAD_INPUT, f"Error: {fault}"
    except KeyboardInterrupt as interruption:
        code, message = INTERRUPTED, str(interruption) or stopped
    click.echo(message, err=True)
    sys.exit(code)
