"""The tables of a run's page: results beside popularity, the runs beside each other, the settings that differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from dataset_prep.pages.numbers import count
from dataset_prep.pages.parts import Cell, Code, Folded, Part, Remark, Section, Table, Text, table
from recbole_alibaba.run_page.record import Run
from recbole_alibaba.run_page.verdict import SCORE, learning

OWN = ("checkpoint_dir", "data_fingerprint", "device")


def results(runs: Sequence[Run]) -> Table | None:
    """A row for each metric: every run, popularity, and the ratio of the two where there is one run."""
    part = runs[0].result[0]
    metrics = list(dict.fromkeys(metric for run in runs for metric in run.result[1]))
    if not metrics:
        return None
    popular = [run.popularity for run in runs]
    same = all(one == popular[0] for one in popular)
    columns = [run.result[1] for run in runs] + (popular[:1] if same else popular)
    head = ["metric", *(f"{run.name}, {run.result[0]}" for run in runs)]
    head += ["popularity"] if same else [f"popularity of {run.name}" for run in runs]
    ratio = len(runs) == 1 and bool(popular[0])
    rows = []
    for metric in metrics:
        values = [column.get(metric) for column in columns]
        cells: list[Cell] = [metric, *("" if value is None else format(value, SCORE) for value in values)]
        if ratio:
            mine, theirs = values
            cells.append(f"{mine / theirs:.2f}" if mine is not None and theirs else "")
        rows.append(cells)
    head += ["run / popularity"] if ratio else []
    return table(f"Metrics of the {part} part", head, rows)


def beside(runs: Sequence[Run]) -> Table:
    """What the runs are, a column each."""
    facts = [dict(figures(run)) for run in runs]
    names = list(dict.fromkeys(name for one in facts for name in one))
    return table(
        "The runs", ("", *(run.name for run in runs)), [(n, *(one.get(n, "") for one in facts)) for n in names]
    )


def figures(run: Run) -> list[tuple[str, str]]:
    """Key figures of one run."""
    record, data = run.record, run.record.get("data") or {}
    found: list[tuple[str, str]] = [("model", str(record["model"])), ("data set", str(record["dataset"]))]
    if run.metric in run.result[1]:
        found.append((f"{run.metric}, {run.result[0]}", format(run.result[1][run.metric], SCORE)))
        if run.metric in run.popularity:
            found.append((f"{run.metric}, popularity", format(run.popularity[run.metric], SCORE)))
    if run.history:
        found.append(("training", learning(run)[0]))
    epochs = f"{len(run.history):,} of {run.settings.get('epochs', '?')}"
    found += [("epochs", epochs)] if run.history else []
    if record.get("best_epoch") is not None:
        found.append(("best epoch (from 0)", str(record["best_epoch"])))
    found += [(name, count(data[name])) for name in ("users", "items") if name in data]
    found += [(f"{part} interactions", count(n)) for part, n in (data.get("interactions") or {}).items()]
    if record.get("seconds") is not None:
        found.append(("seconds", f"{record['seconds']:,.0f}"))
    if record.get("started"):
        found.append(("started", str(record["started"])[:16].replace("T", " ")))
    if record.get("seed") is not None:
        found.append(("seed", str(record["seed"])))
    return found


def warnings(run: Run) -> list[Part]:
    """What the run was warned of."""
    found = run.record.get("warnings") or ()
    if not found:
        return [Text("The checks and the training gave no warning.", "soft")]
    return [Remark("warning", one["id"], one["message"], f"Do: {one['remedy']}", "warning") for one in found]


def configuration(runs: Sequence[Run]) -> Section:
    """Settings that differ between the runs, then all settings, the command and the versions of each."""
    parts: list[Part] = []
    if len(runs) > 1:
        names = sorted({name for run in runs for name in run.settings} - {*OWN})
        rows = [(name, *(_text(run.settings.get(name)) for run in runs)) for name in names]
        rows = [row for row in rows if len(set(row[1:])) > 1]
        head = ("setting", *(run.name for run in runs))
        parts.append(table("Settings that differ", head, rows, words=range(len(head))))
    for run in runs:
        inner: list[Part] = []
        if run.record.get("command"):
            inner.append(Code(" ".join(map(str, run.record["command"]))))
        kept = {key: run.record[key] for key in ("machine", "versions") if run.record.get(key)}
        inner.append(
            Code(yaml.safe_dump({**kept, "settings": dict(run.settings)}, allow_unicode=True, sort_keys=False))
        )
        parts.append(Folded(f"Command, versions and all settings of {run.name}", inner))
    return Section("Configuration", parts)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
