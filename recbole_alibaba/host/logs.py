"""RecBole's logger for several runs in one process, and without colours where the console is not a terminal."""

import logging
import sys

import click
from recbole.config import Config
from recbole.utils import init_logger

_ours: list[logging.Handler] = []


def start(config: Config) -> None:
    """Send the log of this run to its own file under `log/` and to the console; the settings go to the file only.

    RecBole's `init_logger` has two faults that are repaired here. From the second run on it does nothing, because
    `logging.basicConfig` finds handlers. And colorama wraps stdout again each time, until a RecursionError after some
    250 runs.
    """
    root = logging.getLogger()
    stop()
    before, streams = list(root.handlers), (sys.stdout, sys.stderr)
    for handler in before:
        root.removeHandler(handler)  # otherwise basicConfig adds none
    init_logger(config)
    sys.stdout, sys.stderr = streams
    _ours.extend(root.handlers)
    for handler in before:
        root.addHandler(handler)
    for handler in _ours:
        if isinstance(handler, logging.FileHandler):
            handler.handleError = _raise  # type: ignore[method-assign]
            handler.handle(logging.makeLogRecord({"msg": str(config), "levelname": "INFO", "levelno": logging.INFO}))
        elif not sys.stderr.isatty():
            handler.addFilter(_without_colours)


def stop() -> None:
    """Close the log file of this run and remove its handlers from the root logger."""
    while _ours:
        handler = _ours.pop()
        logging.getLogger().removeHandler(handler)
        handler.close()


def _raise(record: logging.LogRecord) -> None:
    """Let the error through that logging would print with a traceback at every line, such as a full disk."""
    error = sys.exc_info()[1]
    if error is not None:
        raise error


def _without_colours(record: logging.LogRecord) -> bool:
    record.msg = click.unstyle(str(record.msg))
    return True
