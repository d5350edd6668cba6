"""Which trial takes more than it may? Its process is looked at from outside; its whole peak is known at its end."""

from __future__ import annotations

from time import monotonic

import psutil

from recbole_alibaba.board.plan import Limits


class Watch:
    """One process and what it may take."""

    def __init__(self, pid: int, limits: Limits) -> None:
        self._limits, self._until = limits, monotonic() + (limits.seconds or float("inf"))
        self._process = psutil.Process(pid)
        self.peak = 0

    def exceeded(self) -> tuple[str, str] | None:
        """State and reason, once it is too long or too large."""
        if monotonic() > self._until:
            return "timeout", f"It was not finished after {self._limits.seconds:,.0f} seconds."
        try:
            self.peak = max(self.peak, self._process.memory_info().rss)
        except psutil.Error:  # it has just ended
            return None
        reason = over_memory(self.peak, self._limits)
        return ("memory", reason) if reason else None


def over_memory(peak: float, limits: Limits) -> str | None:
    """A sentence where a peak (bytes) is above the limit."""
    most = limits.memory_gb
    return f"It took more than {most:g} GB of memory." if most is not None and peak > most * 1e9 else None
