"""The ranking as LaTeX tables for a paper: booktabs, the best bold, ties marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from recbole_alibaba.board.pages.board_numbers import score
from recbole_alibaba.board.standings.contents import BoardHead, Figure, Row, Standings

SIGNS = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    sign: f"\\{sign}" for sign in "&%$#_{}"
}
TIED = r"$^\dagger$"


def tex(head: BoardHead, standings: Sequence[Standings]) -> str:
    """A table for each data set; the same standings give the same bytes."""
    parts = ["% Needs \\usepackage{booktabs}.", *(_table(head, one) for one in standings)]
    return "\n\n".join(parts) + "\n"


def _table(head: BoardHead, standing: Standings) -> str:
    length = standing.metric.partition("@")[2]
    names = dict.fromkeys(name for row in standing.rows for name in row.metrics if name.partition("@")[2] == length)
    metrics = list(dict.fromkeys([standing.metric, *names]))
    best = {name: max((row.metrics[name].mean for row in standing.ranked), default=None) for name in metrics}
    measured = [row for row in standing.rows if row.kind == "ranked"]
    apart = [row for row in standing.rows if row.kind in ("outside", "published") and row.metrics]
    body = [_line(row, metrics, best) for row in measured]
    body += ["\\midrule", *(_line(row, metrics, {}) for row in apart)] if apart else []
    return "\n".join(
        [
            "\\begin{table}",
            "\\centering",
            f"\\caption{{{' '.join(_caption(head, standing))}}}",
            f"\\label{{tab:{_name(head.name)}-{_name(standing.dataset)}}}",
            f"\\begin{{tabular}}{{lr{'r' * len(metrics)}}}",
            "\\toprule",
            f"Model & Rank & {' & '.join(map(_text, metrics))} \\\\",
            "\\midrule",
            *body,
            "\\bottomrule",
            "\\end{tabular}",
            "\\end{table}",
        ]
    )


def _caption(head: BoardHead, standing: Standings) -> Iterator[str]:
    yield f"{_text(head.title or head.name)}: {_text(standing.dataset)}."
    yield f"Mean and standard deviation over {len(standing.seeds)} seeds." if len(standing.seeds) > 1 else "One seed."
    noise = "users' and seeds' noise" if standing.seed_noise else "users' noise alone"
    if any(row.rank == 1 and row.tied for row in standing.ranked):
        yield f"{TIED}: not told apart from the best by {_text(standing.metric)} ({noise}, corrected, 5\\,\\%)."
    if any(row.kind in ("outside", "published") for row in standing.rows):
        yield "Below the line: not ranked."


def _line(row: Row, metrics: Sequence[str], best: dict[str, float | None]) -> str:
    mark = TIED if row.rank == 1 and row.tied else ""
    remark = {"outside": " (lists made elsewhere)", "published": f" (published, {row.source})"}.get(row.kind, "")
    cells = [_figure(row.metrics.get(name), best.get(name)) for name in metrics]
    return f"{_text(row.label + remark)}{mark} & {'--' if row.rank is None else row.rank} & {' & '.join(cells)} \\\\"


def _figure(figure: Figure | None, best: float | None) -> str:
    if figure is None:
        return "--"
    mean = f"\\textbf{{{score(figure.mean)}}}" if figure.mean == best else score(figure.mean)
    return mean if figure.sd is None else f"{mean} $\\pm$ {score(figure.sd)}"


def _text(text: str) -> str:
    return "".join(SIGNS.get(sign, sign) for sign in text)


def _name(text: str) -> str:
    """Letters, digits and dashes, for a label."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text)
