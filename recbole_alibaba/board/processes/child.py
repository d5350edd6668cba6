"""What does a process do? One function: its console goes to a file, what it reports and returns to the parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from recbole_alibaba.host.errors import BadInput


def work(sender: Connection, log: Path, function: Callable[..., Any], *arguments: Any) -> None:
    """Call the function with a callable that sends; send ("returned", value) or ("refused", sentence) last."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its processes
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.stdout = sys.stderr = file
        try:
            sender.send(("returned", function(*arguments, lambda progress: sender.send(("told", progress)))))
        except BadInput as error:
            sender.send(("refused", str(error)))
        except Exception:
            traceback.print_exc()
            raise SystemExit(1) from None


def _end_with_the_parent() -> None:
    """A parent that was killed cannot end its processes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
