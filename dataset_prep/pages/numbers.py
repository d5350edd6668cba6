"""How are numbers written on a page?"""

from __future__ import annotations


def count(value: int) -> str:
    """16037 -> 16,037"""
    return f"{value:,}"


def percent(part: float, whole: float) -> str:
    """Three digits; never 0% for something, nor 100% for less than all: 4.64%, 99.96%, under 0.01%."""
    share = part / whole if whole else 0.0
    if 0 < share < 1e-4:
        return "under 0.01%"
    if 0.9995 <= share < 1:
        return f"{share:.2%}" if share < 0.99995 else "over 99.99%"
    return f"{share * 100:.3g}%"


def plain(value: float, step: float | None = None) -> str:
    """A number of an axis or of a sentence, with thousands separators and without needless zeros.

    Args:
        step: the distance of the axis' ticks; it sets the number of decimals. None for four significant digits.
    """
    if value == int(value) and abs(value) < 1e15 and (step is None or step >= 1):
        return f"{int(value):,}"
    size = max(abs(value), step or 0.0)
    if size < 1e-3 and (step is None or step < 1e-5):
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}" if value else "0"
    if step is None:
        return f"{value:,.4g}" if size < 1000 else f"{value:,.0f}"
    decimals = next((places for places in range(9) if abs(step * 10**places - round(step * 10**places)) < 1e-6), 9)
    return f"{value:,.{decimals}f}"
