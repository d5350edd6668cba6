"""The report: one self-contained page that shows what a log is and what became of it."""

from __future__ import annotations

import html
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from dataset_prep.core import Size, Thresholds
from dataset_prep.facts import Facts, Histogram, density
from dataset_prep.funnel import Funnel, share

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


def page(
    title: str, funnel: Funnel, facts: Facts, asked: Thresholds, used: Thresholds | None, size: Size, rows: int
) -> str:
    """HTML with the script inside: it opens without a network, from any folder. *used*: None before any choice."""
    told = [f"<p>Thresholds asked for {asked}, used {used}.</p>" if used else ""]
    told.append(_table(("", ""), _key_figures(size, rows)))
    told.append(_figure("funnel", _funnel(funnel)))
    told.append("<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in funnel.lines()) + "</ul>")
    if facts.parts:
        names = list(next(iter(facts.parts.values())))
        body = [(part, *(f"{counts[n]:,}" for n in names)) for part, counts in facts.parts.items()]
        told.append("<h2>Parts</h2>" + _table(("", *(n.replace("_", " ") for n in names)), body))
        told.append(
            "<p>Cold: with a user or an item that training never saw. Share of the rows of validation and test: "
        )
        told.append(_cold_share(facts) + ".</p>")
    told.append(_figure("days", _days(facts)))
    for who, number in (("users", 0), ("items", 1)):
        threshold = (used or asked)[number]
        told.append(_figure(who, _degrees(who, facts.before[number], facts.after[number], asked[number], threshold)))
    return PAGE.format(title=html.escape(title), script=get_plotlyjs(), body="\n".join(told))


def _key_figures(size: Size, rows: int) -> list[tuple[str, str]]:
    return [
        ("rows", f"{rows:,}"),
        ("distinct pairs", f"{size.pairs:,}"),
        ("users", f"{size.users:,}"),
        ("items", f"{size.items:,}"),
        ("density", f"{density(size):.4%}"),
        ("repeats of a pair", share(rows - size.pairs, rows)),
    ]


def _cold_share(facts: Facts) -> str:
    told = []
    for part, counts in facts.parts.items():
        if part != "train":
            whole = max(counts["rows"], counts["cold_rows"])
            told.append(f"{part} {share(counts['cold_rows'], whole)}")
    return ", ".join(told)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "<tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>" if any(head) else ""
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{top}{body}</table>"


def _figure(name: str, figure: go.Figure) -> str:
    return str(figure.to_html(full_html=False, include_plotlyjs=False, div_id=name))


def _funnel(funnel: Funnel) -> go.Figure:
    names = [stage.name for stage in funnel.stages]
    figure = go.Figure(go.Funnel(y=names, x=[s.rows for s in funnel.stages], textinfo="value+percent initial"))
    return figure.update_layout(title="Rows left after every step", height=140 + 60 * len(names))


def _days(facts: Facts) -> go.Figure:
    figure = go.Figure()
    for behavior, counts in facts.days.items():
        if counts:
            figure.add_scatter(
                x=list(counts), y=list(counts.values()), name=facts.labels.get(behavior, behavior), mode="lines+markers"
            )
    return figure.update_layout(title="Interactions a day by behaviour (Beijing time)", yaxis_type="log")


def _degrees(who: str, before: Histogram, after: Histogram, asked: int, used: int) -> go.Figure:
    figure = go.Figure()
    for name, histogram in (("before", before), ("after the core", after)):
        if histogram:
            figure.add_scatter(x=list(histogram), y=list(histogram.values()), name=name, mode="markers")
    for value, name in {asked: "asked", used: "used"}.items() if asked != used else {used: "threshold"}.items():
        figure.add_vline(x=value, line_dash="dash", annotation_text=f"{name} {value}")
    partners = "items" if who == "users" else "users"
    return figure.update_layout(
        title=f"Distinct {partners} of the {who}", xaxis_type="log", yaxis_type="log", yaxis_title=f"number of {who}"
    )
