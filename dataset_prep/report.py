"""The funnel as a self-contained page."""

from __future__ import annotations

import html

import plotly.graph_objects as go

from dataset_prep.core import Thresholds
from dataset_prep.funnel import Funnel


def funnel_page(name: str, funnel: Funnel, asked: Thresholds, used: Thresholds) -> str:
    """HTML with the script inside: it opens without a network, from any folder."""
    figure = go.Figure(
        go.Funnel(
            y=[stage.name for stage in funnel.stages],
            x=[stage.rows for stage in funnel.stages],
            textinfo="value+percent initial",
        )
    )
    figure.update_layout(title=f"{name}: rows left after every step", height=120 + 70 * len(funnel.stages))
    rows = "".join(f"<li>{html.escape(line)}</li>" for line in funnel.lines())
    chart = figure.to_html(full_html=False, include_plotlyjs=True, div_id="funnel")
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{html.escape(name)}</title></head>"
        f"<body style='font-family:sans-serif'><h1>{html.escape(name)}</h1>"
        f"<p>Thresholds asked for {asked}, used {used}.</p>{chart}<ul>{rows}</ul></body></html>\n"
    )
