"""How does a command end that cannot go on? With one sentence on stderr and an exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from recbole_alibaba.host.errors import BadInput, DeadProcessError, NotFiniteLossError, disk_fault

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130  # 130: as a shell reports SIGINT


@contextmanager
def one_sentence(stopped: str) -> Iterator[None]:
    """Exit with one sentence after an error of the block that a user can mend.

    Exit codes: 2 for bad input and for a disk that cannot be read or written, 1 for a loss that became NaN or infinite
    and for one of several processes that died, 130 for Ctrl-C.

    Args:
        stopped: the sentence after Ctrl-C where the interruption has none of its own.
    """
    try:
        yield
        return
    except BadInput as error:
        code, message = BAD_INPUT, f"Error: {error}"
    except (NotFiniteLossError, DeadProcessError) as error:
        code, message = FAILED, f"Error: {error}"
    except OSError as error:
        fault = disk_fault(error)
        if fault is None:
            raise
        code, message = BAD_INPUT, f"Error: {fault}"
    except KeyboardInterrupt as interruption:
        code, message = INTERRUPTED, str(interruption) or stopped
    click.echo(message, err=True)
    sys.exit(code)
