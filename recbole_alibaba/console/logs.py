"""RecBole's logger for several runs in one process: the log on stderr and in a file, the result on stdout."""

import logging
import sys

import click
from recbole.config import Config
from recbole.utils import init_logger

from recbole_alibaba.console.terminal import takes_colours

_ours: list[logging.Handler] = []


def start(config: Config) -> None:
    """Send the log of this run to its own file under `log/` and to stderr; the settings go to the file only.

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
    for handler in _ours:
        if isinstance(handler, logging.FileHandler):
            handler.handleError = _raise  # type: ignore[method-assign]
            handler.handle(logging.makeLogRecord({"msg": str(config), "levelname": "INFO", "levelno": logging.INFO}))
            continue
        handler.addFilter(lambda record: not _is_result(record))
        if not takes_colours(sys.stderr):
            handler.setFormatter(_Plain("%(asctime)-15s %(levelname)s  %(message)s", "%d %b %H:%M"))
    out = logging.StreamHandler(sys.stdout)
    out.addFilter(_is_result)
    root.addHandler(out)
    _ours.append(out)
    for handler in before:
        root.addHandler(handler)


def stop() -> None:
    """Close the log file of this run and remove its handlers from the root logger."""
    while _ours:
        handler = _ours.pop()
        logging.getLogger().removeHandler(handler)
        handler.close()


def result(text: str) -> None:
    """Log the result of a run: on stdout and in the file, whatever `state` is."""
    record = {"msg": text, "levelname": "INFO", "levelno": logging.INFO, "name": "root", "is_result": True}
    logging.getLogger().handle(logging.makeLogRecord(record))


def _is_result(record: logging.LogRecord) -> bool:
    return hasattr(record, "is_result")


def _raise(record: logging.LogRecord) -> None:
    """Let the error through that logging would print with a traceback at every line, such as a full disk."""
    error = sys.exc_info()[1]
    if error is not None:
        raise error


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return click.unstyle(super().format(record))
