"""Charts as one PNG, in the light colours of the pages."""

from __future__ import annotations

from collections.abc import Sequence

from dataset_prep.pages.chart import Chart
from dataset_prep.pages.html import light

COLUMNS, GAP, ZOOM = 2, 24, 2


class NoPictureError(RuntimeError):
    """The library or a font that a picture needs is missing."""


def picture(charts: Sequence[Chart]) -> bytes:
    """The PNG: two charts in a row.

    Raises:
        NoPictureError: resvg is not installed, or no font.
    """
    try:
        from resvg_py import svg_to_bytes
    except ModuleNotFoundError as error:
        raise NoPictureError("A picture needs resvg: pip install 'recbole-alibaba[png]'.") from error
    width = max(chart.size()[0] for chart in charts)
    parts, y = [], GAP
    for at in range(0, len(charts), COLUMNS):
        row = charts[at : at + COLUMNS]
        for column, chart in enumerate(row):
            parts.append(chart.svg().replace("<svg ", f'<svg x="{GAP + column * (width + GAP)}" y="{y}" ', 1))
        y += max(chart.size()[1] for chart in row) + GAP
    across = GAP + min(COLUMNS, len(charts)) * (width + GAP)
    whole = f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{y}">{"".join(parts)}</svg>'
    colours, rules = light()
    words = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text y="15">{}</text></svg>'
    if svg_to_bytes(svg_string=words.format("epoch")) == svg_to_bytes(svg_string=words.format("")):
        raise NoPictureError("A picture needs a font, and this machine has none: install one, such as DejaVu Sans.")
    return bytes(svg_to_bytes(svg_string=whole, style_sheet=rules, background=colours["paper"], zoom=ZOOM))
