"""The examination as one self-contained HTML page: findings, measures, and curves of the training; no torch."""

from __future__ import annotations

import html

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from recbole_alibaba.diagnosis.catalogue import title
from recbole_alibaba.diagnosis.findings import Verdict, as_settings
from recbole_alibaba.diagnosis.outcome import Cure, Examination
from recbole_alibaba.diagnosis.readings import History, ranking_loss
from recbole_alibaba.diagnosis.report.console import headline, words
from recbole_alibaba.diagnosis.signs.loss_signs import LN2

PANELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("panel-loss", ("loss", "bpr", "reg")),
    ("panel-gradient", ("grad_norm",)),
    ("panel-norms", ("user_norm", "item_norm")),
    ("panel-update", ("update_ratio",)),
    ("panel-gap", ("score_gap",)),
    ("panel-valid", ()),
)
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;border-bottom:1px solid #ddd;text-align:left}
.error{color:#b00020}.warning{color:#a05a00}.advice{color:#00695c}.well{color:#2e7d32}.muted{color:#777}
code{background:#f4f4f4;padding:.1rem .3rem}
"""


def page(examined: Examination, cure: Cure | None, lang: str, command: str = "") -> str:
    """A whole HTML document that includes plotly's script."""
    head = headline(examined, lang)
    parts = [f"<h1 class='{'error' if examined.ill else 'well'}'>{html.escape(head)}</h1>"]
    if examined.causes:
        named = "".join(
            f"<li>{html.escape(title(cause, lang))} <code>{cause}</code></li>" for cause in examined.causes[:3]
        )
        parts.append(f"<p>{words('causes', lang)}</p><ol>{named}</ol>")
    for finding in examined.findings:
        parts.append(
            f"<h3 class='{finding.severity}'>{words(finding.severity, lang)} {finding.id}</h3>"
            f"<p>{html.escape(finding.say(lang))}</p><p>{words('do', lang)} {html.escape(finding.advise(lang))}</p>"
        )
    if cure is not None and cure.kept is not None:
        parts.append(f"<p>{words('kept', lang)} <code>{html.escape(as_settings(cure.kept.changes))}</code></p>")
        parts.append(f"<p><code>{html.escape(command)}</code></p>")
    if examined.history:
        kept = cure.kept.examination if cure is not None and cure.kept is not None else None
        parts.append(curves(examined, kept, lang).to_html(full_html=False, include_plotlyjs=True))
    rows = "".join(_row(verdict, lang) for verdict in examined.verdicts)
    parts.append(f"<h2>{words('checks', lang)}</h2><table>{rows}</table>")
    body = "\n".join(parts)
    return (
        f"<!doctype html><html lang='{lang}'><head><meta charset='utf-8'><title>{html.escape(head)}</title>"
        f"<style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def curves(before: Examination, after: Examination | None, lang: str) -> go.Figure:
    """Six panels over the epochs. Dashed lines show the training with the remedy."""
    titles = [words(name, lang) for name, _ in PANELS]
    figure = make_subplots(rows=2, cols=3, subplot_titles=titles)
    for dash, examined in (("solid", before), ("dash", after)):
        if examined is None:
            continue
        for at, (name, keys) in enumerate(PANELS):
            place = {"row": at // 3 + 1, "col": at % 3 + 1}
            series = _valid(examined.history) if name == "panel-valid" else _series(examined.history, keys)
            for key, (epochs, values) in series.items():
                label = key if dash == "solid" else f"{key} ({words('after', lang)})"
                line = {"dash": dash}
                figure.add_trace(go.Scatter(x=epochs, y=values, name=label, line=line, mode="lines+markers"), **place)
    if any("bpr" in record for record in before.history):
        figure.add_hline(y=LN2, line={"dash": "dot", "color": "#999"}, row=1, col=1)
    figure.update_layout(height=640, margin={"t": 60, "l": 40, "r": 20, "b": 40})
    return figure


Series = dict[str, tuple[list[int], list[float]]]


def _series(history: History, keys: tuple[str, ...]) -> Series:
    found: Series = {}
    for key in keys:
        points = [(int(record["epoch"]), float(record[key])) for record in history if record.get(key) is not None]
        if points:
            found[key] = [epoch for epoch, _ in points], [value for _, value in points]
    if keys[:1] == ("loss",) and not found and history:
        found["loss"] = list(range(len(history))), [ranking_loss(record) for record in history]
    return found


def _valid(history: History) -> Series:
    found: Series = {}
    for record in history:
        for metric, value in (record.get("valid") or {}).items():
            epochs, values = found.setdefault(metric, ([], []))
            epochs.append(int(record["epoch"]))
            values.append(float(value))
    return found


def _row(verdict: Verdict, lang: str) -> str:
    kind, mark = ("muted", "?") if verdict.skipped else ("error", "x") if verdict.finding else ("well", "+")
    check = html.escape(words(f"check-{verdict.check}", lang))
    return f"<tr><td class='{kind}'>{mark}</td><td>{check}</td><td>{html.escape(verdict.say(lang))}</td></tr>"
