"""results/<data set>.md: LightGCN's figures on its published splits, from the records alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import random_split

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "results" / "records"
# A file of properties/experiment -> its data set.
EXPERIMENTS = {
    **{"gowalla": "gowalla", "gowalla-softmax": "gowalla"},
    **{"yelp2018": "yelp2018", "yelp2018-softmax": "yelp2018"},
}
Record = Mapping[str, Any]
INNER = "ranked by inner products"
"""How a softmax's lists were made before it had a popularity exponent."""


class Target(NamedTuple):
    """What the runs of a property file are to reach, on two cores."""

    what: str
    recall: float
    ndcg: float
    minutes: float


TARGETS = {
    "gowalla": (Target("the figures of the authors' PyTorch code", 0.1824, 0.1547, 30),),
    "gowalla-softmax": (
        Target("the paper's figures for 3 layers", 0.1823, 0.1555, 8),
        Target("figures beyond the paper's", 0.187, 0.158, 25),
    ),
    "yelp2018": (Target("the paper's figures for 3 layers", 0.0639, 0.0525, 30),),
    "yelp2018-softmax": (Target("the paper's figures for 3 layers", 0.0639, 0.0525, 30),),
}
# Recall@20 and NDCG@20, all-ranking, 64 dimensions; 3 layers where no other number stands.
PUBLISHED = {
    "gowalla": (
        ("He et al., SIGIR 2020, table 3 (1,000 epochs)", 0.1823, 0.1555),
        ("the same, 4 layers", 0.1830, 0.1550),
        ("authors' TensorFlow code", 0.1824, 0.1554),
        ("authors' PyTorch code (1,000 epochs, seed 2020)", 0.1824, 0.1547),
    ),
    "yelp2018": (
        ("He et al., SIGIR 2020, table 3 (1,000 epochs)", 0.0639, 0.0525),
        ("the same, 4 layers", 0.0649, 0.0530),
        ("authors' PyTorch code (1,000 epochs)", 0.06347, 0.05238),
    ),
}


def records_of(experiment: str) -> Path:
    """The runs of a property file."""
    return FOLDER / f"{experiment}.jsonl"


def probes_of(dataset: str) -> Path:
    """The runs that compare settings on validation pairs."""
    return FOLDER / f"{dataset}-options.jsonl"


def split_of(dataset: str) -> Path:
    """How far the split is from a random one."""
    return FOLDER / f"{dataset}-split.json"


def mark_of(experiment: str) -> str:
    """The first digits of the property file's SHA-256."""
    file = ROOT / "properties" / "experiment" / f"{experiment}.yaml"
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def page_of(dataset: str) -> tuple[Path, str]:
    """The page's file and its text."""
    found = {name: _read(records_of(name)) for name, of in EXPERIMENTS.items() if of == dataset}
    runs = {name: records for name, records in found.items() if records}
    lines = [
        f"# LightGCN's table on {dataset.capitalize()}",
        "",
        f"Rendered by `python -m benchmarks.lightgcn_table {dataset} --render` from `records/{dataset}*.jsonl`.",
        "Test part of LightGCN's own split, ranked against all items, 3 layers, 64 dimensions.",
        "",
        "| | Recall@20 | NDCG@20 | minutes of training |",
        "|---|---:|---:|---:|",
        *(f"| {name} | {recall:.4f} | {ndcg:.4f} | |" for name, recall, ndcg in PUBLISHED[dataset]),
    ]
    for name, records in runs.items():
        lines += [_row(one, one is _shown(name, records)) for one in records]
    for name, records in runs.items():
        for target in TARGETS[name]:
            lines += ["", _verdict(name, target, records)]
    lines.append("")
    lines += [
        "The test part was read once a run, after training, with the weights of the epoch its row names: the last,"
    ]
    lines += ["or else the best on the pairs held out. Minutes are wall-clock with every validation."]
    lines += _minutes({name: _shown(name, records) for name, records in runs.items()})
    for name, records in runs.items():
        lines += _curve(name, _shown(name, records))
    if split_of(dataset).is_file():
        lines += random_split.section(json.loads(split_of(dataset).read_text("utf-8")))
    if probes := _read(probes_of(dataset)):
        lines += _options(probes)
    return ROOT / "results" / f"{dataset}.md", "\n".join(lines) + "\n"


def _read(file: Path) -> list[Record]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.is_file() else []


def _shown(experiment: str, records: Sequence[Record]) -> Record:
    """The last run of the property file as it is now, else the last run."""
    present = [one for one in records if one["settings"] == mark_of(experiment) and not one["changes"]]
    return (present or records)[-1]


def _row(one: Record, shown: bool) -> str:
    used = one["used"]
    name = f"AlibabaLightGCN, rate {used['learning_rate']}, batch {used['train_batch_size']:,}"
    name += f", epoch {one['tested_epoch']} of {one['epochs']}"
    name += f", {_softmax(used)}" if used.get("loss") == "softmax" else ""
    name += ", users drawn alike" if used.get("positive_sampling") == "users" else ""
    name += ", shown below" if shown else ""
    scores = f"{one['test']['recall@20']:.4f} | {one['test']['ndcg@20']:.4f}"
    return f"| **{name}** | {scores} | {one['training_minutes']:.1f} |"


def _softmax(used: Mapping[str, Any]) -> str:
    exponent = used.get("popularity_exponent")
    ranked = f"popularity exponent {exponent}" if exponent is not None else INNER
    return f"softmax of temperature {used['temperature']}, {ranked}"


def _verdict(experiment: str, target: Target, records: Sequence[Record]) -> str:
    asked = f"The target of {experiment}.yaml, {target.what} ({target.recall:.4f} and {target.ndcg:.4f} in at most "
    asked += f"{target.minutes:.0f} minutes), is "
    reached = [one for one in records if one["training_minutes"] <= target.minutes] or records
    best = max(reached, key=lambda one: one["test"]["recall@20"])
    recall, ndcg, minutes = best["test"]["recall@20"], best["test"]["ndcg@20"], best["training_minutes"]
    if recall >= target.recall and ndcg >= target.ndcg and minutes <= target.minutes:
        return f"{asked}met: {recall:.4f} and {ndcg:.4f} in {minutes:.1f} minutes."
    return (
        f"{asked}**not met**: Recall@20 is at {recall / target.recall:.1%} of it and NDCG@20 at "
        f"{ndcg / target.ndcg:.1%}, after {minutes:.1f} minutes."
    )


def _minutes(shown: Mapping[str, Record]) -> list[str]:
    """How soon each run comes near its best validation, and near the best of all."""
    best = {name: max(point["ndcg@20"] for point in one["curve"]) for name, one in shown.items()}
    rows = []
    for name, one in shown.items():
        levels = (0.95 * best[name], 0.99 * best[name], 0.99 * max(best.values()))
        cells = " | ".join(_reached(one, level) for level in levels)
        rows.append(f"| {name} | {best[name]:.4f} | {cells} | {one['training_minutes']:.1f} | {_processor(one)} |")
    return [
        "",
        "## Quality against minutes",
        "",
        "NDCG@20 of the pairs held out, the same few for each property file: minutes until it first reached 95 % and",
        "99 % of its best, and 99 % of the best of all.",
        "",
        "| | best NDCG@20 held out | 95 % of it | 99 % of it | 99 % of the best of all | all minutes | machine |",
        "|---|---:|---:|---:|---:|---:|---|",
        *rows,
    ]


def _reached(one: Record, level: float) -> str:
    minutes = [point["minutes"] for point in one["curve"] if point["ndcg@20"] >= level]
    return f"{minutes[0]:.1f}" if minutes else "never"


def _processor(one: Record) -> str:
    return f"{one['machine']['cpu']}, {one['machine']['cores']} cores"


def _curve(experiment: str, one: Record) -> list[str]:
    """The settings, the machine, and the validation against minutes of one run."""
    machine = ", ".join(f"{key} {value}" for key, value in one["machine"].items() if key not in ("cpu", "cores"))
    return [
        "",
        f"## {experiment}: validation against minutes",
        "",
        f"`properties/experiment/{experiment}.yaml` ({one['settings']}), seed {one['seed']}.",
        f"{one['pairs']['train']:,} pairs were trained on; {one['pairs']['valid']:,} training pairs of the split were",
        "held out for this curve, so its numbers differ from the test's. The run used",
        f"{one['cpu_minutes']:.1f} minutes of CPU. Before it, {one['prepare_seconds']:.0f} s went into",
        "conversion, loading and the graph. Machine:",
        f"{_processor(one)}; {machine}.",
        "",
        "| minutes | epoch | Recall@20 | NDCG@20 |",
        "|---:|---:|---:|---:|",
        *(
            f"| {point['minutes']:.1f} | {point['epoch']} | {point['recall@20']:.4f} | {point['ndcg@20']:.4f} |"
            for point in one["curve"]
        ),
    ]


def _options(probes: Sequence[Record]) -> list[str]:
    """The settings that were compared, by their last validation and their time."""
    rows = []
    for one in probes:
        shown = {key: one["used"][key] for key in ("learning_rate", "train_batch_size")}
        file, end = f"{one.get('experiment', 'gowalla')}.yaml", one["curve"][-1]
        inner = one["used"].get("loss") == "softmax" and "popularity_exponent" not in one["used"]
        name = f"{one['name']}, {INNER}" if inner else one["name"]
        tried = {f"popularity_exponent: {value}": found for value, found in one.get("exponents", {}).items()}
        for exponent, found in (tried or {"": end}).items():
            changed = [f"{key}: {value}" for key, value in {**shown, **one["changes"]}.items()]
            rows.append(
                f"| {name} | {file}: `{', '.join([*changed, exponent]).removesuffix(', ')}` | {end['epoch']} | "
                f"{end['minutes']:.1f} | {one['cpu_minutes']:.1f} | {found['recall@20']:.4f} | {found['ndcg@20']:.4f} |"
            )
    return [
        "",
        "## Settings compared on pairs held out: quality against time",
        "",
        f"On {probes[-1]['pairs']['valid']:,} held-out training pairs, {probes[-1]['valid_share']:.0%} of them; the",
        "test was not read.",
        "",
        "| | settings | epochs | minutes | CPU minutes | Recall@20 | NDCG@20 |",
        "|---|---|---:|---:|---:|---:|---:|",
        *rows,
    ]
