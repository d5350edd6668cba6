"""The numbers of a benchmark run as Markdown: the table of targets first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.targets import LARGE_BATCH, epoch_seconds, targets

Numbers = Mapping[str, Any]
COUNTS = ("pairs", "users", "items", "steps an epoch")


def render(found: Numbers) -> str:
    """The page, rendered from the numbers alone."""
    machine = found["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine.items() if name not in ("cpu", "cores"))
    lines = [
        "# Training, evaluation and loading against their peers",
        "",
        "Written by `python -m benchmarks` (`pip install -e .[bench]`); every ratio has both sides from the same run.",
        f"{machine['cpu']}, {machine['cores']} cores; {versions}.",
        "Steps, evaluations and negatives are medians of interleaved repeats; RecBole's default evaluation and the",
        "rest, minutes long at RecBole's side, ran once.",
        "Seconds do not carry over to another machine, ratios do. LightGCN: 64 dimensions, 3 layers, batch 2,048,",
        "float32.",
        "",
        "## Targets",
        "",
        "| | target | found | met |",
        "|---|---|---:|---|",
        *(f"| {one.what} | {' | '.join(one.row(found))} |" for one in targets()),
    ]
    for title, kind, text in SECTIONS:
        if measured := found.get(kind):
            lines += ["", f"## {title}", "", *text, *([""] if text else []), *_table(kind, measured)]
    return "\n".join(lines) + "\n"


SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "A training step, milliseconds",
        "step",
        (
            "The bound is the time to move what a step must move: the rows of 4 layers and of twice the batch's part",
            "of the last one, at the rate at which `embedding_bag` sums random rows in bags of 1,024 (the fastest",
            "read of random rows in torch, numpy and scipy), and seven tables of Adam at the rate of `a + b`. Rows",
            "of a graph in a good order are closer than random ones, so a step can come near it, or below.",
        ),
    ),
    ("Growth: seconds an epoch at batch 2,048, one thread, from the median step", "growth", ()),
    (
        f"A large batch: minutes an epoch at batch {LARGE_BATCH:,}, two threads, from one step",
        "large-batch",
        (
            "Fewer and larger steps change the maths; what that does to quality is measured in",
            "[../results/gowalla.md](../results/gowalla.md).",
        ),
    ),
    (
        "Ways to train on a large graph: minutes an epoch, two threads, from the mean of some steps",
        "ways",
        (
            "All but the first change the maths. Recall@20 and NDCG@20 of each on Gowalla, where they can be compared:",
            "[../results/gowalla.md](../results/gowalla.md). A softmax needs 10 to 20 epochs where BPR needs hundreds.",
        ),
    ),
    (
        "Full-sort evaluation, seconds",
        "evaluation",
        ("All three give the same Recall@20 and NDCG@20. RecBole's large batch is 200 users (100 over 1 M items).",),
    ),
    ("Negatives, one thread, seconds for all pairs", "negatives", ()),
    ("Building the graph", "graph", ()),
    ("From the atomic file to the three loaders, seconds", "loading", ()),
    ("A made-up log from its file through 20 steps and a whole evaluation, one thread", "fits", ()),
)


def _table(kind: str, measured: Numbers) -> list[str]:
    if kind == "step":
        return _steps(measured)
    ordered = dict(sorted(measured.items(), key=lambda pair: _size(pair[0])))
    if kind == "growth":
        return _growth(ordered, 2048, 1)
    if kind == "large-batch":
        return _growth(ordered, LARGE_BATCH, 60)
    if kind == "ways":
        return _ways(ordered)
    return _rows(ordered)


def _ways(measured: Numbers) -> list[str]:
    """A row for each way, a column for each number of pairs."""
    lines = _head(("batch", *(f"{one['pairs']:,} pairs" for one in measured.values())))
    names = [name for name in next(iter(measured.values())) if name != "pairs"]
    for name in names:
        ways = [(one["pairs"], one[name]) for one in measured.values()]
        minutes = (f"{-(-pairs // way['batch']) * way['seconds'] / 60:,.1f}" for pairs, way in ways)
        lines.append(f"| {name} | {ways[0][1]['batch']:,} | {' | '.join(minutes)} |")
    return lines


def _size(key: str) -> tuple[float, str]:
    number, _, unit = key.partition(" M")
    return (float(number), unit) if number.replace(".", "").isdigit() else (0, key)


def _steps(steps: Numbers) -> list[str]:
    names = [name for name in next(iter(steps.values())) if name not in ("pairs", "share of the last layer")]
    lines = _head(steps)
    for name in names:
        scale = 1 if "GB/s" in name else 1000
        lines.append(f"| {name} | " + " | ".join(f"{scale * step[name]:.1f}" for step in steps.values()) + " |")
    return lines


def _growth(growth: Numbers, batch: int, unit: int) -> list[str]:
    """An epoch's time, in units of so many seconds."""
    names = ("RecBole LightGCN", "PyG LightGCN, CSR", "ours", "bound")
    lines = _head(("pairs", *names, "times RecBole", "times PyG"), first=False)
    for one in growth.values():
        cells = [
            f"{one['pairs']:,}",
            *(f"{epoch_seconds(one, batch, name) / unit:,.{1 if unit > 1 else 0}f}" for name in names),
        ]
        cells += [f"{one[name] / one['ours']:.1f}" for name in names[:2]]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _rows(measured: Numbers) -> list[str]:
    names = list(next(iter(measured.values())))
    lines = _head(names)
    for key, one in measured.items():
        cells = (f"{one[name]:,}" if name in COUNTS else f"{one[name]:.2f}" for name in names)
        lines.append(f"| {key} | {' | '.join(cells)} |")
    return lines


def _head(names: Iterable[str], *, first: bool = True) -> list[str]:
    names = list(names)
    head = f"| {' | '.join(names)} |"
    return [f"| {head}" if first else head, ("|---|" if first else "|") + "---:|" * len(names)]
