"""The report: one self-contained page that shows what a log is and what became of it."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dataset_prep.pairs.core import Size, Thresholds
from dataset_prep.pairs.funnel import Funnel, share
from dataset_prep.pairs.statistics import Histogram, Statistics, density

PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font-family:sans-serif;max-width:1100px;margin:2em auto}}td,th{{padding:.2em 1em;text-align:right}}
td:first-child,th:first-child{{text-align:left}}</style>
<script>{script}</script></head>
<body><h1>{title}</h1>
{body}
</body></html>
"""

Figure = tuple[list[dict[str, Any]], dict[str, Any]]
"""Traces and layout of a plotly.js chart."""


def page(
    title: str,
    funnel: Funnel,
    statistics: Statistics,
    asked: Thresholds,
    used: Thresholds | None,
    size: Size,
    rows: int,
) -> str:
    """HTML with the script inside, so that it opens without a network. used: None before any choice."""
    body = [f"<p>Thresholds asked for {asked}, used {used}.</p>" if used else ""]
    body.append(_table(("", ""), _key_figures(size, rows)))
    body.append(_chart("funnel", _funnel(funnel)))
    body.append("<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in funnel.lines()) + "</ul>")
    if statistics.parts:
        names = list(next(iter(statistics.parts.values())))
        cells = [(part, *(f"{counts[n]:,}" for n in names)) for part, counts in statistics.parts.items()]
        body.append("<h2>Parts</h2>" + _table(("", *(n.replace("_", " ") for n in names)), cells))
        body.append(
            "<p>Cold: with a user or an item that training never saw. Share of the rows of validation and test: "
        )
        body.append(_cold_share(statistics) + ".</p>")
    body.append(_chart("days", _days(statistics)))
    for who, number in (("users", 0), ("items", 1)):
        threshold = (used or asked)[number]
        degrees = statistics.before[number], statistics.after[number]
        body.append(_chart(who, _degrees(who, *degrees, asked[number], threshold)))
    return PAGE.format(title=html.escape(title), script=_plotly(), body="\n".join(body))


@cache
def _plotly() -> str:
    """plotly.js, from the package. Its Python half would take longer to import than a small log takes to convert."""
    spec = find_spec("plotly")
    assert spec is not None and spec.origin is not None
    return (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def _key_figures(size: Size, rows: int) -> list[tuple[str, str]]:
    return [
        ("rows", f"{rows:,}"),
        ("distinct pairs", f"{size.pairs:,}"),
        ("users", f"{size.users:,}"),
        ("items", f"{size.items:,}"),
        ("density", f"{density(size):.4%}"),
        ("repeats of a pair", share(rows - size.pairs, rows)),
    ]


def _cold_share(statistics: Statistics) -> str:
    shares = []
    for part, counts in statistics.parts.items():
        if part != "train":
            whole = max(counts["rows"], counts["cold_rows"])
            shares.append(f"{part} {share(counts['cold_rows'], whole)}")
    return ", ".join(shares)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "<tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>" if any(head) else ""
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{top}{body}</table>"


def _chart(name: str, figure: Figure) -> str:
    traces, layout = (json.dumps(part).replace("</", "<\\/") for part in figure)
    return f'<div id="{name}"></div><script>Plotly.newPlot("{name}", {traces}, {layout}, {{responsive: true}})</script>'


def _funnel(funnel: Funnel) -> Figure:
    names = [stage.name for stage in funnel.stages]
    rows = [stage.rows for stage in funnel.stages]
    layout = {"title": {"text": "Rows left after every step"}, "height": 140 + 60 * len(names)}
    return [{"type": "funnel", "y": names, "x": rows, "textinfo": "value+percent initial"}], layout


def _days(statistics: Statistics) -> Figure:
    traces = [
        {
            "x": list(counts),
            "y": list(counts.values()),
            "name": statistics.labels.get(behavior, behavior),
            "mode": "lines+markers",
        }
        for behavior, counts in statistics.days.items()
        if counts
    ]
    title = {"text": "Interactions a day by behaviour (Beijing time)"}
    return traces, {"title": title, "yaxis": {"type": "log"}, "showlegend": True}


def _degrees(who: str, before: Histogram, after: Histogram, asked: int, used: int) -> Figure:
    traces = [
        {"x": list(histogram), "y": list(histogram.values()), "name": name, "mode": "markers"}
        for name, histogram in (("before", before), ("after the core", after))
        if histogram
    ]
    lines = {asked: "asked", used: "used"} if asked != used else {used: "threshold"}
    partners = "items" if who == "users" else "users"
    return traces, {
        "title": {"text": f"Distinct {partners} of the {who}"},
        "xaxis": {"type": "log"},
        "yaxis": {"type": "log", "title": {"text": f"number of {who}"}},
        "showlegend": True,
        "shapes": [
            {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": {"dash": "dash"}}
            for x in lines
        ],
        "annotations": [
            # On a logarithmic axis an annotation's x is the exponent.
            {"text": f"{name} {x}", "x": math.log10(x), "y": 1, "yref": "paper", "showarrow": False, "xanchor": "left"}
            for x, name in lines.items()
        ],
    }
