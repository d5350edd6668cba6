"""What is said of an error that no check foresaw? One sentence with the settings that were given."""

import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from recbole_alibaba.host.errors import BadInput, BadSettingError, NotFiniteLossError, disk_fault
from recbole_alibaba.settings.values import TYPED, written

TRACES = {"enable_amp": r"\b(BFloat16|Half)\b"}  # settings that an error of torch shows without their name


@contextmanager
def settings_named(given: Mapping[str, Any], files: Sequence[str] = ()) -> Iterator[None]:
    """Turn an unforeseen error into a sentence that names the settings of this run; the traceback goes to a file.

    Without any setting given, the error passes: then it is no matter of settings.

    Raises:
        BadSettingError: in place of the unforeseen error.
    """
    try:
        yield
    except (BadInput, NotFiniteLossError):
        raise
    except Exception as error:
        if (not given and not files) or disk_fault(error) is not None:
            raise
        raise BadSettingError(_sentence(error, given, files)) from error


def _sentence(error: Exception, given: Mapping[str, Any], files: Sequence[str]) -> str:
    message = " ".join(str(error).split()) or "no message"
    frames = traceback.extract_tb(error.__traceback__)
    code = " ".join(frame.line or "" for frame in frames)
    near = [key for key, value in given.items() if _occurs(key, value, message, code)]
    named = [written((key,), given[key], TYPED) for key in near or given]
    suspects = " and ".join(named + [f"those of {file}" for file in files])
    message = message[:300].rstrip(".")
    end = f" The whole error is in {file}." if (file := _keep(error)) else ""
    return (
        f"This run stopped in {Path(frames[-1].filename).name} with {type(error).__name__}: {message}. "
        f"Its settings are probably the cause: take away {suspects}, or choose another value.{end}"
    )


def _occurs(key: str, value: Any, message: str, code: str) -> bool:
    """Whether the message has the name of a setting or a word of its value, or the code that failed reads it."""
    if re.search(TRACES.get(key, rf"\b{re.escape(key)}\b"), message) or re.search(
        rf"""["']{re.escape(key)}["']""", code
    ):
        return True
    if isinstance(value, Mapping):
        return any(_occurs(str(name), below, message, code) for name, below in value.items())
    words = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(word, str) and len(word) > 1 and word in message for word in words)


def _keep(error: Exception) -> Path | None:
    file = Path("log") / f"traceback-{datetime.now():%Y-%m-%d-%H-%M-%S-%f}.txt"
    try:
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError:
        return None
    return file
