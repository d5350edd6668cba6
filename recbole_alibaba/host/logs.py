"""RecBole's logger, mended for several runs in one process and for consoles that are no terminal."""

import logging
import sys

import click
from recbole.config import Config
from recbole.utils import init_logger

_ours: list[logging.Handler] = []


def start(config: Config) -> None:
    """Send this run's log to its own file under `log/` and to the console; the settings go to the file only.

    RecBole's `init_logger` does nothing from the second run on (`logging.basicConfig` finds handlers) and wraps
    stdout once more each time (colorama), which ends in a RecursionError after some 250 runs; both are put right.
    """
    root = logging.getLogger()
    stop()
    before, streams = list(root.handlers), (sys.stdout, sys.stderr)
    for handler in before:
        root.removeHandler(handler)  # else basicConfig adds none
    init_logger(config)
    sys.stdout, sys.stderr = streams
    _ours.extend(root.handlers)
    for handler in before:
        root.addHandler(handler)
    for handler in _ours:
        if isinstance(handler, logging.FileHandler):
            handler.handle(logging.makeLogRecord({"msg": str(config), "levelname": "INFO", "levelno": logging.INFO}))
        elif not sys.stderr.isatty():
            handler.addFilter(_without_colours)


def stop() -> None:
    """Close this run's log file and take its handlers off the root logger."""
    while _ours:
        handler = _ours.pop()
        logging.getLogger().removeHandler(handler)
        handler.close()


def _without_colours(record: logging.LogRecord) -> bool:
    record.msg = click.unstyle(str(record.msg))
    return True
