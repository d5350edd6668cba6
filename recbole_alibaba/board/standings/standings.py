"""Which model is best on each data set of a board? Its records and the scores by user become standings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from recbole_alibaba.board.standings.contents import Comparison, Failure, Row, Standings
from recbole_alibaba.board.standings.model_rows import Record, model_row, published_row
from recbole_alibaba.board.standings.paired_tests import bootstrap_intervals, holm, t_p, wilcoxon_p
from recbole_alibaba.board.standings.ranks import Scores, against_best, by_mean, differences_of_users, noise_of, ranks
from recbole_alibaba.host.errors import BadInput

ScoresOf = Callable[[Record], Mapping[str, np.ndarray]]


def standings(
    records: Sequence[Record], scores: ScoresOf, published: Iterable[Mapping[str, Any]] = ()
) -> list[Standings]:
    """The standings of each data set, in the order of the records. The order of records of one data set is free.

    Args:
        records: all records of one board.
        scores: reads the scores file of a record: users and a metric's value for each.
        published: rows of papers, as the board's file has them.

    Raises:
        BadInput: scores of one data set are not of the same users.
    """
    datasets = dict.fromkeys(record["dataset"] for record in records)
    return [
        _of_dataset(
            dataset,
            [record for record in records if record["dataset"] == dataset],
            scores,
            [entry for entry in published if entry["dataset"] == dataset],
        )
        for dataset in datasets
    ]


def _of_dataset(
    dataset: str, records: Sequence[Record], scores: ScoresOf, published: Sequence[Mapping[str, Any]]
) -> Standings:
    labels = sorted({record["label"] for record in records})
    rows = {label: model_row(label, [record for record in records if record["label"] == label]) for label in labels}
    done = [record for record in records if record["purpose"] != "search" and record["state"] == "done"]
    data: Mapping[str, Any] = next((record["data"] for record in [*done, *records] if record["data"]), {})
    valid_metric = str(records[0]["config"]["valid_metric"])
    metric, arrays = _by_user(done, scores, valid_metric.lower())
    ranked = {label: table for label, table in arrays.items() if rows[label].kind == "ranked"}
    given = ranks(ranked)
    compared = _comparisons(ranked, {label: table for label, table in arrays.items() if label not in ranked})
    placed = [
        replace(
            rows[label],
            rank=rank,
            tied=[other for other in given if given[other] == rank and other != label],
            comparison=compared.get(label),
        )
        for label, rank in given.items()
    ]
    unplaced = [replace(rows[label], comparison=compared.get(label)) for label in labels if label not in given]
    kinds = {kind: [row for row in unplaced if row.kind == kind] for kind in ("outside", "failed")}
    notes = dict.fromkeys(note for record in _in_order(records) for note in (record["data"] or {}).get("notes", []))
    seeds = sorted({record["seed"] for record in records if record["purpose"] == "final"})
    return Standings(
        dataset=dataset,
        metric=metric,
        valid_metric=valid_metric,
        counts={name: data[name] for name in ("users", "items", "train", "valid", "test") if name in data},
        fingerprint=data.get("fingerprint", ""),
        notes=[
            *notes,
            *_doubts(metric, valid_metric, seeds, placed),
            *_about(kinds["outside"]),
            *_machines(records),
        ],
        seeds=seeds,
        seed_noise=any(len(table) > 1 for table in ranked.values()),
        rows=[*placed, *kinds["outside"], *map(published_row, published), *kinds["failed"]],
        failures=[
            Failure(
                label=record["label"],
                purpose=record["purpose"],
                seed=record["seed"],
                index=record["index"],
                state=record["state"],
                reason=record["reason"] or "",
            )
            for record in _in_order(records)
            if record["state"] != "done"
        ],
    )


def _in_order(records: Iterable[Record]) -> list[Record]:
    """By label, searches first, by index and seed: an order that does not depend on which trial ended first."""

    def key(record: Record) -> tuple[str, bool, int, int]:
        return record["label"], record["purpose"] != "search", record["index"] or 0, record["seed"]

    return sorted(records, key=key)


def _by_user(done: Sequence[Record], scores: ScoresOf, valid_metric: str) -> tuple[str, dict[str, Scores]]:
    """The metric that is compared, and by label its values, shape (seeds, users): the validation metric or NDCG."""
    tables: dict[str, list[np.ndarray]] = {}
    metric, users = valid_metric, None
    for record in _in_order(done):
        arrays = scores(record)
        metric = valid_metric if valid_metric in arrays else f"ndcg@{valid_metric.partition('@')[2]}"
        users = arrays["users"] if users is None else users
        if not np.array_equal(users, arrays["users"]):
            raise BadInput(
                f"The scores of {record['label']} (seed {record['seed']}) on {record['dataset']} are of other users "
                "than those of the models before it. All models need the same test users: delete its record and run "
                "it again."
            )
        tables.setdefault(record["label"], []).append(arrays[metric])
    return metric, {label: np.stack(by_seed) for label, by_seed in tables.items()}


def _comparisons(ranked: Mapping[str, Scores], outside: Mapping[str, Scores]) -> dict[str, Comparison]:
    """Each model against the best. Lists made elsewhere have no seeds: by users alone, and not corrected."""
    if not ranked:
        return {}
    best, *others = by_mean(ranked)
    p_values = against_best(ranked, noise_of(ranked))
    labels = [*others, *outside]
    if not labels:
        return {}
    tables = {**ranked, **outside}
    differences = np.stack([differences_of_users(tables[label], tables[best]) for label in labels])
    intervals = bootstrap_intervals(differences)
    wilcoxon, t = ([test(row) for row in differences] for test in (wilcoxon_p, t_p))
    corrected = [[*holm(values[: len(others)]), *values[len(others) :]] for values in (wilcoxon, t)]
    return {
        label: Comparison(
            difference=float(differences[place].mean()),
            low=float(intervals[place, 0]),
            high=float(intervals[place, 1]),
            p_wilcoxon=wilcoxon[place],
            holm_wilcoxon=corrected[0][place],
            p_t=t[place],
            holm_t=corrected[1][place],
            p=p_values.get(label, t[place]),
        )
        for place, label in enumerate(labels)
    }


def _doubts(metric: str, valid_metric: str, seeds: Sequence[int], placed: Sequence[Row]) -> list[str]:
    """What the ranks do not rest on."""
    said = []
    if metric != valid_metric.lower():
        said.append(f"The ranks are by {metric}; {valid_metric} was only for validation: it is not kept by user.")
    if len(seeds) == 1:
        said.append("One seed: what another seed would change is not known. The ranks rest on the users' noise alone.")
    for row in placed:
        count = len([run for run in row.runs if run.test is not None])
        if count < len(seeds):
            said.append(f"{row.label}: {count} of {len(seeds)} seeds ended well; its mean is over these.")
    return said


def _about(outside: Sequence[Row]) -> list[str]:
    """What was found in the files of lists made elsewhere."""
    return [f"{row.label}: {run.reason}" for row in outside for run in row.runs if run.reason]


def _machines(records: Sequence[Record]) -> list[str]:
    """Where the trials ran: seconds of different machines are not to be compared."""
    found: dict[str, int] = {}
    for record in records:
        machine, versions = record.get("machine"), record.get("versions")
        if machine and versions and record["state"] == "done":
            names = ", ".join(f"{name} {versions[name]}" for name in ("python", "torch", "recbole") if name in versions)
            place = f"{machine['cpu']}, {machine['cores']} cores, {machine['threads']} of them a trial; {names}"
            found[place] = found.get(place, 0) + 1
    return [f"{count} trials ran on {place}." for place, count in sorted(found.items())]
