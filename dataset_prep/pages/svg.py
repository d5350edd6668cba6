"""How are words written in a chart, and how much room do they take?"""

from __future__ import annotations

import unicodedata
from html import escape

TEXT = 12  # pixels, as in chart.css


def head(width: int, height: int, title: str, words: str) -> str:
    """The opening tag, with a title and a description for those who do not see the chart."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"><title>{escape(title)}</title><desc>{escape(words)}</desc>'
    )


def text(x: float, y: float, words: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(words)}</text>'


def text_width(words: str) -> float:
    """About how many pixels a text takes; fonts differ."""
    return sum(TEXT if unicodedata.east_asian_width(letter) in "WF" else 0.58 * TEXT for letter in words)


def cut(words: str, width: float) -> str:
    """The words, or as much of their beginning and end as `width` pixels hold: labels often differ at their end."""
    if text_width(words) <= width:
        return words
    keep = len(words) - 1
    while keep > 2 and text_width(shortened := f"{words[: keep - keep // 3]}…{words[-(keep // 3) :]}") > width:
        keep -= 1
    return shortened
