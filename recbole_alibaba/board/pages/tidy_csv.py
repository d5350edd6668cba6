"""Every number of a board as a long table: one value a line, not rounded."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from recbole_alibaba.board.standings.contents import Figure, Row, Run, Standings

COLUMNS = ("dataset", "label", "model", "kind", "rank", "trial", "seed", "state", "part", "group", "name", "value")


def csv_text(standings: Sequence[Standings]) -> str:
    """The whole file.

    A line is a value of one trial (`trial` final or search 0, 1, ...; `seed` its seed) or of all seeds of a model
    (`trial` empty; `seed` mean or sd). `part` is where the value stands: test, valid, group, beyond, competition,
    seconds, cost, comparison, searched; `reason` has the reason of a trial without a result.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for standing in standings:
        for row in standing.rows:
            head = (standing.dataset, row.label, row.model, row.kind, "" if row.rank is None else row.rank)
            writer.writerows((*head, *line) for line in _lines(row, standing.valid_metric))
    return text.getvalue()


def _lines(row: Row, valid_metric: str) -> Iterator[tuple[Any, ...]]:
    """The lines of one model, from `trial` on."""
    for part, figures in (("test", row.metrics), ("beyond", row.beyond), ("competition", row.competition)):
        yield from _figures(part, "", figures)
    for name, group in row.groups.items():
        yield "", "", "", "group", name, "users", group.users
        yield from _figures("group", name, group.metrics)
    yield from _figures("seconds", "", row.seconds)
    if row.comparison is not None:
        yield from (("", "", "", "comparison", "", *pair) for pair in asdict(row.comparison).items())
    for run in row.runs:
        yield from (("final", run.seed, run.state, *line) for line in _of_run(run))
    for trial in row.trials:
        values: list[tuple[str, str, str, Any]] = [
            ("searched", "", name, value) for name, value in trial.settings.items()
        ]
        values += [("valid", "", valid_metric.lower(), trial.score), ("seconds", "", "total", trial.seconds)]
        values += [("cost", "", "best_epoch", trial.best_epoch), ("searched", "", "chosen", int(trial.chosen))]
        values.append(("reason", "", "", trial.reason))
        yield from ((f"search {trial.index}", trial.seed, trial.state, *line) for line in values if line[3] is not None)


def _of_run(run: Run) -> list[tuple[str, str, str, Any]]:
    parts = {"test": run.test, "valid": run.valid, "beyond": run.beyond, "competition": run.competition}
    lines: list[tuple[str, str, str, Any]] = []
    for part, numbers in {**parts, "seconds": run.seconds}.items():
        lines += [(part, "", name, value) for name, value in (numbers or {}).items()]
    lines += [("group", group, name, value) for group, values in run.groups.items() for name, value in values.items()]
    lines += [("cost", "", name, getattr(run, name)) for name in ("best_epoch", "peak_memory_mb", "parameters")]
    lines.append(("reason", "", "", run.reason))
    return [line for line in lines if line[3] is not None]


def _figures(part: str, group: str, values: Mapping[str, Figure]) -> Iterator[tuple[Any, ...]]:
    for name, figure in values.items():
        yield "", "mean", "", part, group, name, figure.mean
        if figure.sd is not None:
            yield "", "sd", "", part, group, name, figure.sd
