"""What do the records of one model on one data set say together? Means over seeds, its runs and its search."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from recbole_alibaba.board.standings.contents import Figure, Group, Row, Run, SearchTrial

Record = Mapping[str, Any]


def model_row(label: str, records: Sequence[Record]) -> Row:
    """The row of a label, without rank and comparison. A row without a run that ended well is `failed`."""
    finals = sorted((record for record in records if record["purpose"] != "search"), key=lambda record: record["seed"])
    runs = [_run(record) for record in finals]
    done = [run for run in runs if run.test is not None]
    last = finals[-1] if finals else records[-1]
    kind = "outside" if last["purpose"] == "outside" else "ranked"
    memory = [run.peak_memory_mb for run in done if run.peak_memory_mb is not None]
    groups = {name: [run.groups[name] for run in done if name in run.groups] for run in done for name in run.groups}
    return Row(
        label=label,
        model=last["model"] or label,
        kind=kind if done else "failed",  # type: ignore[arg-type]
        metrics=_figures(run.test or {} for run in done),
        settings=last["settings"] if finals else {},
        groups={name: _group(parts) for name, parts in groups.items()},
        beyond=_figures(run.beyond for run in done),
        competition=_figures(run.competition for run in done),
        seconds=_figures(run.seconds for run in done),
        peak_memory_mb=max(memory, default=None),
        parameters=next((run.parameters for run in done if run.parameters is not None), None),
        runs=runs,
        trials=_search(records, finals),
    )


def published_row(entry: Mapping[str, Any]) -> Row:
    """A published row from its entry in the board's file."""
    metrics = {name: Figure(float(value)) for name, value in entry.items() if "@" in name}
    return Row(entry["name"], entry["name"], "published", metrics=metrics, source=str(entry.get("source", "")))


def figure(values: Sequence[float]) -> Figure:
    """Mean and standard deviation over seeds."""
    return Figure(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None, len(values))


def _figures(runs: Iterable[Mapping[str, float]]) -> dict[str, Figure]:
    """By name, over the runs that have a number of this name."""
    values: dict[str, list[float]] = {}
    for run in runs:
        for name, value in run.items():
            if value is not None:
                values.setdefault(name, []).append(value)
    return {name: figure(of_seeds) for name, of_seeds in values.items()}


def _group(parts: Sequence[Mapping[str, Any]]) -> Group:
    """A group over the seeds; its size is the data's and the same with each seed."""
    sizes = {name: parts[0].get(name) for name in ("members", "least", "most")}
    metrics = [{name: value for name, value in part.items() if "@" in name} for part in parts]
    return Group(int(parts[0]["users"]), _figures(metrics), **sizes)


def _run(record: Record) -> Run:
    return Run(
        seed=record["seed"],
        state=record["state"],
        reason=record["reason"],
        test=record["test"] if record["state"] == "done" else None,
        valid=record["valid"],
        valid_score=record["valid_score"],
        best_epoch=record["best_epoch"],
        history=record["history"] or (),
        seconds=record["seconds"] or {},
        peak_memory_mb=record["peak_memory_mb"],
        parameters=record["parameters"],
        groups=record["groups"] or {},
        beyond=record["beyond"] or {},
        competition=record["competition"] or {},
        test_read=record["test_read"],
    )


def _search(records: Sequence[Record], finals: Sequence[Record]) -> list[SearchTrial]:
    """The trials of the search by index; the first one whose searched settings the finals have is the chosen one."""
    trials = sorted((record for record in records if record["purpose"] == "search"), key=lambda record: record["index"])
    done = [record for record in trials if record["state"] == "done"]
    same = [record["index"] for record in done if finals and record["searched"] == finals[0]["searched"]]
    return [
        SearchTrial(
            index=record["index"],
            seed=record["seed"],
            settings=record["searched"],
            state=record["state"],
            reason=record["reason"],
            score=record["valid_score"],
            best_epoch=record["best_epoch"],
            seconds=(record["seconds"] or {}).get("total"),
            chosen=record["index"] == min(same, default=None),
        )
        for record in trials
    ]
