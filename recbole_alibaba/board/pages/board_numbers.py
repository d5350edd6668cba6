"""How are the numbers of a board written? The pages round nowhere else."""

from __future__ import annotations

from recbole_alibaba.board.standings.contents import Figure


def score(value: float | None) -> str:
    """A metric: 0.0356; "" where there is none."""
    return "" if value is None else f"{value:.4f}"


def figure(value: Figure | None) -> str:
    """A metric over the seeds: 0.0356 ± 0.0004."""
    if value is None:
        return ""
    return score(value.mean) + ("" if value.sd is None else f" ± {score(value.sd)}")


def amount(value: float | None) -> str:
    """Seconds, megabytes, a mean popularity: 12,345; 12.5; 0.25."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def chance(value: float) -> str:
    """A p-value: 0.031, <0.001."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
